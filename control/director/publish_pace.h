// SPDX-License-Identifier: Apache-2.0
#pragma once

// PublishPace: when the next snapshot may be built. A snapshot holds everything, so its cost grows
// with the configuration; what changes meanwhile goes into one snapshot together, and building them
// takes a fifth of the control thread at most (more only where one costs above 50 ms). Pure.

#include <algorithm>
#include <chrono>

#include "dataplane/lb/time.h"

namespace pollux::control {

class PublishPace {
  public:
    // Between two snapshots at least.
    static constexpr lb::Duration kInterval = std::chrono::milliseconds(10);
    // The pause after a snapshot, in multiples of what it has cost.
    static constexpr int kRest = 4;
    // No change waits longer, whatever a snapshot costs.
    static constexpr lb::Duration kLongest = std::chrono::milliseconds(200);

    void published(lb::TimePoint start, lb::TimePoint end) {
        const lb::TimePoint rested = end + std::min(kRest * (end - start), kLongest);
        next_ = std::max(start + kInterval, rested);
    }
    [[nodiscard]] lb::Duration wait(lb::TimePoint now) const {
        return std::max(next_ - now, lb::Duration::zero());
    }

  private:
    lb::TimePoint next_{};
};

}  // namespace pollux::control
