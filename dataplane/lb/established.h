// SPDX-License-Identifier: Apache-2.0
#pragma once

// The packet of a known connection whose state it does not change, which is nearly every packet: a
// straight line from the candidate record to the list of its forwarding method. Whatever is not as
// usual is left, untouched, to take_packet and the general way. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Whether tracking would leave the state word as it is, but for the count of packets.
inline bool changes_nothing(const Burst& burst, const PacketContext& context,
                            const Connection& connection, ConnectionState state,
                            Direction direction) noexcept {
    const auto have = static_cast<std::uint32_t>(state.word());
    const ExpectedStates& expected = burst.snapshot.expected_states;
    if (context.parsed.protocol == net::kProtocolTcp) [[likely]] {
        const PacketOrigin origin = direction == Direction::Reply         ? PacketOrigin::Server
                                    : state.has(ConnectionFlag::NoOutput) ? PacketOrigin::ClientOnly
                                                                          : PacketOrigin::Client;
        return have == ExpectedStates::of(expected.tcp(burst.defence.secure_tcp), origin,
                                          context.parsed.tcp_flags, state.protocol_state());
    }
    // A server's first datagram assures the template, if there is one.
    return context.parsed.protocol == net::kProtocolUdp && have == expected.udp() &&
           (direction == Direction::Forward || connection.persistence() == kNoTemplate);
}

// Room on the link for the packet, and hops left: else it is answered or cut to pieces.
inline bool fits(const PacketContext& context, std::uint16_t mtu) noexcept {
    return context.parsed.ttl > 1 && context.parsed.ip_length <= mtu;
}

[[gnu::always_inline]] inline bool pass_to_client(Burst& burst, unsigned at, PacketContext& context,
                                                  ConnectionState state) noexcept {
    const Connection& connection = *context.connection;
    const NextHop* const hop =
        burst.snapshot.routes->find(connection.client_bytes().data(), state.client_is_v6());
    if (!changes_nothing(burst, context, connection, state, Direction::Reply) || hop == nullptr ||
        !fits(context, hop->mtu)) [[unlikely]] {
        return false;
    }
    context.hop = hop;
    burst.memory.to_client[static_cast<std::size_t>(state.method())].push(at);
    return true;
}

[[gnu::always_inline]] inline bool pass_to_server(Burst& burst, unsigned at, PacketContext& context,
                                                  ConnectionState state) noexcept {
    const Connection& connection = *context.connection;
    const RealServer* const server = burst.snapshot.find_server(connection.server());
    if (!changes_nothing(burst, context, connection, state, Direction::Forward) ||
        state.packets() < burst.snapshot.counted_packets || server == nullptr || !server->present ||
        !fits(context, server->mtu)) [[unlikely]] {
        return false;
    }
    context.server = server;
    burst.memory.to_server[static_cast<std::size_t>(state.method())].push(at);
    return true;
}

// True: done. False: nothing was done.
[[gnu::always_inline]] inline bool pass_established(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    const ConnectionLookup& lookup = context.lookup;
    if (lookup.candidate == kNoCandidate) [[unlikely]]
        return false;
    Connection& connection = burst.table.connection(ConnectionIndex{lookup.candidate});
    const ConnectionState state = connection.state();
    // The life is part of what changes_nothing compares.
    if (!burst.table.is_of(connection, state, lookup.key, context.key)) [[unlikely]]
        return false;
    const std::int32_t idle = connection.idle(burst.tick);
    if (idle >= static_cast<std::int32_t>(state.timeout().count())) [[unlikely]]
        return false;
    context.connection = &connection;
    const bool passes = lookup.key != 0 ? pass_to_client(burst, at, context, state)
                                        : pass_to_server(burst, at, context, state);
    if (!passes) [[unlikely]]
        return false;
    connection.touch(burst.tick, idle, burst.memory.untouched);
    return true;
}

}  // namespace pollux::lb
