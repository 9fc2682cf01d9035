// SPDX-License-Identifier: Apache-2.0
#pragma once

// The IPv4 header and its options (RFC 791). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_address.h"

namespace pollux::net {

inline constexpr std::size_t kIpv4MinHeaderLength = 20;
inline constexpr std::size_t kIpv4MaxHeaderLength = 60;
inline constexpr std::size_t kIpMaxLength = 65535;  // of a datagram, either family
inline constexpr std::uint16_t kIpv4MinMtu = 68;    // RFC 791 section 3.2
inline constexpr std::uint8_t kIpDefaultTtl = 64;   // RFC 1700, IANA "IP TIME TO LIVE"

inline constexpr Be16 kIpv4DontFragment = Be16::from_host(0x4000);
inline constexpr Be16 kIpv4MoreFragments = Be16::from_host(0x2000);
inline constexpr std::uint16_t kIpv4OffsetMask = 0x1fff;  // host order, units of 8 bytes

inline constexpr std::uint8_t kIpv4OptionEnd = 0;                  // RFC 791 section 3.1
inline constexpr std::uint8_t kIpv4OptionNoOperation = 1;          // RFC 791 section 3.1
inline constexpr std::uint8_t kIpv4OptionRecordRoute = 7;          // RFC 791 section 3.1
inline constexpr std::uint8_t kIpv4OptionTimestamp = 68;           // RFC 791 section 3.1
inline constexpr std::uint8_t kIpv4OptionLooseSourceRoute = 131;   // RFC 791 section 3.1
inline constexpr std::uint8_t kIpv4OptionStrictSourceRoute = 137;  // RFC 791 section 3.1
inline constexpr std::uint8_t kIpv4OptionRouterAlert = 148;        // RFC 2113

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------+-------+---------------+-------------------------------+
// |version|  IHL  |     DSCP/ECN  |         total length          |
// +-------+-------+---------------+-+-+-+-------------------------+
// |        identification         |0|D|M|     fragment offset     |
// +---------------+---------------+-+-+-+-------------------------+
// |      TTL      |   protocol    |        header checksum        |
// +---------------+---------------+-------------------------------+
// |                        source address                         |
// +---------------------------------------------------------------+
// |                      destination address                      |
// +---------------------------------------------------------------+
// |          options, up to 40 bytes (IHL counts them)            |
// +---------------------------------------------------------------+
struct Ipv4Header {
    std::uint8_t version_ihl;
    std::uint8_t traffic_class;  // DSCP (RFC 2474) and ECN (RFC 3168), once called TOS
    Be16 total_length;
    Be16 identification;
    Be16 flags_and_offset;
    std::uint8_t ttl;
    std::uint8_t protocol;
    Be16 checksum;
    Ipv4Address source;
    Ipv4Address destination;

    [[nodiscard]] constexpr unsigned version() const noexcept { return version_ihl >> 4U; }
    // In bytes, options included: 0..60.
    [[nodiscard]] constexpr std::size_t header_length() const noexcept {
        return std::size_t{4} * (version_ihl & 0xfU);
    }
    [[nodiscard]] constexpr bool dont_fragment() const noexcept {
        return (flags_and_offset.wire() & kIpv4DontFragment.wire()) != 0;
    }
    [[nodiscard]] constexpr bool more_fragments() const noexcept {
        return (flags_and_offset.wire() & kIpv4MoreFragments.wire()) != 0;
    }
    // In bytes.
    [[nodiscard]] constexpr std::uint16_t fragment_offset() const noexcept {
        return static_cast<std::uint16_t>((flags_and_offset.host() & kIpv4OffsetMask) << 3U);
    }
    // A part of a datagram, the first or a later one.
    [[nodiscard]] constexpr bool is_fragment() const noexcept {
        constexpr std::uint16_t mask =
            kIpv4MoreFragments.wire() | Be16::from_host(kIpv4OffsetMask).wire();
        return (flags_and_offset.wire() & mask) != 0;
    }
};
static_assert(sizeof(Ipv4Header) == kIpv4MinHeaderLength && WireHeader<Ipv4Header>);

}  // namespace pollux::net
