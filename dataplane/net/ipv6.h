// SPDX-License-Identifier: Apache-2.0
#pragma once

// The IPv6 header and its extension headers (RFC 8200). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/ip_protocol.h"

namespace pollux::net {

inline constexpr std::size_t kIpv6HeaderLength = 40;
inline constexpr std::uint16_t kIpv6MinMtu = 1280;  // RFC 8200 section 5

// What the parser is willing to walk through (RFC 8504 section 5.3 allows such limits).
inline constexpr unsigned kMaxIpv6ExtensionHeaders = 8;
inline constexpr std::size_t kMaxIpv6ExtensionBytes = 256;

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------+---------------+---------------------------------------+
// |version| traffic class |              flow label               |
// +-------+---------------+-------+---------------+---------------+
// |        payload length         |  next header  |   hop limit   |
// +-------------------------------+---------------+---------------+
// |                  source address (16 bytes)                    |
// +---------------------------------------------------------------+
// |               destination address (16 bytes)                  |
// +---------------------------------------------------------------+
struct Ipv6Header {
    Be32 version_class_flow;
    Be16 payload_length;
    std::uint8_t next_header;
    std::uint8_t hop_limit;
    Ipv6Address source;
    Ipv6Address destination;

    [[nodiscard]] constexpr unsigned version() const noexcept {
        return version_class_flow.host() >> 28U;
    }
    // DSCP and ECN.
    [[nodiscard]] constexpr std::uint8_t traffic_class() const noexcept {
        return static_cast<std::uint8_t>(version_class_flow.host() >> 20U);
    }
    [[nodiscard]] constexpr std::uint32_t flow_label() const noexcept {
        return version_class_flow.host() & 0xfffffU;
    }
    // Sets version 6 too. Only the low 20 bits of `flow_label` count.
    constexpr void set_class_and_flow(std::uint8_t traffic_class,
                                      std::uint32_t flow_label) noexcept {
        version_class_flow = Be32::from_host(0x60000000U | (std::uint32_t{traffic_class} << 20U) |
                                             (flow_label & 0xfffffU));
    }
};
static_assert(sizeof(Ipv6Header) == kIpv6HeaderLength && WireHeader<Ipv6Header>);

// The common start of hop-by-hop, destination options and routing headers (and, with another unit
// of length, of AH).
struct Ipv6ExtensionHeader {
    std::uint8_t next_header;
    std::uint8_t length_field;  // in units of 8 bytes, without the first 8
    std::uint8_t routing_type;  // routing header only
    std::uint8_t segments_left;
    Be32 rest;

    // In bytes.
    [[nodiscard]] constexpr std::size_t length() const noexcept {
        return std::size_t{8} * (std::size_t{length_field} + 1);
    }
    // RFC 4302 section 2.2: AH counts 4-byte words and leaves out two.
    [[nodiscard]] constexpr std::size_t ah_length() const noexcept {
        return std::size_t{4} * (std::size_t{length_field} + 2);
    }
};
static_assert(sizeof(Ipv6ExtensionHeader) == 8 && WireHeader<Ipv6ExtensionHeader>);

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +---------------+---------------+-------------------------+---+-+
// |  next header  |   reserved    |     fragment offset     |res|M|
// +---------------+---------------+-------------------------+---+-+
// |                        identification                         |
// +---------------------------------------------------------------+
struct Ipv6FragmentHeader {
    std::uint8_t next_header;
    std::uint8_t reserved;
    Be16 offset_and_more;
    Be32 identification;

    // In bytes.
    [[nodiscard]] constexpr std::uint16_t fragment_offset() const noexcept {
        return offset_and_more.host() & 0xfff8U;
    }
    [[nodiscard]] constexpr bool more_fragments() const noexcept {
        return (offset_and_more.host() & 1U) != 0;
    }
};
static_assert(sizeof(Ipv6FragmentHeader) == 8 && WireHeader<Ipv6FragmentHeader>);

// RFC 4291 section 2.5.5.2: ::ffff:0:0/96 never travels on a wire.
constexpr bool is_v4_mapped(const Ipv6Address& address) noexcept {
    const auto words = address.words();
    return (words[0].wire() | words[1].wire()) == 0 && words[2] == Be32::from_host(0xffff);
}

// RFC 4291 section 2.7.1: ff02::1:ff00:0/104 and the low 24 bits of `address`.
constexpr Ipv6Address solicited_node_address(const Ipv6Address& address) noexcept {
    return {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, address.bytes[13], address.bytes[14],
             address.bytes[15]}};
}

inline constexpr Ipv6Address kIpv6AllNodes{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

}  // namespace pollux::net
