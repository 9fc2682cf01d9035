// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/clock.h"

#include <cassert>

namespace pollux::dpdk {

Clock::Clock(std::uint64_t ticks_per_second, std::uint64_t origin_ticks,
             lb::TimePoint origin) noexcept
    : ticks_per_second_(ticks_per_second),
      multiplier_(static_cast<std::uint64_t>((Wide{1'000'000'000} << kShift) / ticks_per_second)),
      origin_ticks_(origin_ticks),
      origin_(origin) {
    assert(ticks_per_second > 0);
}

}  // namespace pollux::dpdk
