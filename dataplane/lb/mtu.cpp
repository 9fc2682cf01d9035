// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/mtu.h"

#include "dataplane/lb/answer.h"
#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/fragmentation.h"
#include "dataplane/lb/rewrite.h"

namespace pollux::lb {
namespace {

// IPv6 is never fragmented on the way. Don't Fragment forbids it for IPv4, but for a tunnel with
// pmtu_disc off, where the outer packet is fragmented.
bool may_fragment(const Burst& burst, const PacketContext& context,
                  ForwardingMethod method) noexcept {
    if (context.parsed.is_v6()) return false;
    if (!net::header_in<net::Ipv4Header>(context.ip()).dont_fragment()) return true;
    return method == ForwardingMethod::Tunnel && !burst.snapshot.sysctl.pmtu_disc;
}

// What is put in front of the packet, and the header that all fragments will have.
struct OuterShape {
    std::uint16_t added = 0;
    std::size_t fragment_header = 0;
};

OuterShape outer_shape(const Burst& burst, const PacketContext& context,
                       ForwardingMethod method) noexcept {
    if (method == ForwardingMethod::Tunnel) {
        const TunnelTemplate& tunnel = burst.snapshot.tunnel(context.connection->server());
        return {tunnel.length, tunnel.outer_is_v6
                                   ? sizeof(net::Ipv6Header) + sizeof(net::Ipv6FragmentHeader)
                                   : sizeof(net::Ipv4Header)};
    }
    return {0, net::header_in<net::Ipv4Header>(context.ip()).header_length()};
}

void send_in_fragments(Burst& burst, unsigned at, Direction direction, std::uint16_t mtu) noexcept {
    PacketContext& context = burst.packet(at);
    const Packet& packet = *context.packet;
    const ForwardingMethod method = context.connection->state().method();
    const OuterShape shape = outer_shape(burst, context, method);
    const auto link_mtu = static_cast<std::uint16_t>(mtu + shape.added);
    const unsigned count =
        fragment_count(context.parsed.ip_length + shape.added, shape.fragment_header, link_mtu);
    if (packet.length < context.parsed.l3_offset + context.parsed.ip_length) {
        drop(burst, context, DropReason::MultiSegment);
        return;
    }
    if (packet.headroom < shape.added + sizeof(net::Ipv6FragmentHeader)) {
        drop(burst, context, DropReason::NoHeadroom);
        return;
    }
    FragmentBuffers buffers;
    if (count < 2 || !buffers.take(burst, count - 1)) {
        drop(burst, context, DropReason::NoBuffer);
        return;
    }
    PacketList one;
    one.push(at);
    forward_list(burst, one, method, direction);
    split(burst, context, link_mtu, buffers);
}

}  // namespace

void meet_small_mtu(Burst& burst, unsigned at, Direction direction, std::uint16_t mtu) noexcept {
    PacketContext& context = burst.packet(at);
    if (may_fragment(burst, context, context.connection->state().method())) {
        send_in_fragments(burst, at, direction, mtu);
        return;
    }
    // LVS quotes the client's packet as it would have gone on, the server's as it came.
    if (direction == Direction::Forward) decrement_ttl(context);
    answer_too_big(burst, context, mtu);
}

}  // namespace pollux::lb
