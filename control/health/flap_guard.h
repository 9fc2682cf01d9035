// SPDX-License-Identifier: Apache-2.0
#pragma once

// FlapGuard: a server that goes down again and again is kept out until it has been good for a
// while, so that it does not cost connections each time. Pure.

#include <cstdint>
#include <deque>
#include <optional>

#include "control/config/config_common.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

struct FlapLimits {
    unsigned downs = 5;  // within `window`; 0: no guard
    Duration window = std::chrono::minutes(5);
    Duration hold = std::chrono::seconds(60);  // good for so long before it counts as up again
};

class FlapGuard {
  public:
    // The checks declared the server dead.
    void down(const FlapLimits& limits, lb::TimePoint now);

    // The checks declare it alive since `now`. Nothing: it may serve at once; else from then on,
    // provided that it stays alive.
    [[nodiscard]] std::optional<lb::TimePoint> held_until(const FlapLimits& limits,
                                                          lb::TimePoint now) const;

  private:
    std::deque<lb::TimePoint> downs_;  // the latest limits.downs
};

}  // namespace pollux::control
