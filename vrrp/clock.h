// SPDX-License-Identifier: Apache-2.0
#pragma once

// VRRP's notion of time: a parameter of every call, since an arbitrary origin, never stepping back.
// Nothing in vrrp/ reads a clock.

#include <chrono>

namespace pollux::vrrp {

using Duration = std::chrono::nanoseconds;

struct ProtocolClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ProtocolClock>;
    static constexpr bool is_steady = true;
};
using TimePoint = ProtocolClock::time_point;

// No deadline.
inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace pollux::vrrp
