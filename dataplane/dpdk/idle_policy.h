// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long a worker rests after polls that found nothing. Owned by one worker. Adaptive: spin for
// a moment, then sleep 20, 50, 100 and at last 200 us at a time, back to spinning with the first
// packet. Spinning workers that share a CPU cost their neighbours 10 times the latency.

#include <array>
#include <cstdint>

#include "dataplane/dpdk/runtime.h"

namespace pollux::dpdk {

class IdlePolicy {
  public:
    static constexpr std::uint32_t kSpinsOnSharedCpu = 16;
    static constexpr std::uint32_t kSpinsOnOwnCpu = 512;
    static constexpr std::uint32_t kSleepsPerStep = 25;
    static constexpr std::array<std::uint32_t, 4> kSleepMicroseconds{20, 50, 100, 200};

    // `cpu_is_shared`: another thread of this process runs on the worker's CPU.
    IdlePolicy(IdleMode mode, bool cpu_is_shared) noexcept
        : spins_(mode == IdleMode::Poll ? 0 : (cpu_is_shared ? kSpinsOnSharedCpu : kSpinsOnOwnCpu)),
          sleeps_(mode == IdleMode::Adaptive) {}

    void found_work() noexcept { empty_polls_ = 0; }

    // Microseconds to sleep now; 0: go on polling.
    [[nodiscard]] std::uint32_t found_nothing() noexcept {
        if (!sleeps_ || empty_polls_ < spins_) {
            empty_polls_ += sleeps_ ? 1 : 0;
            return 0;
        }
        const std::uint32_t step = (empty_polls_ - spins_) / kSleepsPerStep;
        if (step >= kSleepMicroseconds.size()) return kSleepMicroseconds.back();
        ++empty_polls_;
        return kSleepMicroseconds[step];
    }

  private:
    std::uint32_t spins_;
    bool sleeps_;
    std::uint32_t empty_polls_ = 0;
};

}  // namespace pollux::dpdk
