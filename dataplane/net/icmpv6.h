// SPDX-License-Identifier: Apache-2.0
#pragma once

// ICMPv6 (RFC 4443) and Neighbor Discovery messages (RFC 4861). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::net {

inline constexpr std::size_t kIcmpv6HeaderLength = 8;

inline constexpr std::uint8_t kIcmpv6DestinationUnreachable = 1;
inline constexpr std::uint8_t kIcmpv6PacketTooBig = 2;
inline constexpr std::uint8_t kIcmpv6TimeExceeded = 3;
inline constexpr std::uint8_t kIcmpv6ParameterProblem = 4;
inline constexpr std::uint8_t kIcmpv6EchoRequest = 128;
inline constexpr std::uint8_t kIcmpv6EchoReply = 129;
inline constexpr std::uint8_t kIcmpv6RouterSolicitation = 133;
inline constexpr std::uint8_t kIcmpv6RouterAdvertisement = 134;
inline constexpr std::uint8_t kIcmpv6NeighborSolicitation = 135;
inline constexpr std::uint8_t kIcmpv6NeighborAdvertisement = 136;
inline constexpr std::uint8_t kIcmpv6Redirect = 137;

// Codes of kIcmpv6DestinationUnreachable.
inline constexpr std::uint8_t kIcmpv6NoRoute = 0;
inline constexpr std::uint8_t kIcmpv6AdministrativelyProhibited = 1;
inline constexpr std::uint8_t kIcmpv6AddressUnreachable = 3;
inline constexpr std::uint8_t kIcmpv6PortUnreachable = 4;

// Code of kIcmpv6TimeExceeded.
inline constexpr std::uint8_t kIcmpv6HopLimitExceeded = 0;

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +---------------+---------------+-------------------------------+
// |     type      |     code      |           checksum            |
// +---------------+---------------+-------------------------------+
// |   MTU (packet too big), or identifier and sequence (echo)     |
// +---------------------------------------------------------------+
// |    an error quotes as much of the packet as fits 1280 bytes   |
// +---------------------------------------------------------------+
struct Icmpv6Header {
    std::uint8_t type;
    std::uint8_t code;
    Be16 checksum;  // over a pseudo-header too, RFC 4443 section 2.3
    Be32 body;      // packet too big: MTU; echo: identifier and sequence; else mostly unused
};
static_assert(sizeof(Icmpv6Header) == kIcmpv6HeaderLength && WireHeader<Icmpv6Header>);

// RFC 4443 section 2.1: error messages have the high bit clear. Each quotes a packet.
constexpr bool is_icmpv6_error(std::uint8_t type) noexcept {
    return type < 128;
}

// Types 133 to 137.
constexpr bool is_neighbor_discovery(std::uint8_t type) noexcept {
    return type >= kIcmpv6RouterSolicitation && type <= kIcmpv6Redirect;
}

// RFC 4861 section 6.1, 7.1: every Neighbor Discovery message has this hop limit, or is forged.
inline constexpr std::uint8_t kNeighborDiscoveryHopLimit = 255;

// Bits of NeighborMessage::flags in an advertisement (RFC 4861 section 4.4).
inline constexpr Be32 kNeighborIsRouter = Be32::from_host(0x80000000U);
inline constexpr Be32 kNeighborSolicited = Be32::from_host(0x40000000U);
inline constexpr Be32 kNeighborOverride = Be32::from_host(0x20000000U);

inline constexpr std::uint8_t kOptionSourceLinkLayer = 1;
inline constexpr std::uint8_t kOptionTargetLinkLayer = 2;

// A neighbor solicitation or advertisement; options follow.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +---------------+---------------+-------------------------------+
// |  type 135/136 |    code 0     |           checksum            |
// +-+-+-+---------+---------------+-------------------------------+
// |R|S|O|            reserved (R, S, O: advertisement)            |
// +-+-+-+---------------------------------------------------------+
// |                   target address (16 bytes)                   |
// +---------------------------------------------------------------+
struct NeighborMessage {
    std::uint8_t type;
    std::uint8_t code;
    Be16 checksum;
    Be32 flags;
    Ipv6Address target;
};
static_assert(sizeof(NeighborMessage) == 24 && WireHeader<NeighborMessage>);

// Source or target link-layer address option for Ethernet (RFC 4861 section 4.6.1).
struct LinkLayerOption {
    std::uint8_t type;
    std::uint8_t length;  // in units of 8 bytes: 1
    MacAddress mac;
};
static_assert(sizeof(LinkLayerOption) == 8 && WireHeader<LinkLayerOption>);

}  // namespace pollux::net
