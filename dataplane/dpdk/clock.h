// SPDX-License-Identifier: Apache-2.0
#pragma once

// The data plane's clock on the CPU's time stamp counter: one read per burst gives both the time
// and the cycle count. Any thread. Starts at CLOCK_MONOTONIC's value and runs at the TSC's rate.

#include <cstdint>

#include "dataplane/lb/time.h"

namespace pollux::dpdk {

class Clock {
  public:
    // `ticks_per_second` > 0. The clock reads `origin` when the counter reads `origin_ticks`.
    Clock(std::uint64_t ticks_per_second, std::uint64_t origin_ticks,
          lb::TimePoint origin) noexcept;

    // The time at a counter value; values before the origin give the origin (no step back).
    [[nodiscard]] lb::TimePoint at(std::uint64_t ticks) const noexcept {
        if (ticks <= origin_ticks_) return origin_;
        const Wide nanoseconds = (static_cast<Wide>(ticks - origin_ticks_) * multiplier_) >> kShift;
        return origin_ + lb::Duration(static_cast<std::int64_t>(nanoseconds));
    }

    [[nodiscard]] std::uint64_t ticks_per_second() const noexcept { return ticks_per_second_; }

  private:
    __extension__ using Wide = unsigned __int128;
    static constexpr unsigned kShift = 48;

    std::uint64_t ticks_per_second_;
    std::uint64_t multiplier_;  // nanoseconds per tick, times 2^kShift
    std::uint64_t origin_ticks_;
    lb::TimePoint origin_;
};

}  // namespace pollux::dpdk
