// SPDX-License-Identifier: Apache-2.0
#pragma once

// The coarse clock of the tables: 32-bit counts of 1/16 second, compared modulo 2^32, so that a
// last-seen time costs four bytes and is written at most once a second (decision D7). Any thread.

#include <chrono>
#include <cstdint>

#include "dataplane/lb/time.h"

namespace pollux::lb {

enum class Tick : std::uint32_t {};
using Ticks = std::chrono::duration<std::uint32_t, std::ratio<1, 16>>;

// The longest span that a state word holds: 12 days, 3 hours. Longer time-outs are cut to it.
inline constexpr Ticks kMaxTimeout{(1U << 24U) - 1};

// Once per burst, not per packet.
constexpr Tick to_tick(TimePoint time) noexcept {
    constexpr auto kTickNs = std::chrono::nanoseconds(std::chrono::seconds(1)).count() / 16;
    return Tick{static_cast<std::uint32_t>(time.time_since_epoch().count() / kTickNs)};
}

// Rounds up, so that nothing expires early; at most kMaxTimeout. Negative counts as zero.
constexpr Ticks to_ticks(Duration span) noexcept {
    if (span <= Duration::zero()) return Ticks{0};
    const auto ticks = std::chrono::ceil<std::chrono::duration<std::int64_t, Ticks::period>>(span);
    return ticks.count() > kMaxTimeout.count() ? kMaxTimeout
                                               : Ticks{static_cast<std::uint32_t>(ticks.count())};
}

constexpr Tick operator+(Tick tick, Ticks span) noexcept {
    return Tick{static_cast<std::uint32_t>(tick) + span.count()};
}

// now - since; zero when `since` lies ahead, as a worker's burst time may lag behind another's.
constexpr Ticks elapsed(Tick since, Tick now) noexcept {
    const std::uint32_t difference =
        static_cast<std::uint32_t>(now) - static_cast<std::uint32_t>(since);
    return Ticks{(difference >> 31U) != 0 ? 0U : difference};
}

}  // namespace pollux::lb
