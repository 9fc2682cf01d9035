// SPDX-License-Identifier: Apache-2.0
#pragma once

// VRRP on the wire: the fixed header and the constants of RFC 3768 (version 2) and RFC 9568
// (version 3). Pure values; any thread.

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::vrrp {

inline constexpr std::uint8_t kTypeAdvertisement = 1;  // RFC 9568 section 5.2.2: the only type
inline constexpr std::uint8_t kPriorityRelease = 0;    // RFC 9568 section 5.2.4
inline constexpr std::uint8_t kPriorityOwner = 255;    // RFC 9568 section 5.2.4
inline constexpr std::uint8_t kRequiredTtl = 255;      // RFC 9568 section 5.1.1.3, 5.1.2.3
inline constexpr std::uint8_t kTrafficClass = 0xc0;    // network control (RFC 2474), as keepalived
inline constexpr std::uint16_t kMaxIntervalCs = 4095;  // version 3, 12 bits of centiseconds
inline constexpr std::size_t kAuthDataLength = 8;      // version 2, always there
inline constexpr std::size_t kMaxAdvertAddresses = 255;  // the count is one byte

// Auth Type of version 2 (RFC 3768 section 5.3.6; 1 and 2 come from RFC 2338).
inline constexpr std::uint8_t kAuthNone = 0;
inline constexpr std::uint8_t kAuthPass = 1;
inline constexpr std::uint8_t kAuthHeader = 2;

inline constexpr net::Ipv4Address kGroupV4 = net::Ipv4Address::from_host(0xe0000012);  // 224.0.0.18
inline constexpr net::Ipv6Address kGroupV6{
    // ff02::12
    {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------+-------+---------------+---------------+---------------+
// |version| type  | virtual rtr id|   priority    |     count     |
// +-------+-------+---------------+---------------+---------------+
// | v2: auth type, interval in s  |           checksum            |
// | v3: 4 reserved, 12 interval cs|                               |
// +-------------------------------+-------------------------------+
// |        `count` addresses; version 2: then 8 bytes of auth     |
// +---------------------------------------------------------------+
struct VrrpHeader {
    std::uint8_t version_type;
    std::uint8_t virtual_router_id;
    std::uint8_t priority;
    std::uint8_t count;
    net::Be16 interval;
    net::Be16 checksum;
};
static_assert(sizeof(VrrpHeader) == 8 && net::WireHeader<VrrpHeader>);

// RFC 9568 section 7.3: 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6.
constexpr net::MacAddress virtual_mac(net::Family family, std::uint8_t virtual_router_id) noexcept {
    const std::uint8_t kind = family == net::Family::V4 ? 1 : 2;
    return {{0x00, 0x00, 0x5e, 0x00, kind, virtual_router_id}};
}

// Bytes of an address in an advertisement.
constexpr std::size_t address_length(net::Family family) noexcept {
    return family == net::Family::V4 ? 4 : 16;
}

}  // namespace pollux::vrrp
