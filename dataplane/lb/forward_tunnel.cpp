// SPDX-License-Identifier: Apache-2.0

// Tunnelling (LVS: -i, tunneling): the packet goes unchanged but for its TTL inside another one to
// the server, which has the virtual address itself and answers the client directly.

#include <cstring>

#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"
#include "dataplane/lb/tunnel.h"
#include "dataplane/lb/tunnel_write.h"
#include "dataplane/net/ethernet.h"

namespace pollux::lb {
namespace {

// What the outer header takes from the packet, after the TTL was decremented. By reference: gcc
// would pack a returned structure of this size into two registers, field by field.
void read_inner(Burst& burst, const PacketContext& context, const TunnelTemplate& tunnel,
                OuterFields& outer) noexcept {
    bool dont_fragment = false;
    if (context.parsed.is_v6()) {
        const auto& ip = net::header_in<net::Ipv6Header>(context.ip());
        outer.inner_class = ip.traffic_class();
        outer.ttl = ip.hop_limit;
    } else {
        const auto& ip = net::header_in<net::Ipv4Header>(context.ip());
        outer.inner_class = ip.traffic_class;
        outer.ttl = ip.ttl;
        dont_fragment = ip.dont_fragment();
    }
    if (tunnel.outer_is_v6) return;
    if (dont_fragment && burst.snapshot.sysctl.pmtu_disc) {
        outer.flags = net::kIpv4DontFragment;
    } else {
        outer.identification = net::Be16::from_host(burst.worker.next_ip_id++);
    }
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

// Constant lengths are a few instructions, others a call into the C library: that of a frame
// without VLAN tags is worth a branch, and so is IPIP's header.
void move_link(std::uint8_t* to, const std::uint8_t* from, std::size_t length) noexcept {
    if (length == sizeof(net::EthernetHeader)) [[likely]] {
        std::memmove(to, from, sizeof(net::EthernetHeader));
    } else {
        std::memmove(to, from, length);
    }
}

void copy_header(std::uint8_t* to, const TunnelTemplate& tunnel) noexcept {
    if (tunnel.length == sizeof(net::Ipv4Header)) [[likely]] {
        std::memcpy(to, tunnel.header.data(), sizeof(net::Ipv4Header));
    } else {
        std::memcpy(to, tunnel.header.data(), tunnel.length);
    }
}

// Makes room in front of the IP header and moves the link header there, VLAN tags included.
std::uint8_t* push_outer(PacketContext& context, const TunnelTemplate& tunnel) noexcept {
    Packet& packet = *context.packet;
    const std::size_t link = context.parsed.l3_offset;
    move_link(packet.data - tunnel.length, packet.data, link);
    packet.data -= tunnel.length;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom - tunnel.length);
    packet.length += tunnel.length;
    packet.frame_length += tunnel.length;
    const net::Be16 type = tunnel.outer_is_v6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
    std::memcpy(packet.data + link - sizeof type, &type, sizeof type);
    std::uint8_t* const outer = packet.data + link;
    copy_header(outer, tunnel);
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
    OuterFields fields;
    read_inner(burst, context, tunnel, fields);
    fields.length = static_cast<std::uint16_t>(context.parsed.ip_length + tunnel.length);
    fields.hash = hash;
    trim_padding(context);
    fill_outer(tunnel, push_outer(context, tunnel), fields);
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
