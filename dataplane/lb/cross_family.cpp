// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/cross_family.h"

#include "dataplane/lb/answer.h"
#include "dataplane/net/ethernet.h"

namespace pollux::lb {
namespace {

constexpr std::size_t kGrowth = kFamilyGrowth;
constexpr std::uint8_t kIpv4WithoutOptions = 0x45;

net::Ipv4Address v4_of(const EndPoint& end) noexcept {
    net::Ipv4Address address;
    std::memcpy(&address, end.address, sizeof address);
    return address;
}

net::Ipv6Address v6_of(const EndPoint& end) noexcept {
    net::Ipv6Address address;
    std::memcpy(&address, end.address, sizeof address);
    return address;
}

// What one address adds to a pseudo header's sum when it takes the place of nothing, and what it
// leaves behind when nothing takes its place. The other words of both pseudo headers sum up alike.
void exchange(const net::Ipv6Address& gone, net::Ipv4Address come,
              net::ChecksumDelta& delta) noexcept {
    net::Ipv6Address as_v6{};
    std::memcpy(as_v6.bytes.data(), &come, sizeof come);
    delta.replace(gone, as_v6);
}

void exchange(net::Ipv4Address gone, const net::Ipv6Address& come,
              net::ChecksumDelta& delta) noexcept {
    net::Ipv6Address as_v6{};
    std::memcpy(as_v6.bytes.data(), &gone, sizeof gone);
    delta.replace(as_v6, come);
}

void replace_ports(PacketContext& context, net::ChecksumDelta delta,
                   const EndPoints& ends) noexcept {
    const PortPair before = net::header_in<PortPair>(context.l4());
    const PortPair after{ends.source.port, ends.destination.port};
    delta.replace(before.source, after.source);
    delta.replace(before.destination, after.destination);
    write_ports(context, delta, after);
}

// Moves the link header, VLAN tags included, to where the new IP header will begin. The length
// stays that of the packet as it came, which is what is counted.
void move_front(PacketContext& context, std::ptrdiff_t growth, net::Be16 ether_type) noexcept {
    Packet& packet = *context.packet;
    const std::size_t link = context.parsed.l3_offset;
    std::memmove(packet.data - growth, packet.data, link);
    packet.data -= growth;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom - growth);
    packet.length = static_cast<std::uint32_t>(packet.length + growth);
    packet.frame_length = static_cast<std::uint32_t>(packet.frame_length + growth);
    std::memcpy(packet.data + link - sizeof ether_type, &ether_type, sizeof ether_type);
    context.parsed.l4_offset = static_cast<std::uint16_t>(context.parsed.l4_offset + growth);
}

void become_v4(Burst& burst, PacketContext& context, const EndPoints& ends) noexcept {
    const auto old = net::header_in<net::Ipv6Header>(context.ip());
    move_front(context, -static_cast<std::ptrdiff_t>(kGrowth), net::kEtherTypeIpv4);
    context.parsed.kind = net::PacketKind::Ipv4;
    auto& ip = net::header_in<net::Ipv4Header>(context.ip());
    ip = {};
    ip.version_ihl = kIpv4WithoutOptions;
    ip.traffic_class = old.traffic_class();
    ip.total_length = net::Be16::from_host(
        static_cast<std::uint16_t>(old.payload_length.host() + sizeof(net::Ipv4Header)));
    ip.identification = net::Be16::from_host(burst.worker.next_ip_id++);
    ip.flags_and_offset = net::kIpv4DontFragment;
    ip.ttl = static_cast<std::uint8_t>(old.hop_limit - 1);
    ip.protocol = context.parsed.protocol;
    ip.source = v4_of(ends.source);
    ip.destination = v4_of(ends.destination);
    ip.checksum = net::internet_checksum({context.ip(), sizeof ip});
    net::ChecksumDelta delta;
    exchange(old.source, ip.source, delta);
    exchange(old.destination, ip.destination, delta);
    replace_ports(context, delta, ends);
}

void become_v6(PacketContext& context, const EndPoints& ends) noexcept {
    const auto old = net::header_in<net::Ipv4Header>(context.ip());
    move_front(context, static_cast<std::ptrdiff_t>(kGrowth), net::kEtherTypeIpv6);
    context.parsed.kind = net::PacketKind::Ipv6;
    auto& ip = net::header_in<net::Ipv6Header>(context.ip());
    ip.set_class_and_flow(old.traffic_class, 0);
    ip.payload_length = net::Be16::from_host(
        static_cast<std::uint16_t>(old.total_length.host() - sizeof(net::Ipv4Header)));
    ip.next_header = context.parsed.protocol;
    ip.hop_limit = static_cast<std::uint8_t>(old.ttl - 1);
    ip.source = v6_of(ends.source);
    ip.destination = v6_of(ends.destination);
    net::ChecksumDelta delta;
    exchange(old.source, ip.source, delta);
    exchange(old.destination, ip.destination, delta);
    replace_ports(context, delta, ends);
}

// IPv6 knows no UDP without a checksum (RFC 8200 section 8.1), so that one is computed.
bool give_udp_checksum(PacketContext& context) noexcept {
    if (context.parsed.protocol != net::kProtocolUdp) return true;
    auto& udp = net::header_in<net::UdpHeader>(context.l4());
    if (udp.checksum.wire() != 0) return true;
    const std::size_t length = context.parsed.l4_length();
    if (length > context.packet->length - context.parsed.l4_offset) return false;
    const auto& ip = net::header_in<net::Ipv4Header>(context.ip());
    net::ChecksumSum sum;
    sum.add_pseudo_header(net::IpAddress::from_v4(ip.source),
                          net::IpAddress::from_v4(ip.destination), net::kProtocolUdp,
                          static_cast<std::uint32_t>(length));
    sum.add({context.l4(), length});
    udp.checksum = net::udp_nonzero(sum.finish());
    return true;
}

// A larger packet than the link takes: its sender is told what would fit before it grew.
void refuse_large(Burst& burst, PacketContext& context, std::uint16_t mtu) noexcept {
    if (!net::header_in<net::Ipv4Header>(context.ip()).dont_fragment()) {
        drop(burst, context, DropReason::MtuExceeded);
        return;
    }
    decrement_ttl(context);  // quoted as it would have gone on
    answer_too_big(burst, context, static_cast<std::uint16_t>(mtu - kGrowth));
}

}  // namespace

bool cross(Burst& burst, PacketContext& context, const EndPoints& ends,
           std::uint16_t mtu) noexcept {
    const net::ParsedPacket& parsed = context.parsed;
    if (!parsed.has_ports() || parsed.has_options() || parsed.is_fragment()) {
        drop(burst, context, DropReason::NoTranslation);
        return false;
    }
    if (parsed.is_v6()) {
        become_v4(burst, context, ends);
        return true;
    }
    const auto& ip = net::header_in<net::Ipv4Header>(context.ip());
    if (ip.total_length.host() + kGrowth > mtu) {
        refuse_large(burst, context, mtu);
        return false;
    }
    if (context.packet->headroom < kGrowth) {
        drop(burst, context, DropReason::NoHeadroom);
        return false;
    }
    if (!give_udp_checksum(context)) {
        drop(burst, context, DropReason::MultiSegment);
        return false;
    }
    become_v6(context, ends);
    return true;
}

}  // namespace pollux::lb
