// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_translator.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/parse.h"

namespace pollux::control {
namespace {

constexpr unsigned kTailAt = 12;  // of the last four bytes of an IPv6 address

unsigned tail_of(const net::IpAddress& address) {
    const std::uint8_t* at = address.bytes.data() + (address.is_v4() ? 0 : kTailAt);
    return (unsigned{at[0]} << 24U) | (unsigned{at[1]} << 16U) | (unsigned{at[2]} << 8U) | at[3];
}

void set_tail(net::IpAddress& address, unsigned tail) {
    std::uint8_t* at = address.bytes.data() + (address.is_v4() ? 0 : kTailAt);
    for (unsigned i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(tail >> (24U - 8U * i));
}

// How many stand-ins a range has: neither its first address nor, as with IPv4, its last.
std::size_t capacity(const net::IpPrefix& range) {
    const unsigned bits = (range.address.is_v4() ? 32U : 128U) - range.length;
    if (bits >= 16) return ViaTranslator::kMaxStandIns;
    return bits < 2 ? 0 : (std::size_t{1} << bits) - 2;
}

// What a translation changes in a packet: one address, this node's port, sometimes the TTL.
struct Change {
    net::IpAddress before, after;
    net::Be16 own_before, own_after;
};

void replace(net::ChecksumDelta& delta, const Change& change) {
    if (change.before.is_v4()) {
        delta.replace(change.before.v4(), change.after.v4());
    } else {
        delta.replace(change.before.v6(), change.after.v6());
    }
}

// Where a packet names this node's port, and its checksum.
struct L4 {
    net::Be16* own = nullptr;  // null: nothing that is translated
    net::Be16* checksum = nullptr;
    std::uint16_t peer_port = 0;
    bool covers_addresses = true;
    bool udp = false;
};

enum class Way : std::uint8_t { ToServer, ToKernel };

std::uint8_t echo_type(const net::ParsedPacket& packet, Way way) {
    if (packet.is_v4()) return way == Way::ToServer ? net::kIcmpEchoRequest : net::kIcmpEchoReply;
    return way == Way::ToServer ? net::kIcmpv6EchoRequest : net::kIcmpv6EchoReply;
}

L4 find_l4(std::uint8_t* frame, const net::ParsedPacket& packet, Way way) {
    L4 result;
    if (packet.is_fragment()) return result;
    const bool icmp =
        packet.protocol == (packet.is_v4() ? net::kProtocolIcmp : net::kProtocolIcmpv6);
    if (icmp && packet.l4_length() >= net::kIcmpHeaderLength) {
        auto& header = net::header_in<net::IcmpHeader>(frame + packet.l4_offset);
        if (header.type != echo_type(packet, way)) return result;
        result.own = &header.identifier;
        result.checksum = &header.checksum;
        result.covers_addresses = packet.is_v6();
        return result;
    }
    result.udp = packet.protocol == net::kProtocolUdp;
    if (!packet.has_ports() || (!result.udp && packet.protocol != net::kProtocolTcp)) return result;
    auto& ports = net::header_in<net::UdpHeader>(frame + packet.l4_offset);
    const bool out = way == Way::ToServer;
    result.own = out ? &ports.source_port : &ports.destination_port;
    result.peer_port = (out ? packet.destination_port : packet.source_port).host();
    result.checksum = result.udp ? &ports.checksum : &packet.tcp(frame).checksum;
    return result;
}

void rewrite_l4(const L4& l4, const Change& change) {
    net::ChecksumDelta delta;
    if (l4.covers_addresses) replace(delta, change);
    delta.replace(change.own_before, change.own_after);
    *l4.own = change.own_after;
    // RFC 768: zero means that the sender computed none, and so it stays.
    if (l4.udp && l4.checksum->wire() == 0) return;
    *l4.checksum = delta.apply(*l4.checksum);
    if (l4.udp) *l4.checksum = net::udp_nonzero(*l4.checksum);
}

// The word of an IPv4 header that holds TTL and protocol.
net::Be16 ttl_word(const net::Ipv4Header& ip) {
    return net::Be16::from_host(static_cast<std::uint16_t>((ip.ttl << 8U) | ip.protocol));
}

void rewrite_destination(std::uint8_t* frame, const net::ParsedPacket& packet,
                         const Change& change) {
    const std::uint8_t ttl = packet.has_ports() ? ViaTranslator::kTtl : ViaTranslator::kEchoTtl;
    if (packet.is_v6()) {
        packet.ipv6(frame).destination = change.after.v6();
        packet.ipv6(frame).hop_limit = ttl;
        return;
    }
    net::Ipv4Header& ip = packet.ipv4(frame);
    net::ChecksumDelta delta;
    replace(delta, change);
    const net::Be16 before = ttl_word(ip);
    ip.ttl = ttl;
    delta.replace(before, ttl_word(ip));
    ip.destination = change.after.v4();
    ip.checksum = delta.apply(ip.checksum);
}

void rewrite_source(std::uint8_t* frame, const net::ParsedPacket& packet,
                    const net::IpAddress& now) {
    if (packet.is_v6()) {
        packet.ipv6(frame).source = now.v6();
        return;
    }
    net::Ipv4Header& ip = packet.ipv4(frame);
    ip.checksum = net::checksum_replace(ip.checksum, ip.source, now.v4());
    ip.source = now.v4();
}

bool parsed(std::span<std::uint8_t> frame, net::ParsedPacket& packet) {
    const net::ParseInput input{frame, static_cast<std::uint32_t>(frame.size()), 0};
    return net::parse_any(input, packet) == net::ParseError::None &&
           (packet.is_v4() || packet.is_v6());
}

std::span<std::uint8_t> ip_packet(std::span<std::uint8_t> frame, const net::ParsedPacket& packet) {
    return frame.subspan(packet.l3_offset, packet.ip_length);
}

bool is_time_exceeded(const std::uint8_t* frame, const net::ParsedPacket& packet) {
    const std::uint8_t type = frame[packet.l4_offset];
    return type == (packet.is_v4() ? net::kIcmpTimeExceeded : net::kIcmpv6TimeExceeded);
}

}  // namespace

std::optional<net::IpAddress> ViaTranslator::add(const net::IpAddress& virtual_address) {
    Pool& all = pool(virtual_address.family);
    const net::IpPrefix& from = range(virtual_address.family);
    const std::size_t places = capacity(from);
    for (std::size_t i = 0; i < places; ++i) {
        const std::size_t place = (all.next + i) % places;
        if (place >= all.slots.size()) all.slots.resize(place + 1);
        if (all.slots[place].virtual_address.family != net::Family::None) continue;
        all.slots[place] = {virtual_address, false, false, {}};
        all.next = place + 1;
        ++used_;
        net::IpAddress stand_in = from.network().address;
        set_tail(stand_in, tail_of(stand_in) + static_cast<unsigned>(place) + 1);
        return stand_in;
    }
    return std::nullopt;
}

ViaTranslator::Slot* ViaTranslator::find(const net::IpAddress& stand_in) {
    if (!range(stand_in.family).contains(stand_in)) return nullptr;
    Pool& all = pool(stand_in.family);
    // Unsigned: what is no stand-in is out of bounds.
    const unsigned place =
        tail_of(stand_in) - tail_of(range(stand_in.family).network().address) - 1;
    if (place >= all.slots.size()) return nullptr;
    Slot& slot = all.slots[place];
    return slot.virtual_address.family == net::Family::None ? nullptr : &slot;
}

void ViaTranslator::remove(const net::IpAddress& stand_in, lb::TimePoint now) {
    end_try(stand_in, now);
    Slot* slot = find(stand_in);
    if (slot == nullptr) return;
    *slot = {};
    --used_;
}

void ViaTranslator::begin_try(const net::IpAddress& stand_in) {
    Slot* slot = find(stand_in);
    if (slot == nullptr) return;
    slot->trying = true;
    slot->forwarded = false;
}

void ViaTranslator::end_try(const net::IpAddress& stand_in, lb::TimePoint now) {
    Slot* slot = find(stand_in);
    if (slot == nullptr) return;
    slot->trying = false;
    for (const ViaFlowId id : slot->flows) flows_.close(id, now);
    slot->flows.clear();
}

bool ViaTranslator::was_forwarded(const net::IpAddress& stand_in) {
    const Slot* slot = find(stand_in);
    return slot != nullptr && slot->forwarded;
}

const ViaFlow* ViaTranslator::flow_of(Slot& slot, const ViaKey& key, lb::TimePoint now) {
    // The kernel takes a port again that it used a moment ago.
    if (slot.trying) {
        if (const auto again = flows_.reopen(key)) slot.flows.push_back(*again);
    }
    if (const ViaFlow* known = flows_.find_kernel(key)) return known;
    if (!slot.trying) {
        ++counters_.no_try;
        return nullptr;
    }
    const auto id = flows_.open(key, slot.virtual_address, now);
    if (!id) {
        ++counters_.no_flow;
        return nullptr;
    }
    slot.flows.push_back(*id);
    return flows_.find_kernel(key);
}

std::optional<net::IpAddress> ViaTranslator::to_server(std::span<std::uint8_t> frame,
                                                       lb::TimePoint now) {
    net::ParsedPacket packet;
    const bool good = parsed(frame, packet);
    const L4 l4 = good ? find_l4(frame.data(), packet, Way::ToServer) : L4{};
    if (l4.own == nullptr) {
        ++counters_.not_supported;
        return std::nullopt;
    }
    const net::IpAddress stand_in = packet.destination(frame.data());
    Slot* slot = find(stand_in);
    if (slot == nullptr) {
        ++counters_.no_try;
        return std::nullopt;
    }
    const ViaKey key{packet.protocol, packet.source(frame.data()), l4.own->host(), stand_in,
                     l4.peer_port};
    const ViaFlow* flow = flow_of(*slot, key, now);
    if (flow == nullptr) return std::nullopt;
    const Change change{stand_in, flow->wire.peer, *l4.own,
                        net::Be16::from_host(flow->wire.own_port)};
    rewrite_l4(l4, change);
    rewrite_destination(frame.data(), packet, change);
    ++counters_.sent;
    return stand_in;
}

std::span<std::uint8_t> ViaTranslator::to_kernel(std::span<std::uint8_t> frame) {
    net::ParsedPacket packet;
    if (flows_.size() == 0 || !parsed(frame, packet)) return {};
    if (packet.is_icmp_error()) {
        return relate(frame, packet) ? ip_packet(frame, packet) : std::span<std::uint8_t>{};
    }
    const L4 l4 = find_l4(frame.data(), packet, Way::ToKernel);
    if (l4.own == nullptr) return {};
    const net::IpAddress source = packet.source(frame.data());
    const ViaFlow* flow = flows_.find_wire(
        {packet.protocol, packet.destination(frame.data()), l4.own->host(), source, l4.peer_port});
    if (flow == nullptr) return {};
    rewrite_l4(l4,
               {source, flow->kernel.peer, *l4.own, net::Be16::from_host(flow->kernel.own_port)});
    rewrite_source(frame.data(), packet, flow->kernel.peer);
    ++counters_.received;
    return ip_packet(frame, packet);
}

// An ICMP error about a probe, from its server or from a router on the way: the kernel shall find
// its own packet in it. The parser has verified the message's checksum.
bool ViaTranslator::relate(std::span<std::uint8_t> frame, const net::ParsedPacket& packet) {
    std::uint8_t* const data = frame.data();
    net::QuotedPacket quoted;
    const net::ParseInput input{frame, static_cast<std::uint32_t>(frame.size()), 0};
    if (net::parse_quoted(input, packet, quoted) != net::ParseError::None || !quoted.has_ports()) {
        return false;
    }
    const ViaFlow* flow =
        flows_.find_wire({quoted.protocol, quoted.source(data), quoted.source_port.host(),
                          quoted.destination(data), quoted.destination_port.host()});
    if (flow == nullptr) return false;
    const net::IpAddress stand_in = flow->kernel.peer;
    if (Slot* slot = find(stand_in); slot != nullptr && is_time_exceeded(data, packet)) {
        slot->forwarded = true;
    }
    const Change inner{quoted.destination(data), stand_in, quoted.source_port,
                       net::Be16::from_host(flow->kernel.own_port)};
    net::ChecksumDelta delta;
    replace(delta, inner);
    delta.replace(inner.own_before, inner.own_after);
    net::header_in<net::UdpHeader>(data + quoted.l4_offset).source_port = inner.own_after;
    if (quoted.is_v4()) {
        net::Ipv4Header& ip = quoted.ipv4(data);
        const net::Be16 before = ip.checksum;
        ip.checksum = net::checksum_replace(before, ip.destination, stand_in.v4());
        ip.destination = stand_in.v4();
        delta.replace(before, ip.checksum);
    } else {
        net::header_in<net::Ipv6Header>(data + quoted.l3_offset).destination = stand_in.v6();
        // ICMPv6 covers the addresses of its own header, too.
        replace(delta, {packet.source(data), stand_in, {}, {}});
    }
    auto& icmp = net::header_in<net::IcmpHeader>(data + packet.l4_offset);
    icmp.checksum = delta.apply(icmp.checksum);
    rewrite_source(data, packet, stand_in);
    ++counters_.errors;
    return true;
}

}  // namespace pollux::control
