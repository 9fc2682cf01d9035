// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lateness: how long after their time things began, as counts by steps. Pure.

#include <array>
#include <chrono>
#include <cstdint>

#include "control/config/config_service.h"

namespace pollux::control {

class Lateness {
  public:
    // counts()[i]: by at most kSteps[i] and more than the step before; the last: by more.
    static constexpr std::array<std::chrono::milliseconds, 9> kSteps = {
        std::chrono::milliseconds(1),   std::chrono::milliseconds(2),
        std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
        std::chrono::milliseconds(20),  std::chrono::milliseconds(50),
        std::chrono::milliseconds(100), std::chrono::milliseconds(200),
        std::chrono::milliseconds(500)};
    using Counts = std::array<std::uint64_t, kSteps.size() + 1>;

    void add(Duration late) {
        std::size_t step = 0;
        while (step < kSteps.size() && late > kSteps[step]) ++step;
        ++counts_[step];
    }
    [[nodiscard]] const Counts& counts() const { return counts_; }

  private:
    Counts counts_{};
};

}  // namespace pollux::control
