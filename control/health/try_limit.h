// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long a try may take, in time in which this process could listen: what the control loop was
// late by counts for nobody, because an answer may have waited unread. Pure.

#include <algorithm>

#include "control/config/config_service.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

// The time by which the loop came late, added up.
class LoopLag {
  public:
    // Less is no sign of anything: a sleeping process needs a moment to wake up.
    static constexpr Duration kTolerated = std::chrono::milliseconds(2);

    // What was to happen at `due` happened at `now`. Intervals must not overlap.
    void woke(lb::TimePoint due, lb::TimePoint now) {
        if (now - due > kTolerated) lost_ += now - due;
    }
    [[nodiscard]] Duration lost() const { return lost_; }

  private:
    Duration lost_{};
};

// The limit of one try. It grows by what the loop lost since the start, at most to twice its
// length: a dead server is found, however busy the loop is.
class TryLimit {
  public:
    TryLimit() = default;
    TryLimit(lb::TimePoint start, Duration length, const LoopLag& lag)
        : start_(start), length_(length), lost_before_(lag.lost()) {}

    [[nodiscard]] lb::TimePoint end(const LoopLag& lag) const {
        return start_ + length_ + std::min(lag.lost() - lost_before_, length_);
    }

  private:
    lb::TimePoint start_{};
    Duration length_{};
    Duration lost_before_{};
};

}  // namespace pollux::control
