// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last stage: a rewritten packet gets its MAC addresses, its port and its verdict, and is
// counted for its real server. Internal to the forwarding methods.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/rewrite.h"

namespace pollux::lb {

// A whole packet but for the MAC addresses: the control core has the next hop resolved and sends
// it (PuntReason::Unresolved).
void punt_unresolved(Burst& burst, PacketContext& context, const NextHop& hop) noexcept;

// Packets that leave from an address with a virtual MAC get it as their source, replies by their
// service, those to FullNAT servers by their local address. Those that wait for their next hop get
// it from the control core.
void use_virtual_macs(Burst& burst, const PacketList& list, Direction direction) noexcept;

// Sends a frame of our own making, already built in place of `context`'s packet.
void originate(Burst& burst, PacketContext& context, const NextHop& hop) noexcept;

// The route to the server has no MAC yet, or has vanished.
void send_without_mac(Burst& burst, PacketContext& context) noexcept;

inline void count_in(Burst& burst, const PacketContext& context) noexcept {
    TrafficCounters& traffic = burst.worker.traffic[index(context.connection->server())];
    traffic.packets_in.add(1);
    traffic.bytes_in.add(context.parsed.ip_length);
}

inline void count_out(Burst& burst, const PacketContext& context) noexcept {
    TrafficCounters& traffic = burst.worker.traffic[index(context.connection->server())];
    traffic.packets_out.add(1);
    traffic.bytes_out.add(context.parsed.ip_length);
}

// Precondition: context.server is set and the packet starts with an Ethernet header.
inline void send_to_server(Burst& burst, PacketContext& context) noexcept {
    count_in(burst, context);
    const RealServer& server = *context.server;
    if (!server.resolved) [[unlikely]] {
        send_without_mac(burst, context);
        return;
    }
    Packet& packet = *context.packet;
    write_macs(packet.data, server.macs);
    packet.port = server.egress;
    packet.verdict = Verdict::Transmit;
    ++burst.sent;
}

// Precondition: context.hop is set and the packet starts with an Ethernet header.
inline void send_to_client(Burst& burst, PacketContext& context) noexcept {
    count_out(burst, context);
    const NextHop& hop = *context.hop;
    if (!hop.resolved) [[unlikely]] {
        punt_unresolved(burst, context, hop);
        return;
    }
    Packet& packet = *context.packet;
    write_macs(packet.data, hop.macs);
    packet.port = hop.port;
    packet.verdict = Verdict::Transmit;
    ++burst.sent;
}

}  // namespace pollux::lb
