// SPDX-License-Identifier: Apache-2.0
#pragma once

// Durations as the numbers that JSON members and metrics named `*_seconds` and `*_ms` carry.

#include <chrono>

namespace pollux::control {

[[nodiscard]] inline double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

[[nodiscard]] inline double milliseconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace pollux::control
