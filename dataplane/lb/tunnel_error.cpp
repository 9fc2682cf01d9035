// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/tunnel_error.h"

#include <cstring>
#include <optional>

#include "dataplane/lb/answer.h"
#include "dataplane/lb/path_mtu.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/parse.h"
#include "dataplane/net/tunnel.h"
#include "dataplane/net/udp.h"

namespace pollux::lb {
namespace {

// What stands behind the quoted outer header.
struct Inside {
    TunnelKind kind = TunnelKind::Ipip;
    bool is_v4 = false;
    std::size_t offset = 0;  // of the inner IP header, from the frame's first byte
};

std::optional<Inside> inside_ip(std::uint8_t protocol, Inside inside) noexcept {
    if (protocol != net::kProtocolIpip && protocol != net::kProtocolIpv6) return std::nullopt;
    inside.is_v4 = protocol == net::kProtocolIpip;
    return inside;
}

std::optional<Inside> inside_gue(const std::uint8_t* l4, const net::QuotedPacket& quoted) noexcept {
    constexpr std::size_t kHeaders = sizeof(net::UdpHeader) + sizeof(net::GueHeader);
    if (quoted.l4_available < kHeaders) return std::nullopt;
    const auto& gue = net::header_in<net::GueHeader>(l4 + sizeof(net::UdpHeader));
    if (gue.version_and_length != 0) return std::nullopt;  // not as we send it
    return inside_ip(gue.protocol, {TunnelKind::Gue, false, quoted.l4_offset + kHeaders});
}

std::optional<Inside> inside_gre(const std::uint8_t* l4, const net::QuotedPacket& quoted) noexcept {
    if (quoted.l4_available < sizeof(net::GreHeader)) return std::nullopt;
    const auto& gre = net::header_in<net::GreHeader>(l4);
    const bool v4 = gre.protocol == net::kEtherTypeIpv4;
    if (!v4 && gre.protocol != net::kEtherTypeIpv6) return std::nullopt;
    const bool checked = gre.flags == net::kGreChecksumPresent;
    const std::size_t length =
        sizeof(net::GreHeader) + (checked ? sizeof(net::GreChecksum) : std::size_t{0});
    return Inside{TunnelKind::Gre, v4, quoted.l4_offset + length};
}

std::optional<Inside> find_inside(const PacketContext& context,
                                  const net::QuotedPacket& quoted) noexcept {
    if (quoted.fragment_offset != 0) return std::nullopt;
    const std::uint8_t* const l4 = context.packet->data + quoted.l4_offset;
    if (quoted.protocol == net::kProtocolUdp) return inside_gue(l4, quoted);
    if (quoted.protocol == net::kProtocolGre) return inside_gre(l4, quoted);
    return inside_ip(quoted.protocol, {TunnelKind::Ipip, false, quoted.l4_offset});
}

// The inner packet as far as it is quoted, its ports included.
std::optional<net::QuotedPacket> parse_inner(const PacketContext& context,
                                             const Inside& inside) noexcept {
    const Packet& packet = *context.packet;
    net::ParsedPacket carrier = context.parsed;
    carrier.kind = inside.is_v4 ? net::PacketKind::Ipv4 : net::PacketKind::Ipv6;
    carrier.payload_offset = static_cast<std::uint16_t>(inside.offset);
    net::QuotedPacket inner;
    const net::ParseError error = net::parse_quoted(
        {{packet.data, packet.length}, packet.frame_length, packet.offload}, carrier, inner);
    if (error != net::ParseError::None || !inner.has_ports()) return std::nullopt;
    return inner;
}

// The connection that sent it, through the very tunnel that is quoted.
bool find_sender(Burst& burst, PacketContext& context, const net::QuotedPacket& quoted,
                 const Inside& inside, const net::QuotedPacket& inner) noexcept {
    const std::uint8_t* const frame = context.packet->data;
    const FlowKey key =
        FlowKey::make(inner.source(frame), inner.source_port, inner.destination(frame),
                      inner.destination_port, static_cast<Protocol>(inner.protocol));
    const FoundConnection found = burst.table.find(key, burst.tick);
    if (!found || found.direction != Direction::Forward) return false;
    const Connection& connection = burst.table.connection(found.index);
    const RealServer* server = burst.snapshot.find_server(connection.server());
    if (connection.state().method() != ForwardingMethod::Tunnel || server == nullptr) return false;
    if (server->address != quoted.destination(frame)) return false;
    if (burst.snapshot.tunnel(connection.server()).kind != inside.kind) return false;
    context.connection = &burst.table.connection(found.index);
    context.server = server;
    return true;
}

// The same news about the inner packet. Where the families differ, RFC 7915 section 4.2 and 5.2
// are the guide. Nullopt: no news for a client.
std::optional<TunnelNews> news_of(const PacketContext& context) noexcept {
    if (context.parsed.is_v4()) {
        const auto& icmp = net::header_in<net::IcmpHeader>(context.l4());
        if (icmp.type == net::kIcmpSourceQuench) {
            return TunnelNews{icmp.type, icmp.code, net::kIcmpv6DestinationUnreachable,
                              net::kIcmpv6AddressUnreachable};
        }
        if (icmp.type == net::kIcmpTimeExceeded) {
            return TunnelNews{icmp.type, icmp.code, net::kIcmpv6TimeExceeded, icmp.code};
        }
        if (icmp.type != net::kIcmpDestinationUnreachable) return std::nullopt;
        if (icmp.code == net::kIcmpFragmentationNeeded) {
            return TunnelNews::too_big(icmp.sequence_or_mtu.host());
        }
        return TunnelNews{icmp.type, icmp.code, net::kIcmpv6DestinationUnreachable,
                          net::kIcmpv6AddressUnreachable};
    }
    const auto& icmp = net::header_in<net::Icmpv6Header>(context.l4());
    if (icmp.type == net::kIcmpv6TimeExceeded) {
        return TunnelNews{net::kIcmpTimeExceeded, icmp.code, icmp.type, icmp.code};
    }
    if (icmp.type == net::kIcmpv6PacketTooBig) {
        return TunnelNews::too_big(
            static_cast<std::uint16_t>(std::min<std::uint32_t>(icmp.body.host(), 0xffff)));
    }
    if (icmp.type != net::kIcmpv6DestinationUnreachable) return std::nullopt;
    return TunnelNews{net::kIcmpDestinationUnreachable, net::kIcmpHostUnreachable, icmp.type,
                      icmp.code};
}

// Takes everything in front of the inner packet away but for the link header.
void strip_to_inner(PacketContext& context, const net::QuotedPacket& inner) noexcept {
    Packet& packet = *context.packet;
    const std::size_t link = context.parsed.l3_offset;
    const std::size_t end = std::min<std::size_t>(link + context.parsed.ip_length, packet.length);
    const std::size_t cut = inner.l3_offset - link;
    std::memmove(packet.data + cut, packet.data, link);
    packet.data += cut;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom + cut);
    packet.tailroom = static_cast<std::uint16_t>(packet.tailroom + (packet.length - end));
    packet.length = static_cast<std::uint32_t>(end - cut);
    packet.frame_length = packet.length;
    const net::Be16 type = inner.is_v6() ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
    std::memcpy(packet.data + link - sizeof type, &type, sizeof type);
    net::ParsedPacket parsed;
    parsed.kind = inner.kind;
    parsed.l3_offset = static_cast<std::uint16_t>(link);
    parsed.ip_length = static_cast<std::uint16_t>(packet.length - link);
    context.parsed = parsed;
}

// The client's packets are cut only by itself: without DF we fragment, and it need not know.
bool client_must_know(const PacketContext& context, const net::QuotedPacket& inner) noexcept {
    return inner.is_v6() || inner.ipv4(context.packet->data).dont_fragment();
}

// As the kernel does it: news about a path of which nothing was known are told as what was known
// before, the link's MTU; the packet that comes next gets the new figure.
std::uint16_t mtu_to_tell(const Burst& burst, const PacketContext& context,
                          const TunnelTemplate& tunnel, std::uint16_t mtu) noexcept {
    const auto known = static_cast<std::uint16_t>(context.server->mtu + tunnel.length);
    const NextHop* hop = burst.snapshot.routes->find(context.server->address);
    if (hop == nullptr || known == hop->mtu) return context.server->mtu;
    return static_cast<std::uint16_t>(lowered_path_mtu(known, mtu, tunnel.outer_is_v6) -
                                      tunnel.length);
}

}  // namespace

bool relate_tunnel_error(Burst& burst, unsigned at, const net::QuotedPacket& quoted) noexcept {
    PacketContext& context = burst.packet(at);
    const auto inside = find_inside(context, quoted);
    if (!inside) return false;
    const auto inner = parse_inner(context, *inside);
    if (!inner || !find_sender(burst, context, quoted, *inside, *inner)) return false;
    // The parser has verified the checksum of a whole error.
    auto news = context.parsed.is_fragment() ? std::nullopt : news_of(context);
    if (!news) {
        drop(burst, context, DropReason::TunnelError);
        return true;
    }
    if (news->is_too_big) {
        const RealServerId id = context.connection->server();
        const TunnelTemplate& tunnel = burst.snapshot.tunnel(id);
        burst.worker.shared.path_mtu_reports.report(id, news->mtu);
        news->mtu = mtu_to_tell(burst, context, tunnel, news->mtu);
        if (!client_must_know(context, *inner)) {
            drop(burst, context, DropReason::TunnelError);
            return true;
        }
    }
    strip_to_inner(context, *inner);
    answer_tunnel_error(burst, context, *news);
    return true;
}

}  // namespace pollux::lb
