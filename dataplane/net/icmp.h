// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ICMP header (RFC 792). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"

namespace pollux::net {

inline constexpr std::size_t kIcmpHeaderLength = 8;

inline constexpr std::uint8_t kIcmpEchoReply = 0;
inline constexpr std::uint8_t kIcmpDestinationUnreachable = 3;
inline constexpr std::uint8_t kIcmpSourceQuench = 4;  // deprecated by RFC 6633
inline constexpr std::uint8_t kIcmpRedirect = 5;
inline constexpr std::uint8_t kIcmpEchoRequest = 8;
inline constexpr std::uint8_t kIcmpTimeExceeded = 11;
inline constexpr std::uint8_t kIcmpParameterProblem = 12;

// Codes of kIcmpDestinationUnreachable.
inline constexpr std::uint8_t kIcmpNetUnreachable = 0;
inline constexpr std::uint8_t kIcmpHostUnreachable = 1;
inline constexpr std::uint8_t kIcmpProtocolUnreachable = 2;
inline constexpr std::uint8_t kIcmpPortUnreachable = 3;
inline constexpr std::uint8_t kIcmpFragmentationNeeded = 4;          // carries the MTU, RFC 1191
inline constexpr std::uint8_t kIcmpAdministrativelyProhibited = 13;  // RFC 1812 section 5.2.7.1

// Code of kIcmpTimeExceeded.
inline constexpr std::uint8_t kIcmpTtlExceeded = 0;

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +---------------+---------------+-------------------------------+
// |     type      |     code      |           checksum            |
// +---------------+---------------+-------------------------------+
// |      identifier / unused      |   sequence / next-hop MTU     |
// +-------------------------------+-------------------------------+
// |   an error quotes the IPv4 header and >= 8 bytes behind it    |
// +---------------------------------------------------------------+
struct IcmpHeader {
    std::uint8_t type;
    std::uint8_t code;
    Be16 checksum;
    Be16 identifier;       // echo; unused in errors
    Be16 sequence_or_mtu;  // echo: sequence; fragmentation needed: MTU of the next hop
};
static_assert(sizeof(IcmpHeader) == kIcmpHeaderLength && WireHeader<IcmpHeader>);

// RFC 1122 section 3.2.2: the types that quote the packet they are about. There is no answer to
// them, ever.
constexpr bool is_icmp_error(std::uint8_t type) noexcept {
    return type == kIcmpDestinationUnreachable || type == kIcmpSourceQuench ||
           type == kIcmpRedirect || type == kIcmpTimeExceeded || type == kIcmpParameterProblem;
}

}  // namespace pollux::net
