// SPDX-License-Identifier: Apache-2.0

// Stage 1: what kind of packet is it. Control protocols go to the control core before anything else
// is asked (decision D12).

#include "dataplane/lb/burst.h"
#include "dataplane/lb/host.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/parse.h"

namespace pollux::lb {
namespace {

constexpr unsigned kPrefetchAhead = 6;

static_assert(OffloadFlags::kRxIpChecksumGood == net::RxChecksum::kIpGood);
static_assert(OffloadFlags::kRxIpChecksumBad == net::RxChecksum::kIpBad);
static_assert(OffloadFlags::kRxL4ChecksumGood == net::RxChecksum::kL4Good);
static_assert(OffloadFlags::kRxL4ChecksumBad == net::RxChecksum::kL4Bad);
constexpr std::uint16_t kChecksumFlags = net::RxChecksum::kIpGood | net::RxChecksum::kIpBad |
                                         net::RxChecksum::kL4Good | net::RxChecksum::kL4Bad;

net::ParseError parse(PacketContext& context) noexcept {
    const Packet& packet = *context.packet;
    const net::ParseInput input{{packet.data, packet.length},
                                packet.frame_length,
                                static_cast<std::uint16_t>(packet.offload & kChecksumFlags)};
    return net::parse(input, context.parsed);
}

// A group address, or somebody else's in promiscuous mode. Nothing of this is forwarded.
void classify_other_mac(Burst& burst, PacketContext& context) noexcept {
    if ((context.packet->data[0] & 1U) == 0) {
        drop(burst, context, DropReason::NotOurMac);
        return;
    }
    const net::ParseError error = parse(context);
    if (error != net::ParseError::None) {
        drop(burst, context, to_drop_reason(error));
        return;
    }
    punt(burst, context, group_reason(context));
}

void classify_one(Burst& burst, PacketContext& context, unsigned at) noexcept {
    Packet& packet = *context.packet;
    if (packet.length < sizeof(net::EthernetHeader)) [[unlikely]] {
        drop(burst, context, DropReason::FrameTooShort);
        return;
    }
    if (!burst.snapshot.ports.is_own_mac(packet.port, packet.data)) [[unlikely]] {
        classify_other_mac(burst, context);
        return;
    }
    const net::ParseError error = parse(context);
    if (error != net::ParseError::None) [[unlikely]] {
        drop(burst, context, to_drop_reason(error));
        return;
    }
    constexpr std::uint8_t kMask = net::ParsedPacket::kHasPorts | net::ParsedPacket::kFragment |
                                   net::ParsedPacket::kHasOptions;
    if ((context.parsed.flags & kMask) == net::ParsedPacket::kHasPorts) [[likely]] {
        prepare_flow(burst, at);
        burst.memory.flows.push(at);
    } else {
        burst.memory.others.push(at);
    }
}

}  // namespace

bool reparse(PacketContext& context) noexcept {
    return parse(context) == net::ParseError::None;
}

void prepare_flow(Burst& burst, unsigned at) noexcept {
    const PacketContext& context = burst.packet(at);
    const net::ParsedPacket& parsed = context.parsed;
    const bool is_v4 = parsed.is_v4();
    FlowKey& key = burst.memory.keys[at];
    key = FlowKey::from_wire(is_v4 ? net::Family::V4 : net::Family::V6,
                             context.ip() + (is_v4 ? offsetof(net::Ipv4Header, source)
                                                   : offsetof(net::Ipv6Header, source)),
                             parsed.source_port, parsed.destination_port,
                             static_cast<Protocol>(parsed.protocol));
    burst.table.prepare(key, burst.memory.lookups[at]);
}

void classify(Burst& burst, std::span<Packet> packets) noexcept {
    const std::size_t count = packets.size();
    for (std::size_t i = 0; i < count && i < kPrefetchAhead; ++i) {
        __builtin_prefetch(packets[i].data);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (i + kPrefetchAhead < count) __builtin_prefetch(packets[i + kPrefetchAhead].data);
        PacketContext& context = burst.memory.packets[i];
        context.packet = &packets[i];
        classify_one(burst, context, static_cast<unsigned>(i));
    }
}

}  // namespace pollux::lb
