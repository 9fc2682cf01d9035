// SPDX-License-Identifier: Apache-2.0
#pragma once

// Publisher: turns "something changed" into new snapshots: many changes within a turn of the loop
// cost one snapshot, and changes in quick succession wait for each other (PublishPace). Control
// thread.

#include <cstdint>
#include <functional>

#include "control/director/publish_pace.h"
#include "control/loop/event_loop.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control {

class Publisher {
  public:
    struct Hooks {
        std::function<lb::DataPlaneSpec()> build;
        std::function<lb::TimePoint()> now;
        // After each successful apply.
        std::function<void(const lb::DataPlaneSpec&)> applied;
    };

    Publisher(EventLoop& loop, lb::DataPlane& plane, Hooks hooks);

    // Soon: on the next turn of the loop, unless the last snapshot was a moment ago.
    void request();
    // At once. A failure changes nothing and is the caller's to report.
    Status publish();
    // The same for a spec that the caller built (a reload that may still be refused).
    Status publish(const lb::DataPlaneSpec& spec);

    [[nodiscard]] std::uint64_t failures() const { return failures_; }

  private:
    void run();
    // `start`: when the work for `spec` began.
    Status publish_since(lb::TimePoint start, const lb::DataPlaneSpec& spec);

    lb::DataPlane* plane_;
    Hooks hooks_;
    Timer timer_;
    PublishPace pace_;
    std::uint64_t failures_ = 0;
};

}  // namespace pollux::control
