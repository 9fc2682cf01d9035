// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Internet checksum, full (RFC 1071) and incremental (RFC 1624). Any thread.

#include <bit>
#include <cstdint>
#include <span>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/ip_address.h"

namespace pollux::net {

// Adds the 16-bit digits of `sum` with end-around carry. The result is 0 only for 0.
constexpr std::uint16_t fold_checksum(std::uint64_t sum) noexcept {
    // A word plus itself with its halves exchanged: the upper half is the sum of both, and the
    // carry of the lower half has gone round.
    const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32U);
    return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16U);
}

// A one's-complement sum in the making. Words are added as they lie on the wire (unswapped), which
// the one's-complement sum allows (RFC 1071 section 2(B)); `finish` gives wire order back.
class ChecksumSum {
  public:
    // An odd last byte is padded with zero, so only the last piece of a message may be odd.
    void add(std::span<const std::uint8_t> bytes) noexcept;
    void add(Be16 word) noexcept { sum_ += word.wire(); }
    void add(Be32 word) noexcept { sum_ += word.wire(); }
    // Pseudo-header of RFC 9293 section 3.1 / RFC 8200 section 8.1. `length` is that of the
    // upper-layer packet.
    void add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                           std::uint8_t protocol, std::uint32_t length) noexcept;

    // The complement, ready to be stored in a header (for UDP through `udp_nonzero`).
    [[nodiscard]] Be16 finish() const noexcept {
        return Be16::from_wire(static_cast<std::uint16_t>(~fold_checksum(sum_)));
    }

    // Whether the bytes added, their checksum field among them, add up to "correct".
    [[nodiscard]] bool is_valid() const noexcept { return fold_checksum(sum_) == 0xffffU; }

  private:
    std::uint64_t sum_ = 0;
};

[[nodiscard]] Be16 internet_checksum(std::span<const std::uint8_t> bytes) noexcept;

// RFC 768: a computed checksum of zero is sent as all ones, because zero means "none".
[[nodiscard]] constexpr Be16 udp_nonzero(Be16 checksum) noexcept {
    return checksum.wire() == 0 ? Be16::from_wire(0xffff) : checksum;
}

// What a set of edits does to a checksum: collect them once, apply to each checksum that covers
// them (IPv4 header and TCP both see a changed address). At most 2^30 edits.
class ChecksumDelta {
  public:
    // The complement of a word is its negative, for 32 bits too since 2^32 - 1 is a multiple of
    // 2^16 - 1.
    constexpr void replace(Be16 before, Be16 after) noexcept {
        sum_ += static_cast<std::uint16_t>(~before.wire());
        sum_ += after.wire();
    }
    constexpr void replace(Be32 before, Be32 after) noexcept {
        sum_ += static_cast<std::uint32_t>(~before.wire());
        sum_ += after.wire();
    }
    // One taken off a TTL: the low byte of its word, as the word is loaded.
    constexpr void decrement_ttl() noexcept { sum_ += 0xfffeU; }
    constexpr void replace(const Ipv6Address& before, const Ipv6Address& after) noexcept {
        const auto old_halves = before.halves();
        const auto new_halves = after.halves();
        for (unsigned i = 0; i < 2; ++i) {
            sum_ += static_cast<std::uint32_t>(~old_halves[i]) + (~old_halves[i] >> 32U);
            sum_ += static_cast<std::uint32_t>(new_halves[i]) + (new_halves[i] >> 32U);
        }
    }

    // RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). Never turns a wrong checksum into a right one.
    // For UDP the caller leaves a zero alone, or goes on with `udp_nonzero`.
    [[nodiscard]] constexpr Be16 apply(Be16 checksum) const noexcept {
        const std::uint64_t sum = sum_ + static_cast<std::uint16_t>(~checksum.wire());
        return Be16::from_wire(static_cast<std::uint16_t>(~fold_checksum(sum)));
    }

  private:
    std::uint64_t sum_ = 0;
};

[[nodiscard]] constexpr Be16 checksum_replace(Be16 checksum, Be16 before, Be16 after) noexcept {
    ChecksumDelta delta;
    delta.replace(before, after);
    return delta.apply(checksum);
}

[[nodiscard]] constexpr Be16 checksum_replace(Be16 checksum, Be32 before, Be32 after) noexcept {
    ChecksumDelta delta;
    delta.replace(before, after);
    return delta.apply(checksum);
}

[[nodiscard]] constexpr Be16 checksum_replace(Be16 checksum, const Ipv6Address& before,
                                              const Ipv6Address& after) noexcept {
    ChecksumDelta delta;
    delta.replace(before, after);
    return delta.apply(checksum);
}

}  // namespace pollux::net
