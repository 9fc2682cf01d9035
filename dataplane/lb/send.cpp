// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/send.h"

#include "dataplane/lb/route_table.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"

namespace pollux::lb {
namespace {

// Whom the packet is addressed to now, by its outermost IP header.
net::IpAddress destination_of(const std::uint8_t* ip) noexcept {
    if (ip[0] >> 4U == 4) {
        return net::IpAddress::from_v4(net::header_in<net::Ipv4Header>(ip).destination);
    }
    return net::IpAddress::from_v6(net::header_in<net::Ipv6Header>(ip).destination);
}

net::IpAddress source_of(const std::uint8_t* ip) noexcept {
    if (ip[0] >> 4U == 4) {
        return net::IpAddress::from_v4(net::header_in<net::Ipv4Header>(ip).source);
    }
    return net::IpAddress::from_v6(net::header_in<net::Ipv6Header>(ip).source);
}

void use_virtual_mac(const SourceMacs& macs, PacketContext& context) noexcept {
    const Packet& packet = *context.packet;
    const net::MacAddress* const mac = macs.find(source_of(context.ip()), packet.port);
    if (mac != nullptr) net::header_in<net::EthernetHeader>(packet.data).source = *mac;
}

void name_next_hop(PacketContext& context, const NextHop& hop) noexcept {
    const bool on_link = hop.gateway.family == net::Family::None;
    context.packet->next_hop = on_link ? destination_of(context.ip()) : hop.gateway;
    context.packet->port = hop.port;
}

}  // namespace

void punt_unresolved(Burst& burst, PacketContext& context, const NextHop& hop) noexcept {
    name_next_hop(context, hop);
    punt(burst, context, PuntReason::Unresolved);
}

void use_virtual_macs(Burst& burst, const PacketList& list, Direction direction) noexcept {
    const SourceMacs& macs = burst.snapshot.source_macs;
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const Packet& packet = *context.packet;
        if (packet.verdict != Verdict::Transmit) continue;
        const Connection& connection = *context.connection;
        const SourceMacs::Source& source = direction == Direction::Reply
                                               ? macs.of_service(connection.service())
                                               : macs.of_local(connection.local_address());
        if (source.port == packet.port) {
            net::header_in<net::EthernetHeader>(packet.data).source = source.mac;
        } else if (source.port == SourceMacs::kByAddress) {
            use_virtual_mac(macs, context);
        }
    }
}

void originate(Burst& burst, PacketContext& context, const NextHop& hop) noexcept {
    Packet& packet = *context.packet;
    packet.originated = true;
    burst.worker.counters.originated.add(1);
    if (hop.resolved) {
        write_macs(packet.data, hop.macs);
        packet.port = hop.port;
        packet.verdict = Verdict::Transmit;
        if (!burst.snapshot.source_macs.empty()) {
            use_virtual_mac(burst.snapshot.source_macs, context);
        }
        return;
    }
    name_next_hop(context, hop);
    packet.verdict = Verdict::Punt;
    packet.punt_reason = PuntReason::Unresolved;
}

void send_without_mac(Burst& burst, PacketContext& context) noexcept {
    const NextHop* hop = burst.snapshot.routes->find(context.server->address);
    if (hop == nullptr) {
        drop(burst, context, DropReason::NoRoute);
        return;
    }
    punt_unresolved(burst, context, *hop);
}

}  // namespace pollux::lb
