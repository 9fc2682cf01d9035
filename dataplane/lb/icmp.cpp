// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/icmp.h"

#include "dataplane/lb/cross_family.h"
#include "dataplane/lb/establish.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/icmp_across.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/track.h"
#include "dataplane/lb/tunnel_error.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/parse.h"

namespace pollux::lb {
namespace {

// What the two ends of the quoted packet become; nullptr: that end stays.
struct QuoteEnds {
    EndPoint source{nullptr, {}};
    EndPoint destination{nullptr, {}};
};

// The tuple under which the connection's other packets come: that of the quoted packet's answer.
FlowKey answer_key(const std::uint8_t* frame, const net::QuotedPacket& quoted) noexcept {
    return FlowKey::make(quoted.destination(frame), quoted.destination_port, quoted.source(frame),
                         quoted.source_port, static_cast<Protocol>(quoted.protocol));
}

template <typename Ip>
void replace_quoted_addresses(Ip& ip, const QuoteEnds& ends, net::ChecksumDelta& delta) noexcept {
    if (ends.source.address != nullptr) replace_address(ip.source, ends.source.address, delta);
    if (ends.destination.address != nullptr) {
        replace_address(ip.destination, ends.destination.address, delta);
    }
}

// Rewrites the quoted packet. Its IP checksum is kept right, its L4 checksum is not: nobody can
// verify it, as the packet is quoted in part. Returns what this does to the ICMP checksum.
net::ChecksumDelta rewrite_quote(std::uint8_t* frame, const net::QuotedPacket& quoted,
                                 const QuoteEnds& ends) noexcept {
    net::ChecksumDelta delta;
    if (quoted.is_v4()) {
        // Addresses and checksum of an IPv4 header cancel each other out in the outer sum.
        auto& ip = net::header_in<net::Ipv4Header>(frame + quoted.l3_offset);
        net::ChecksumDelta addresses;
        replace_quoted_addresses(ip, ends, addresses);
        ip.checksum = addresses.apply(ip.checksum);
    } else {
        auto& ip = net::header_in<net::Ipv6Header>(frame + quoted.l3_offset);
        replace_quoted_addresses(ip, ends, delta);
    }
    PortPair& ports = net::header_in<PortPair>(frame + quoted.l4_offset);
    if (ends.source.address != nullptr) {
        delta.replace(ports.source, ends.source.port);
        ports.source = ends.source.port;
    }
    if (ends.destination.address != nullptr) {
        delta.replace(ports.destination, ends.destination.port);
        ports.destination = ends.destination.port;
    }
    return delta;
}

// ICMPv6 covers the addresses of the packet that carries it, which the forwarding method replaces.
void add_outer_v6(const PacketContext& context, const std::uint8_t* source,
                  const std::uint8_t* destination, net::ChecksumDelta& delta) noexcept {
    const auto& ip = net::header_in<net::Ipv6Header>(context.ip());
    net::Ipv6Address after;
    if (source != nullptr) {
        std::memcpy(&after, source, sizeof after);
        delta.replace(ip.source, after);
    }
    if (destination != nullptr) {
        std::memcpy(&after, destination, sizeof after);
        delta.replace(ip.destination, after);
    }
}

void rewrite(PacketContext& context, const net::QuotedPacket& quoted, const QuoteEnds& ends,
             const std::uint8_t* outer_source, const std::uint8_t* outer_destination) noexcept {
    net::ChecksumDelta delta = rewrite_quote(context.packet->data, quoted, ends);
    if (context.parsed.is_v6()) add_outer_v6(context, outer_source, outer_destination, delta);
    // The checksum is at the same place in both families.
    auto& icmp = net::header_in<net::IcmpHeader>(context.l4());
    icmp.checksum = delta.apply(icmp.checksum);
}

const AddressRecord& local_of(const Burst& burst, const Connection& connection) noexcept {
    return burst.worker.shared.local_addresses[index(connection.local_address())];
}

// About a packet from the virtual address to the client.
void send_on_to_server(Burst& burst, unsigned at, const net::QuotedPacket& quoted) noexcept {
    PacketContext& context = burst.packet(at);
    const Connection& connection = *context.connection;
    context.server = burst.snapshot.find_server(connection.server());
    // LVS: one about a removed server's connection still goes there.
    if (context.server == nullptr) {
        drop(burst, context, DropReason::ServerGone);
        return;
    }
    const ForwardingMethod method = connection.state().method();
    if (method == ForwardingMethod::FullNat && crosses_families(connection)) {
        relate_across(burst, at, quoted, Direction::Forward);
        return;
    }
    const std::uint8_t* const server = context.server->address.bytes.data();
    const EndPoint server_end{server, connection.server_port()};
    if (method == ForwardingMethod::Nat) {
        rewrite(context, quoted, {server_end, {nullptr, {}}}, nullptr, server);
    } else if (method == ForwardingMethod::FullNat) {
        const std::uint8_t* const local = local_of(burst, connection).bytes.data();
        rewrite(context, quoted, {server_end, {local, connection.local_port()}}, local, server);
    }
    admit_to_server(burst, at, method);
}

// About a packet to the server, from the server or from a router on the way to it.
void send_on_to_client(Burst& burst, unsigned at, const net::QuotedPacket& quoted) noexcept {
    PacketContext& context = burst.packet(at);
    const Connection& connection = *context.connection;
    const ForwardingMethod method = connection.state().method();
    if (method == ForwardingMethod::FullNat && crosses_families(connection)) {
        relate_across(burst, at, quoted, Direction::Reply);
        return;
    }
    const std::uint8_t* const virtual_address = connection.virtual_bytes().data();
    const EndPoint virtual_end{virtual_address, connection.virtual_port()};
    if (method == ForwardingMethod::FullNat) {
        const std::uint8_t* const client = connection.client_bytes().data();
        rewrite(context, quoted, {{client, connection.client_port()}, virtual_end}, virtual_address,
                client);
    } else {
        rewrite(context, quoted, {{nullptr, {}}, virtual_end}, virtual_address, nullptr);
    }
    admit_to_client(burst, at, method);
}

// LVS relates three kinds of ICMP errors and all of ICMPv6's.
bool is_related_kind(const PacketContext& context) noexcept {
    const std::uint8_t type = *context.l4();
    return context.parsed.is_v6() || type == net::kIcmpDestinationUnreachable ||
           type == net::kIcmpSourceQuench || type == net::kIcmpTimeExceeded;
}

// No connection is known. Neither found nor a verdict: schedule_icmp has opened one.
FoundConnection meet_unknown(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    const ConnectionRequest request = request_for(burst, burst.packet(at).key);
    if (request.service == kNoService) {
        punt_to_host(burst, context);
        return {};
    }
    if (!burst.snapshot.sysctl.schedule_icmp) {
        drop(burst, context, DropReason::IcmpNoConnection);
        return {};
    }
    return establish_quoted(burst, at, request);
}

}  // namespace

void relate_icmp(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    const Packet& packet = *context.packet;
    if (!is_related_kind(context)) {
        punt_to_host(burst, context);
        return;
    }
    net::QuotedPacket quoted;
    const net::ParseError error =
        net::parse_quoted({{packet.data, packet.length}, packet.frame_length, packet.offload},
                          context.parsed, quoted);
    if (error != net::ParseError::None) {
        drop(burst, context, to_drop_reason(error));
        return;
    }
    // Routers send an error to the source of the packet that they quote.
    const bool plausible = context.parsed.destination(packet.data) == quoted.source(packet.data);
    if (!quoted.has_ports()) {
        if (!plausible || !relate_tunnel_error(burst, at, quoted)) punt_to_host(burst, context);
        return;
    }
    const FlowKey key = answer_key(packet.data, quoted);
    burst.table.prepare(key, burst.packet(at).lookup);
    burst.packet(at).key = key;
    FoundConnection found = burst.table.find(key, burst.tick);
    if (!plausible) {
        drop(burst, context, DropReason::IcmpNoConnection);
        return;
    }
    if (!found) {
        if (relate_tunnel_error(burst, at, quoted)) return;
        found = meet_unknown(burst, at);
        if (context.packet->verdict != Verdict::Pending) return;
    }
    if (found) context.connection = &burst.table.connection(found.index);
    if (!found || found.direction == Direction::Forward) {
        send_on_to_server(burst, at, quoted);
    } else {
        send_on_to_client(burst, at, quoted);
    }
}

}  // namespace pollux::lb
