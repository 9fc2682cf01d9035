// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/answer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/lb/send.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/tcp_reset.h"

namespace pollux::lb {
namespace {

// What an error is in either family.
struct Answer {
    DropReason reason;
    std::uint8_t type_v4, code_v4;
    std::uint8_t type_v6, code_v6;
    std::uint16_t mtu = 0;
};

// How much an error may be as a whole: RFC 1812 section 4.3.2.3, RFC 4443 section 2.4.
constexpr std::size_t kMaxErrorV4 = 576;
constexpr std::size_t kMaxErrorV6 = 1280;
// RFC 1812 section 4.3.2.5: errors have precedence 6; the other TOS bits are the packet's.
constexpr std::uint8_t kInternetControl = 0xc0;
constexpr std::uint8_t kTosBits = 0x1e;

// RFC 1122 section 3.2.2: no error about an error, a later fragment or a packet to a group.
bool may_answer(const PacketContext& context, const net::IpAddress& destination) noexcept {
    const Packet& packet = *context.packet;
    return !context.parsed.is_icmp_error() && !context.parsed.is_later_fragment() &&
           !destination.is_multicast() && packet.frame_length == packet.length;
}

// LVS: the address that was asked, or one of the port's if that is not ours.
net::IpAddress source_of_answer(const Burst& burst, const PacketContext& context,
                                const net::IpAddress& destination) noexcept {
    if (burst.snapshot.owns(destination) || burst.snapshot.service_lookup.is_virtual(destination)) {
        return destination;
    }
    return burst.snapshot.ports.address(context.packet->port, destination.family);
}

// Puts `headers` bytes between the link header and the packet, of which `quoted` bytes remain.
bool make_room(PacketContext& context, std::size_t headers, std::size_t quoted) noexcept {
    Packet& packet = *context.packet;
    if (packet.headroom < headers) return false;
    const std::size_t link = context.parsed.l3_offset;
    std::memmove(packet.data - headers, packet.data, link);
    packet.data -= headers;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom - headers);
    const auto length = static_cast<std::uint32_t>(link + headers + quoted);
    const std::uint32_t before = packet.length + static_cast<std::uint32_t>(headers);
    packet.tailroom = static_cast<std::uint16_t>(packet.tailroom + (before - length));
    packet.length = length;
    packet.frame_length = length;
    return true;
}

bool build_v4(Burst& burst, PacketContext& context, const Answer& answer,
              const net::IpAddress& from, const net::IpAddress& to) noexcept {
    constexpr std::size_t kHeaders = sizeof(net::Ipv4Header) + sizeof(net::IcmpHeader);
    const std::uint8_t tos = net::header_in<net::Ipv4Header>(context.ip()).traffic_class;
    const std::size_t quoted =
        std::min<std::size_t>(context.parsed.ip_length, kMaxErrorV4 - kHeaders);
    if (!make_room(context, kHeaders, quoted)) return false;
    auto& ip = net::header_in<net::Ipv4Header>(context.ip());
    auto& icmp = net::header_in<net::IcmpHeader>(context.ip() + sizeof(net::Ipv4Header));
    icmp = {};
    icmp.type = answer.type_v4;
    icmp.code = answer.code_v4;
    icmp.sequence_or_mtu = net::Be16::from_host(answer.mtu);
    icmp.checksum = net::internet_checksum(
        {context.ip() + sizeof(net::Ipv4Header), sizeof(net::IcmpHeader) + quoted});
    ip = {};
    ip.version_ihl = 0x45;
    ip.traffic_class = static_cast<std::uint8_t>((tos & kTosBits) | kInternetControl);
    ip.total_length = net::Be16::from_host(static_cast<std::uint16_t>(kHeaders + quoted));
    ip.identification = net::Be16::from_host(burst.worker.next_ip_id++);
    ip.ttl = net::kIpDefaultTtl;
    ip.protocol = net::kProtocolIcmp;
    ip.source = from.v4();
    ip.destination = to.v4();
    ip.checksum = net::internet_checksum({context.ip(), sizeof(net::Ipv4Header)});
    return true;
}

bool build_v6(PacketContext& context, const Answer& answer, const net::IpAddress& from,
              const net::IpAddress& to) noexcept {
    constexpr std::size_t kHeaders = sizeof(net::Ipv6Header) + sizeof(net::Icmpv6Header);
    const std::size_t quoted =
        std::min<std::size_t>(context.parsed.ip_length, kMaxErrorV6 - kHeaders);
    if (!make_room(context, kHeaders, quoted)) return false;
    const std::size_t length = sizeof(net::Icmpv6Header) + quoted;
    auto& ip = net::header_in<net::Ipv6Header>(context.ip());
    std::uint8_t* const payload = context.ip() + sizeof(net::Ipv6Header);
    auto& icmp = net::header_in<net::Icmpv6Header>(payload);
    ip = {};
    ip.set_class_and_flow(0, 0);
    ip.payload_length = net::Be16::from_host(static_cast<std::uint16_t>(length));
    ip.next_header = net::kProtocolIcmpv6;
    ip.hop_limit = net::kIpDefaultTtl;
    ip.source = from.v6();
    ip.destination = to.v6();
    icmp = {};
    icmp.type = answer.type_v6;
    icmp.code = answer.code_v6;
    icmp.body = net::Be32::from_host(answer.mtu);
    net::ChecksumSum sum;
    sum.add_pseudo_header(from, to, net::kProtocolIcmpv6, static_cast<std::uint32_t>(length));
    sum.add({payload, length});
    icmp.checksum = sum.finish();
    return true;
}

void answer_with(Burst& burst, PacketContext& context, const Answer& answer) noexcept {
    const std::uint8_t* const frame = context.packet->data;
    const net::IpAddress destination = context.parsed.destination(frame);
    const net::IpAddress client = context.parsed.source(frame);
    const net::IpAddress from = source_of_answer(burst, context, destination);
    const NextHop* hop = burst.snapshot.routes->find(client);
    if (!may_answer(context, destination) || from.family == net::Family::None || hop == nullptr) {
        drop(burst, context, answer.reason);
        return;
    }
    const SysctlSpec& sysctl = burst.snapshot.sysctl;
    if (!burst.worker.answers.take(burst.now, sysctl.icmp_msgs_per_sec, sysctl.icmp_msgs_burst)) {
        drop(burst, context, DropReason::AnswerRateLimited);
        return;
    }
    const bool built = client.is_v4() ? build_v4(burst, context, answer, from, client)
                                      : build_v6(context, answer, from, client);
    drop(burst, context, built ? answer.reason : DropReason::NoHeadroom);
    if (built) originate(burst, context, *hop);
}

}  // namespace

