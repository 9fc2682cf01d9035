// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/host.h"

#include "dataplane/net/header.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_protocol.h"

namespace pollux::lb {
namespace {

const net::Ipv4Address kVrrpGroupV4 = net::Ipv4Address::from_host(0xe0000012);  // RFC 9568 5.1.1.2
constexpr net::Ipv6Address kVrrpGroupV6{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};

bool is_vrrp_group(const net::IpAddress& address) noexcept {
    return address.is_v4() ? address.v4() == kVrrpGroupV4 : address.v6() == kVrrpGroupV6;
}

bool is_broadcast(const net::IpAddress& address) noexcept {
    return address.is_v4() && address.v4().wire() == 0xffffffffU;
}

bool is_neighbor_discovery(const PacketContext& context) noexcept {
    const net::ParsedPacket& parsed = context.parsed;
    return parsed.is_v6() && parsed.protocol == net::kProtocolIcmpv6 && !parsed.is_fragment() &&
           parsed.l4_length() >= net::kIcmpv6HeaderLength &&
           net::is_neighbor_discovery(net::header_in<net::Icmpv6Header>(context.l4()).type);
}

net::IpAddress destination_of(const PacketContext& context) noexcept {
    return context.parsed.destination(context.packet->data);
}

}  // namespace

PuntReason group_reason(const PacketContext& context) noexcept {
    if (context.parsed.kind == net::PacketKind::Arp) return PuntReason::Arp;
    if (context.parsed.protocol == net::kProtocolVrrp && is_vrrp_group(destination_of(context))) {
        return PuntReason::Vrrp;
    }
    return is_neighbor_discovery(context) ? PuntReason::NeighbourDiscovery : PuntReason::Multicast;
}

bool punt_control(Burst& burst, PacketContext& context) noexcept {
    if (context.parsed.kind == net::PacketKind::Arp) {
        punt(burst, context, PuntReason::Arp);
        return true;
    }
    if (is_neighbor_discovery(context)) {
        punt(burst, context, PuntReason::NeighbourDiscovery);
        return true;
    }
    if (context.parsed.protocol != net::kProtocolVrrp) return false;
    const net::IpAddress destination = destination_of(context);
    if (!is_vrrp_group(destination) && !burst.snapshot.owns(destination)) return false;
    punt(burst, context, PuntReason::Vrrp);
    return true;
}

void punt_to_host(Burst& burst, PacketContext& context) noexcept {
    const net::IpAddress destination = destination_of(context);
    PuntReason reason = PuntReason::Routed;
    if (burst.snapshot.owns(destination) || destination.is_link_local()) {
        reason = PuntReason::LocalAddress;
    } else if (destination.is_multicast() || is_broadcast(destination)) {
        reason = PuntReason::Multicast;
    }
    punt(burst, context, reason);
}

void refuse_stray(Burst& burst, PacketContext& context) noexcept {
    if (burst.snapshot.owns(destination_of(context))) {
        punt(burst, context, PuntReason::LocalAddress);
    } else {
        drop(burst, context, DropReason::NoConnection);
    }
}

}  // namespace pollux::lb
