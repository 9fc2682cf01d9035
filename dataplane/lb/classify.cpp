// SPDX-License-Identifier: Apache-2.0

// Stage 1: what kind of packet is it. Control protocols go to the control core before anything else
// is asked (decision D12).

#include "dataplane/lb/burst.h"
#include "dataplane/lb/host.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/parse.h"

namespace pollux::lb {
namespace {

static_assert(OffloadFlags::kRxIpChecksumGood == net::RxChecksum::kIpGood);
static_assert(OffloadFlags::kRxIpChecksumBad == net::RxChecksum::kIpBad);
static_assert(OffloadFlags::kRxL4ChecksumGood == net::RxChecksum::kL4Good);
static_assert(OffloadFlags::kRxL4ChecksumBad == net::RxChecksum::kL4Bad);
constexpr std::uint16_t kChecksumFlags = net::RxChecksum::kIpGood | net::RxChecksum::kIpBad |
                                         net::RxChecksum::kL4Good | net::RxChecksum::kL4Bad;

net::ParseInput input_of(const Packet& packet) noexcept {
    return {{packet.data, packet.length},
            packet.frame_length,
            static_cast<std::uint16_t>(packet.offload & kChecksumFlags)};
}

net::ParseError parse(PacketContext& context) noexcept {
    return net::parse_any(input_of(*context.packet), context.parsed);
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

// Every frame that is not a plain one, good or bad.
[[gnu::noinline]] void classify_any(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
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

template <net::Family family>
[[gnu::always_inline]] inline void prepare_key(const ConnectionTable& table, PacketContext& context,
                                               const std::uint8_t* addresses) noexcept {
    const net::ParsedPacket& parsed = context.parsed;
    context.key.assign(family, addresses, parsed.source_port, parsed.destination_port,
                       static_cast<Protocol>(parsed.protocol));
    table.prepare(context.key, context.lookup);
}

// A plain frame to us: True when it is one and is prepared as a flow.
[[gnu::always_inline]] inline bool classify_plain(Burst& burst, PacketContext& context) noexcept {
    const Packet& packet = *context.packet;
    if (packet.length < net::kPlainFrame ||
        !burst.snapshot.ports.is_own_mac(packet.port, packet.data)) [[unlikely]] {
        return false;
    }
    const net::ParseInput input = input_of(packet);
    const std::uint8_t* const ip = packet.data + sizeof(net::EthernetHeader);
    if (net::parse_plain_ipv4(input, context.parsed)) [[likely]] {
        prepare_key<net::Family::V4>(burst.table, context, ip + offsetof(net::Ipv4Header, source));
        return true;
    }
    if (!net::parse_plain_ipv6(input, context.parsed)) return false;
    burst.memory.had_v6 = true;
    prepare_key<net::Family::V6>(burst.table, context, ip + offsetof(net::Ipv6Header, source));
    return true;
}

}  // namespace

bool reparse(PacketContext& context) noexcept {
    return parse(context) == net::ParseError::None;
}

void prepare_flow(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    if (context.parsed.is_v4()) {
        prepare_key<net::Family::V4>(burst.table, context,
                                     context.ip() + offsetof(net::Ipv4Header, source));
    } else {
        prepare_key<net::Family::V6>(burst.table, context,
                                     context.ip() + offsetof(net::Ipv6Header, source));
    }
}

// The adapter has prefetched the beginning of each frame. An IPv6 frame's TCP header reaches into
// the second cache line; whether there will be any is told by the burst before.
void prefetch_second_lines(BurstMemory& memory, std::span<const Packet> packets) noexcept {
    if (!memory.had_v6) [[likely]]
        return;
    memory.had_v6 = false;
    for (const Packet& packet : packets) __builtin_prefetch(packet.data + 64);
}

void classify(Burst& burst, std::span<Packet> packets) noexcept {
    BurstMemory& memory = burst.memory;
    const auto count = static_cast<unsigned>(packets.size());
    std::uint64_t bytes = 0;
    prefetch_second_lines(memory, packets);
    for (unsigned i = 0; i < count; ++i) {
        Packet& packet = packets[i];
        PacketContext& context = memory.packets[i];
        bytes += packet.frame_length;
        context.packet = &packet;
        if (classify_plain(burst, context)) [[likely]] {
            memory.flows.push(i);
        } else {
            classify_any(burst, i);
        }
    }
    burst.worker.counters.received.add(count);
    burst.worker.counters.received_bytes.add(bytes);
}

}  // namespace pollux::lb
