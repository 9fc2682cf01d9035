// SPDX-License-Identifier: Apache-2.0

// Tunnelling (LVS: -i, tunneling): the packet goes unchanged but for its TTL inside another one to
// the server, which has the virtual address itself and answers the client directly.

#include <cstring>

#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"
#include "dataplane/lb/tunnel.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/tunnel.h"

namespace pollux::lb {
namespace {

// What the outer header takes from the inner one, after the TTL was decremented.
struct InnerFields {
    std::uint8_t traffic_class = 0;
    std::uint8_t ttl = 0;
    bool dont_fragment = false;
};

InnerFields inner_fields(const PacketContext& context) noexcept {
    if (context.parsed.is_v6()) {
        const auto& ip = net::header_in<net::Ipv6Header>(context.ip());
        return {ip.traffic_class(), ip.hop_limit, false};
    }
    const auto& ip = net::header_in<net::Ipv4Header>(context.ip());
    return {ip.traffic_class, ip.ttl, ip.dont_fragment()};
}

// RFC 6040 section 4.1, as the kernel does it: congestion experienced stays inside, outside the
// packet is only capable of it.
constexpr std::uint8_t outer_class(std::uint8_t inner) noexcept {
    constexpr std::uint8_t kEcnMask = 3;
    return (inner & kEcnMask) == kEcnMask ? static_cast<std::uint8_t>(inner & ~1U) : inner;
}

void fill_outer_v4(Burst& burst, const TunnelTemplate& tunnel, std::uint8_t* outer,
                   const InnerFields& inner, std::uint16_t length) noexcept {
    auto& ip = net::header_in<net::Ipv4Header>(outer);
    ip.traffic_class = outer_class(inner.traffic_class);
    ip.total_length = net::Be16::from_host(length);
    ip.ttl = inner.ttl;
    if (inner.dont_fragment && burst.snapshot.sysctl.pmtu_disc) {
        ip.flags_and_offset = net::kIpv4DontFragment;
    } else {
        ip.identification = net::Be16::from_host(burst.worker.next_ip_id++);
    }
    // TOS and TTL are the low and high halves of words whose other halves are in the sum already.
    const std::uint64_t sum = std::uint64_t{tunnel.sum} + (std::uint64_t{ip.traffic_class} << 8U) +
                              ip.total_length.wire() + ip.identification.wire() +
                              ip.flags_and_offset.wire() + ip.ttl;
    ip.checksum = net::Be16::from_wire(static_cast<std::uint16_t>(~net::fold_checksum(sum)));
}

void fill_outer_v6(std::uint8_t* outer, const InnerFields& inner, std::uint16_t length) noexcept {
    auto& ip = net::header_in<net::Ipv6Header>(outer);
    ip.set_class_and_flow(outer_class(inner.traffic_class), 0);
    ip.payload_length =
        net::Be16::from_host(static_cast<std::uint16_t>(length - sizeof(net::Ipv6Header)));
    ip.hop_limit = inner.ttl;
}

// Spreads flows over the receive queues of the server and over the paths to it: the low half of
// the outer source varies with the flow.
void spread_source(const TunnelTemplate& tunnel, std::uint8_t* outer, std::uint64_t hash) noexcept {
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

void fill_gue(const TunnelTemplate& tunnel, std::uint8_t* outer, std::uint16_t length,
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

void fill_gre(const TunnelTemplate& tunnel, std::uint8_t* outer, std::uint16_t length) noexcept {
    if (!tunnel.checksum) return;
    const std::size_t at = tunnel.outer_is_v6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header);
    auto& word = net::header_in<net::GreChecksum>(outer + at + sizeof(net::GreHeader));
    word.checksum = net::internet_checksum({outer + at, length - at});
}

// Link padding behind a short packet would end up inside the tunnel's frame.
void trim_padding(PacketContext& context) noexcept {
    Packet& packet = *context.packet;
    const std::uint32_t wanted = context.parsed.l3_offset + context.parsed.ip_length;
    if (packet.length != packet.frame_length || packet.length <= wanted) return;
    packet.tailroom = static_cast<std::uint16_t>(packet.tailroom + (packet.length - wanted));
    packet.length = wanted;
    packet.frame_length = wanted;
}

// Makes room in front of the IP header and moves the link header there, VLAN tags included.
std::uint8_t* push_outer(PacketContext& context, const TunnelTemplate& tunnel) noexcept {
    Packet& packet = *context.packet;
    const std::size_t link = context.parsed.l3_offset;
    std::memmove(packet.data - tunnel.length, packet.data, link);
    packet.data -= tunnel.length;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom - tunnel.length);
    packet.length += tunnel.length;
    packet.frame_length += tunnel.length;
    const net::Be16 type = tunnel.outer_is_v6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
    std::memcpy(packet.data + link - sizeof type, &type, sizeof type);
    std::uint8_t* const outer = packet.data + link;
    std::memcpy(outer, tunnel.header.data(), tunnel.length);
    return outer;
}

bool encapsulate(Burst& burst, PacketContext& context, const TunnelTemplate& tunnel,
                 std::uint64_t hash) noexcept {
    Packet& packet = *context.packet;
    if (tunnel.length == 0) {
        drop(burst, context, DropReason::NoRoute);
        return false;
    }
    if (packet.headroom < tunnel.length) {
        drop(burst, context, DropReason::NoHeadroom);
        return false;
    }
    if (tunnel.checksum && packet.length - context.parsed.l3_offset < context.parsed.ip_length) {
        drop(burst, context, DropReason::MultiSegment);
        return false;
    }
    decrement_ttl(context);
    const InnerFields inner = inner_fields(context);
    const auto length = static_cast<std::uint16_t>(context.parsed.ip_length + tunnel.length);
    trim_padding(context);
    std::uint8_t* const outer = push_outer(context, tunnel);
    if (tunnel.outer_is_v6) {
        fill_outer_v6(outer, inner, length);
    } else {
        fill_outer_v4(burst, tunnel, outer, inner, length);
    }
    if (tunnel.kind == TunnelKind::Gue) {
        fill_gue(tunnel, outer, length, hash);
    } else if (tunnel.spread_source) {
        spread_source(tunnel, outer, hash);
    }
    if (tunnel.kind == TunnelKind::Gre) fill_gre(tunnel, outer, length);
    return true;
}

}  // namespace

void forward_tunnel(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const TunnelTemplate& tunnel = burst.snapshot.tunnel(context.connection->server());
        if (!encapsulate(burst, context, tunnel, burst.packet(at).lookup.hash)) continue;
        send_to_server(burst, context);
    }
}

}  // namespace pollux::lb
