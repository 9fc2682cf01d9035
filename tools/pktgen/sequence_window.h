// SPDX-License-Identifier: Apache-2.0
#pragma once

// SequenceWindow: which frames of one flow and direction have arrived, by their sequence numbers
// (1, 2, 3, ...). Tells a frame that was overtaken from one that arrived twice, as long as not more
// than 63 later ones of its flow came before it. Plain value.

#include <cstdint>

namespace pollux::pktgen {

enum class Arrival : std::uint8_t { InOrder, Overtaken, Repeated };

class SequenceWindow {
  public:
    // The highest number so far; 0: none.
    [[nodiscard]] std::uint32_t last() const noexcept { return last_; }

    Arrival arrive(std::uint32_t sequence) noexcept {
        const std::uint32_t ahead = sequence - last_;
        if (ahead != 0 && ahead < kHalf) {
            seen_ = ahead < kWidth ? (seen_ << ahead) | 1U : 1U;
            last_ = sequence;
            return Arrival::InOrder;
        }
        const std::uint32_t behind = last_ - sequence;
        // Too old to tell: not believed.
        if (behind >= kWidth) return Arrival::Repeated;
        const std::uint64_t bit = std::uint64_t{1} << behind;
        if ((seen_ & bit) != 0) return Arrival::Repeated;
        seen_ |= bit;
        return Arrival::Overtaken;
    }

  private:
    static constexpr std::uint32_t kWidth = 64;
    static constexpr std::uint32_t kHalf = std::uint32_t{1} << 31U;

    std::uint64_t seen_ = 1;  // bit n: last_ - n has arrived; number 0 counts as arrived
    std::uint32_t last_ = 0;
};

}  // namespace pollux::pktgen
