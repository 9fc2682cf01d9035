// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `parse` finds out about a frame: where its headers are and what the data plane asks of them.
// Offsets count from the first byte of the frame. Plain values; any thread.

#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/header.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/tcp.h"
#include "dataplane/net/udp.h"

namespace pollux::net {

enum class PacketKind : std::uint8_t { None = 0, Arp = 1, Ipv4 = 4, Ipv6 = 6 };

struct ParsedPacket {
    // Bits of `flags`.
    static constexpr std::uint8_t kHasPorts = 1U << 0;    // whole TCP, UDP or SCTP header is here
    static constexpr std::uint8_t kHasOptions = 1U << 1;  // IPv4 options, IPv6 extension headers
    static constexpr std::uint8_t kFragment = 1U << 2;    // part of a datagram
    static constexpr std::uint8_t kMoreFragments = 1U << 3;  // not its last part
    static constexpr std::uint8_t kIcmpError = 1U << 4;      // quotes a packet at payload_offset

    std::uint16_t l3_offset = 0;  // length of Ethernet header and VLAN tags
    std::uint16_t l4_offset = 0;  // behind IP options and extension headers
    std::uint32_t ip_length = 0;  // IP header to end of packet; the frame may be padded
    Be16 source_port{};           // 0 without kHasPorts
    Be16 destination_port{};
    std::uint8_t protocol = 0;  // of the upper layer, ip_protocol.h
    PacketKind kind = PacketKind::None;
    std::uint8_t tcp_flags = 0;  // 0 when not TCP
    std::uint8_t ttl = 0;        // TTL or hop limit
    std::uint8_t flags = 0;
    std::uint8_t vlan_count = 0;                    // 0..kMaxVlanTags
    std::array<Be16, kMaxVlanTags> vlan_control{};  // outermost first, as VlanTag::control
    std::uint16_t fragment_offset = 0;              // bytes
    std::uint32_t fragment_id = 0;                  // host order; IPv4: 16 bits
    std::uint16_t payload_offset = 0;  // behind the L4 header; l4_offset where that is unknown

    [[nodiscard]] constexpr bool is_v4() const noexcept { return kind == PacketKind::Ipv4; }
    [[nodiscard]] constexpr bool is_v6() const noexcept { return kind == PacketKind::Ipv6; }
    [[nodiscard]] constexpr bool has_ports() const noexcept { return (flags & kHasPorts) != 0; }
    [[nodiscard]] constexpr bool has_options() const noexcept { return (flags & kHasOptions) != 0; }
    [[nodiscard]] constexpr bool is_fragment() const noexcept { return (flags & kFragment) != 0; }
    [[nodiscard]] constexpr bool more_fragments() const noexcept {
        return (flags & kMoreFragments) != 0;
    }
    // A fragment that carries no L4 header.
    [[nodiscard]] constexpr bool is_later_fragment() const noexcept {
        return is_fragment() && fragment_offset != 0;
    }
    [[nodiscard]] constexpr bool is_icmp_error() const noexcept {
        return (flags & kIcmpError) != 0;
    }
    // Of the packet behind its IP header, options and extension headers.
    [[nodiscard]] constexpr std::uint32_t l4_length() const noexcept {
        return l3_offset + ip_length - l4_offset;
    }

    // The headers within `frame`, the data that was parsed. Preconditions: is_v4(), is_v6(),
    // has_ports() with that protocol.
    template <typename Byte>
    [[nodiscard]] auto& ipv4(Byte* frame) const noexcept {
        return header_in<Ipv4Header>(frame + l3_offset);
    }
    template <typename Byte>
    [[nodiscard]] auto& ipv6(Byte* frame) const noexcept {
        return header_in<Ipv6Header>(frame + l3_offset);
    }
    template <typename Byte>
    [[nodiscard]] auto& tcp(Byte* frame) const noexcept {
        return header_in<TcpHeader>(frame + l4_offset);
    }
    template <typename Byte>
    [[nodiscard]] auto& udp(Byte* frame) const noexcept {
        return header_in<UdpHeader>(frame + l4_offset);
    }
    // For the slow paths. Precondition: is_v4() or is_v6().
    [[nodiscard]] IpAddress source(const std::uint8_t* frame) const noexcept {
        return is_v4() ? IpAddress::from_v4(ipv4(frame).source)
                       : IpAddress::from_v6(ipv6(frame).source);
    }
    [[nodiscard]] IpAddress destination(const std::uint8_t* frame) const noexcept {
        return is_v4() ? IpAddress::from_v4(ipv4(frame).destination)
                       : IpAddress::from_v6(ipv6(frame).destination);
    }

    friend bool operator==(const ParsedPacket&, const ParsedPacket&) noexcept = default;
};
static_assert(sizeof(ParsedPacket) == 32 && std::is_trivially_copyable_v<ParsedPacket>);

// The packet that an ICMP error quotes: a real packet's beginning, possibly cut off after 8 bytes
// of its L4 header. Offsets count from the first byte of the frame that carries the error.
struct QuotedPacket {
    std::uint16_t l3_offset = 0;
    std::uint16_t l4_offset = 0;
    std::uint16_t l4_available = 0;  // bytes from l4_offset that are quoted and contiguous
    Be16 source_port{};              // 0 without kHasPorts
    Be16 destination_port{};
    std::uint8_t protocol = 0;
    PacketKind kind = PacketKind::None;
    std::uint8_t flags = 0;             // ParsedPacket::kHasPorts, kHasOptions, kFragment, ...
    std::uint16_t fragment_offset = 0;  // bytes

    [[nodiscard]] constexpr bool is_v4() const noexcept { return kind == PacketKind::Ipv4; }
    [[nodiscard]] constexpr bool is_v6() const noexcept { return kind == PacketKind::Ipv6; }
    // The first 8 bytes of a TCP, UDP or SCTP header are there.
    [[nodiscard]] constexpr bool has_ports() const noexcept {
        return (flags & ParsedPacket::kHasPorts) != 0;
    }
    [[nodiscard]] constexpr bool is_fragment() const noexcept {
        return (flags & ParsedPacket::kFragment) != 0;
    }

    // Preconditions as for ParsedPacket.
    template <typename Byte>
    [[nodiscard]] auto& ipv4(Byte* frame) const noexcept {
        return header_in<Ipv4Header>(frame + l3_offset);
    }
    template <typename Byte>
    [[nodiscard]] auto& ipv6(Byte* frame) const noexcept {
        return header_in<Ipv6Header>(frame + l3_offset);
    }
    [[nodiscard]] IpAddress source(const std::uint8_t* frame) const noexcept {
        return is_v4() ? IpAddress::from_v4(ipv4(frame).source)
                       : IpAddress::from_v6(ipv6(frame).source);
    }
    [[nodiscard]] IpAddress destination(const std::uint8_t* frame) const noexcept {
        return is_v4() ? IpAddress::from_v4(ipv4(frame).destination)
                       : IpAddress::from_v6(ipv6(frame).destination);
    }

    friend bool operator==(const QuotedPacket&, const QuotedPacket&) noexcept = default;
};
static_assert(std::is_trivially_copyable_v<QuotedPacket>);

}  // namespace pollux::net
