// SPDX-License-Identifier: Apache-2.0
#pragma once

// Publisher: turns "something changed" into new snapshots: many changes within a turn of the loop
// cost one snapshot, and changes in quick succession wait for each other (PublishPace). A large
// table is built on a thread of its own, one at a time; the loop only swaps it in. Control thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "control/director/publish_pace.h"
#include "control/loop/background_work.h"
#include "control/loop/event_loop.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control {

class Publisher {
  public:
    // Up to so many real servers a snapshot is built in the loop: that takes about a millisecond.
    static constexpr std::size_t kServersInLoop = 1024;

    // What a snapshot is made of, taken at one moment.
    struct Gathered {
        std::function<lb::DataPlaneSpec()> build;  // any thread, once; holds all that it needs
        std::size_t servers = 0;                   // in it, about
    };
    using Gather = std::function<Gathered()>;
    using SharedSpec = std::shared_ptr<const lb::DataPlaneSpec>;
    using Done = std::function<void(const Status&)>;
    struct Hooks {
        Gather gather;
        std::function<lb::TimePoint()> now;
        // After each successful publication.
        std::function<void(const SharedSpec&)> applied;
    };

    Publisher(EventLoop& loop, lb::DataPlane& plane, Hooks hooks);

    // Soon: on the next turn of the loop, unless the last snapshot was a moment ago.
    void request();
    // As soon as what is being built is there. `gather` is called when its turn comes, `done` after
    // the publication or its refusal, which changes nothing; both may be called from within.
    void publish(Gather gather, Done done);
    // At once, whatever its size. A failure changes nothing and is the caller's to report.
    Status publish_now();
    Status publish_now(const lb::DataPlaneSpec& spec);
    // Waits for what is being built, so that its caller is done.
    void complete();

    [[nodiscard]] std::uint64_t failures() const { return failures_; }

  private:
    struct Job {
        Gather gather;
        Done done;
    };

    void run();
    void next();
    void finished();
    void settle(const Status& done, const SharedSpec& spec);

    lb::DataPlane* plane_;
    Hooks hooks_;
    Timer timer_;
    PublishPace pace_;
    std::uint64_t failures_ = 0;
    std::deque<Job> jobs_;  // the first one is at work if `work_` is set
    std::unique_ptr<lb::SnapshotWork> work_;
    lb::TimePoint started_{};  // the work for the latest snapshot
    bool again_ = false;       // something changed after the latest job gathered
    BackgroundWork background_;
};

}  // namespace pollux::control
