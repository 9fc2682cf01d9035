// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ethernet II frames with VLAN tags (IEEE 802.3 clause 3, 802.1Q clause 9). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::net {

inline constexpr Be16 kEtherTypeIpv4 = Be16::from_host(0x0800);  // RFC 894
inline constexpr Be16 kEtherTypeArp = Be16::from_host(0x0806);   // RFC 826
inline constexpr Be16 kEtherTypeVlan = Be16::from_host(0x8100);  // IEEE 802.1Q, customer tag
inline constexpr Be16 kEtherTypeIpv6 = Be16::from_host(0x86dd);  // RFC 2464
inline constexpr Be16 kEtherTypeQinQ = Be16::from_host(0x88a8);  // IEEE 802.1ad, service tag

// Without the frame check sequence, which the NIC adds and removes.
inline constexpr std::size_t kMinFrameLength = 60;
inline constexpr unsigned kMaxVlanTags = 2;

//  0                   1
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3   (bytes)
// +-----------+-----------+---+
// |destination|  source   |typ|
// +-----------+-----------+---+
struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    Be16 ether_type;
};
static_assert(sizeof(EthernetHeader) == 14 && WireHeader<EthernetHeader>);

// What follows a tag protocol identifier (0x8100, 0x88a8).
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-----+-+-----------------------+-------------------------------+
// | PCP |D|        VLAN id        |     type of what follows      |
// +-----+-+-----------------------+-------------------------------+
struct VlanTag {
    Be16 control;
    Be16 ether_type;

    // 0 is a priority tag: the frame belongs to no VLAN.
    [[nodiscard]] constexpr std::uint16_t vlan_id() const noexcept {
        return control.host() & 0xfffU;
    }
    [[nodiscard]] constexpr std::uint8_t priority() const noexcept {
        return static_cast<std::uint8_t>(control.host() >> 13U);
    }
};
static_assert(sizeof(VlanTag) == 4 && WireHeader<VlanTag>);

constexpr bool is_vlan_ether_type(Be16 ether_type) noexcept {
    return ether_type == kEtherTypeVlan || ether_type == kEtherTypeQinQ;
}

// RFC 1112 section 6.4: the low 23 bits of the group. Precondition: `group` is multicast.
constexpr MacAddress multicast_mac(Ipv4Address group) noexcept {
    const std::uint32_t host = group.host();
    return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>((host >> 16U) & 0x7fU),
             static_cast<std::uint8_t>(host >> 8U), static_cast<std::uint8_t>(host)}};
}

// RFC 2464 section 7: the low 32 bits of the group. Precondition: `group` is multicast.
constexpr MacAddress multicast_mac(const Ipv6Address& group) noexcept {
    return {{0x33, 0x33, group.bytes[12], group.bytes[13], group.bytes[14], group.bytes[15]}};
}

}  // namespace pollux::net