void answer_ttl_exceeded(Burst& burst, PacketContext& context) noexcept {
    answer_with(burst, context,
                {DropReason::TtlExpired, net::kIcmpTimeExceeded, net::kIcmpTtlExceeded,
                 net::kIcmpv6TimeExceeded, net::kIcmpv6HopLimitExceeded});
}

void answer_no_server(Burst& burst, PacketContext& context) noexcept {
    answer_with(
        burst, context,
        {DropReason::NoRealServer, net::kIcmpDestinationUnreachable, net::kIcmpPortUnreachable,
         net::kIcmpv6DestinationUnreachable, net::kIcmpv6PortUnreachable});
}

void answer_no_connection(Burst& burst, PacketContext& context) noexcept {
    answer_with(
        burst, context,
        {DropReason::NoConnection, net::kIcmpDestinationUnreachable, net::kIcmpPortUnreachable,
         net::kIcmpv6DestinationUnreachable, net::kIcmpv6PortUnreachable});
}

void answer_tunnel_error(Burst& burst, PacketContext& context, const TunnelNews& news) noexcept {
    answer_with(burst, context,
                {DropReason::TunnelError, news.type_v4, news.code_v4, news.type_v6, news.code_v6,
                 news.mtu});
}

void answer_too_big(Burst& burst, PacketContext& context, std::uint16_t mtu) noexcept {
    answer_with(burst, context,
                {DropReason::MtuExceeded, net::kIcmpDestinationUnreachable,
                 net::kIcmpFragmentationNeeded, net::kIcmpv6PacketTooBig, 0, mtu});
}

void answer_with_reset(Burst& burst, PacketContext& context) noexcept {
    Packet& packet = *context.packet;
    std::array<std::uint8_t, net::kMaxTcpResetLength> reset{};
    const std::size_t length = net::build_tcp_reset(context.parsed, packet.data, reset);
    const NextHop* hop = burst.snapshot.routes->find(context.parsed.source(packet.data));
    const std::size_t link = context.parsed.l3_offset;
    // A segment is at least as long as the reset, so there is room.
    const bool fits = packet.frame_length == packet.length && link + length <= packet.length;
    if (length == 0 || hop == nullptr || !fits) {
        drop(burst, context, DropReason::ServerGone);
        return;
    }
    std::memcpy(context.ip(), reset.data(), length);
    packet.tailroom = static_cast<std::uint16_t>(packet.tailroom + packet.length - link - length);
    packet.length = static_cast<std::uint32_t>(link + length);
    packet.frame_length = packet.length;
    drop(burst, context, DropReason::ServerGone);
    originate(burst, context, *hop);
}

}  // namespace pollux::lb
