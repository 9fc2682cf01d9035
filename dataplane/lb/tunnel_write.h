// SPDX-License-Identifier: Apache-2.0
#pragma once

// Completes outer headers of a tunnel: what a TunnelTemplate leaves open because it depends on the
// packet. For the workers and for probes of the control core. Pure; any thread.

#include <cstdint>
#include <cstring>

#include "dataplane/lb/tunnel.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/tunnel.h"
#include "dataplane/net/udp.h"

namespace pollux::lb {

struct OuterFields {
    std::uint8_t inner_class = 0;  // the packet's own DSCP and ECN
    std::uint8_t ttl = 0;          // of the outer header
    std::uint16_t length = 0;      // bytes from the outer IP header to the packet's end
    net::Be16 flags{};             // IPv4: "don't fragment" or nothing
    net::Be16 identification{};    // IPv4
    std::uint64_t hash = 0;        // of the flow: spreads GUE and spread_source
};

namespace detail {

// RFC 6040 section 4.1, as the kernel does it: congestion experienced stays inside, outside the
// packet is only capable of it.
constexpr std::uint8_t outer_class(std::uint8_t inner) noexcept {
    constexpr std::uint8_t kEcnMask = 3;
    return (inner & kEcnMask) == kEcnMask ? static_cast<std::uint8_t>(inner & ~1U) : inner;
}

[[gnu::always_inline]] inline void fill_outer_v4(const TunnelTemplate& tunnel, std::uint8_t* outer,
                                                 const OuterFields& fields) noexcept {
    auto& ip = net::header_in<net::Ipv4Header>(outer);
    ip.traffic_class = outer_class(fields.inner_class);
    ip.total_length = net::Be16::from_host(fields.length);
    ip.ttl = fields.ttl;
    ip.flags_and_offset = fields.flags;
    ip.identification = fields.identification;
    // TOS and TTL are the low and high halves of words whose other halves are in the sum already.
    const std::uint64_t sum = std::uint64_t{tunnel.sum} + (std::uint64_t{ip.traffic_class} << 8U) +
                              ip.total_length.wire() + ip.identification.wire() +
                              ip.flags_and_offset.wire() + ip.ttl;
    ip.checksum = net::Be16::from_wire(static_cast<std::uint16_t>(~net::fold_checksum(sum)));
}

inline void fill_outer_v6(std::uint8_t* outer, const OuterFields& fields) noexcept {
    auto& ip = net::header_in<net::Ipv6Header>(outer);
    ip.set_class_and_flow(outer_class(fields.inner_class), 0);
    ip.payload_length =
        net::Be16::from_host(static_cast<std::uint16_t>(fields.length - sizeof(net::Ipv6Header)));
    ip.hop_limit = fields.ttl;
}

// Spreads flows over the receive queues of the server and over the paths to it: the low half of
// the outer source varies with the flow.
inline void spread_source(const TunnelTemplate& tunnel, std::uint8_t* outer,
                          std::uint64_t hash) noexcept {
    const std::uint16_t low = static_cast<std::uint16_t>(hash >> 16U);
    if (tunnel.outer_is_v6) {
        std::memcpy(&net::header_in<net::Ipv6Header>(outer).source.bytes[14], &low, sizeof low);
        return;
    }
    auto& ip = net::header_in<net::Ipv4Header>(outer);
    const net::Ipv4Address before = ip.source;
    const std::uint32_t after = (before.wire() & 0xffffU) | (std::uint32_t{low} << 16U);
    ip.source = net::Ipv4Address::from_wire(after);
    ip.checksum = net::checksum_replace(ip.checksum, before, ip.source);
}

inline void fill_gue(const TunnelTemplate& tunnel, std::uint8_t* outer, std::uint16_t length,
                     std::uint64_t hash) noexcept {
    const std::size_t at = tunnel.outer_is_v6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header);
    const auto udp_length = static_cast<std::uint16_t>(length - at);
    auto& udp = net::header_in<net::UdpHeader>(outer + at);
    udp.source_port = net::Be16::from_host(static_cast<std::uint16_t>(0x8000U | (hash & 0x7fffU)));
    udp.length = net::Be16::from_host(udp_length);
    if (!tunnel.checksum) return;
    net::ChecksumSum sum;
    if (tunnel.outer_is_v6) {
        const auto& ip = net::header_in<net::Ipv6Header>(outer);
        sum.add_pseudo_header(net::IpAddress::from_v6(ip.source),
                              net::IpAddress::from_v6(ip.destination), net::kProtocolUdp,
                              udp_length);
    } else {
        const auto& ip = net::header_in<net::Ipv4Header>(outer);
        sum.add_pseudo_header(net::IpAddress::from_v4(ip.source),
                              net::IpAddress::from_v4(ip.destination), net::kProtocolUdp,
                              udp_length);
    }
    sum.add({outer + at, udp_length});
    udp.checksum = net::udp_nonzero(sum.finish());
}

inline void fill_gre(const TunnelTemplate& tunnel, std::uint8_t* outer,
                     std::uint16_t length) noexcept {
    if (!tunnel.checksum) return;
    const std::size_t at = tunnel.outer_is_v6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header);
    auto& word = net::header_in<net::GreChecksum>(outer + at + sizeof(net::GreHeader));
    word.checksum = net::internet_checksum({outer + at, length - at});
}

}  // namespace detail

// Precondition: `outer` holds the template's header, and right behind it fields.length -
// tunnel.length bytes of the packet (contiguous where the template asks for a checksum).
[[gnu::always_inline]] inline void fill_outer(const TunnelTemplate& tunnel, std::uint8_t* outer,
                                              const OuterFields& fields) noexcept {
    if (tunnel.outer_is_v6) {
        detail::fill_outer_v6(outer, fields);
    } else {
        detail::fill_outer_v4(tunnel, outer, fields);
    }
    if (tunnel.kind == TunnelKind::Gue) {
        detail::fill_gue(tunnel, outer, fields.length, fields.hash);
    } else if (tunnel.spread_source) {
        detail::spread_source(tunnel, outer, fields.hash);
    }
    if (tunnel.kind == TunnelKind::Gre) detail::fill_gre(tunnel, outer, fields.length);
}

}  // namespace pollux::lb
