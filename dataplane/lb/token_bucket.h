// SPDX-License-Identifier: Apache-2.0
#pragma once

// TokenBucket: at most `rate` events a second on average, `burst` at once. One thread.

#include <algorithm>
#include <cstdint>

#include "dataplane/lb/time.h"

namespace pollux::lb {

class TokenBucket {
  public:
    // True: the event may happen, and is counted.
    bool take(TimePoint now, std::uint32_t rate, std::uint32_t burst) noexcept {
        constexpr std::int64_t kSecond = 1'000'000'000;
        const std::int64_t full = kSecond * burst;
        // A token is worth a second divided by the rate; time is counted as `rate` per nanosecond.
        const std::int64_t passed =
            std::clamp<std::int64_t>((now - last_).count(), 0, kSecond * 60);
        filled_ = is_new_ ? full : std::min(full, filled_ + passed * rate);
        is_new_ = false;
        last_ = now;
        if (filled_ < kSecond) return false;
        filled_ -= kSecond;
        return true;
    }

  private:
    TimePoint last_{};
    std::int64_t filled_ = 0;
    bool is_new_ = true;
};

}  // namespace pollux::lb
