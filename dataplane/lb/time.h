// SPDX-License-Identifier: Apache-2.0
#pragma once

// The data plane's clock: time since an arbitrary origin, the same for all threads of the process,
// never stepping back. Callers pass it in; nothing below the shells reads a clock.

#include <chrono>

namespace pollux::lb {

using Duration = std::chrono::nanoseconds;

struct DataPlaneClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<DataPlaneClock>;
    static constexpr bool is_steady = true;
};
using TimePoint = DataPlaneClock::time_point;

}  // namespace pollux::lb
