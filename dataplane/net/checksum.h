// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Internet checksum, full (RFC 1071) and incremental (RFC 1624). Any thread.

#include <cstdint>
#include <span>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/ip_address.h"

namespace pollux::net {

// A one's-complement sum in the making. Words are added as they lie on the wire (unswapped), which
// the one's-complement sum allows (RFC 1071 section 2(B)); `finish` gives wire order back.
class ChecksumSum {
  public:
    // An odd last byte is padded with zero, so only the last piece of a message may be odd.
    void add(std::span<const std::uint8_t> bytes) noexcept;
    void add(Be16 word) noexcept { sum_ += word.wire(); }
    void add(Be32 word) noexcept { sum_ += (word.wire() & 0xffffU) + (word.wire() >> 16U); }
    // Pseudo-header of RFC 793 / RFC 8200 section 8.1. `length` is that of the upper-layer packet.
    void add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                           std::uint8_t protocol, std::uint32_t length) noexcept;

    // The complement, ready to be stored in a header.
    [[nodiscard]] Be16 finish() const noexcept;

  private:
    std::uint64_t sum_ = 0;
};

[[nodiscard]] Be16 internet_checksum(std::span<const std::uint8_t> bytes) noexcept;

// RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). Never turns a wrong checksum into a right one.
[[nodiscard]] Be16 checksum_replace(Be16 checksum, Be16 before, Be16 after) noexcept;
[[nodiscard]] Be16 checksum_replace(Be16 checksum, Be32 before, Be32 after) noexcept;
[[nodiscard]] Be16 checksum_replace(Be16 checksum, const Ipv6Address& before,
                                    const Ipv6Address& after) noexcept;

}  // namespace pollux::net
