// SPDX-License-Identifier: Apache-2.0
#pragma once

// ARP for IPv4 over Ethernet (RFC 826). Pure values.

#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::net {

inline constexpr Be16 kArpHardwareEthernet = Be16::from_host(1);
inline constexpr Be16 kArpProtocolIpv4 = Be16::from_host(0x0800);
inline constexpr Be16 kArpRequest = Be16::from_host(1);
inline constexpr Be16 kArpReply = Be16::from_host(2);

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------------------------------+-------------------------------+
// |         hardware type         |         protocol type         |
// +---------------+---------------+-------------------------------+
// | hw length (6) |pr. length (4) |           operation           |
// +---------------+---------------+-------------------------------+
// |                          sender MAC                           |
// +                               +-------------------------------+
// |                               |        sender address         |
// +-------------------------------+-------------------------------+
// |    sender address (rest)      |                               |
// +-------------------------------+          target MAC           +
// |                                                               |
// +---------------------------------------------------------------+
// |                        target address                         |
// +---------------------------------------------------------------+
struct ArpPacket {
    Be16 hardware_type;
    Be16 protocol_type;
    std::uint8_t hardware_length;
    std::uint8_t protocol_length;
    Be16 operation;
    MacAddress sender_mac;
    Ipv4Address sender_address;
    MacAddress target_mac;
    Ipv4Address target_address;

    // Whether this is about IPv4 over Ethernet at all; the other fields mean nothing otherwise.
    [[nodiscard]] constexpr bool is_ipv4_over_ethernet() const noexcept {
        return hardware_type == kArpHardwareEthernet && protocol_type == kArpProtocolIpv4 &&
               hardware_length == sizeof(MacAddress) && protocol_length == sizeof(Ipv4Address);
    }
    // Announces the sender's own address (RFC 5227 section 1.1, gratuitous ARP).
    [[nodiscard]] constexpr bool is_announcement() const noexcept {
        return sender_address == target_address;
    }
};
static_assert(sizeof(ArpPacket) == 28 && WireHeader<ArpPacket>);

}  // namespace pollux::net
