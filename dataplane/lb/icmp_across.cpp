// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/icmp_across.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "dataplane/lb/answer.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"

namespace pollux::lb {
namespace {

// Both headers of IPv6 are so much longer.
constexpr std::uint32_t kLonger = sizeof(net::Ipv6Header) - sizeof(net::Ipv4Header);
constexpr std::size_t kMaxLinkHeader = 32;
constexpr std::size_t kMaxErrorV4 = 576;   // RFC 1812 section 4.3.2.3
constexpr std::size_t kMaxErrorV6 = 1280;  // RFC 4443 section 2.4

struct Kind {
    std::uint8_t type = 0, code = 0;
    std::uint32_t body = 0;  // host order
};

// RFC 7915 section 4.2. Nullopt: has no counterpart.
std::optional<Kind> kind_in_v6(const net::IcmpHeader& icmp) noexcept {
    if (icmp.type == net::kIcmpTimeExceeded) return Kind{net::kIcmpv6TimeExceeded, icmp.code};
    if (icmp.type != net::kIcmpDestinationUnreachable) return std::nullopt;
    constexpr std::uint32_t kNextHeaderField = 6;
    constexpr std::uint8_t kNetProhibited = 9, kHostProhibited = 10;
    switch (icmp.code) {
        case net::kIcmpFragmentationNeeded:
            return Kind{net::kIcmpv6PacketTooBig, 0, icmp.sequence_or_mtu.host() + kLonger};
        case net::kIcmpPortUnreachable:
            return Kind{net::kIcmpv6DestinationUnreachable, net::kIcmpv6PortUnreachable};
        case net::kIcmpProtocolUnreachable:
            return Kind{net::kIcmpv6ParameterProblem, 1, kNextHeaderField};
        case kNetProhibited:
        case kHostProhibited:
        case net::kIcmpAdministrativelyProhibited:
            return Kind{net::kIcmpv6DestinationUnreachable, net::kIcmpv6AdministrativelyProhibited};
        default:
            return Kind{net::kIcmpv6DestinationUnreachable, net::kIcmpv6NoRoute};
    }
}

// RFC 7915 section 5.2.
std::optional<Kind> kind_in_v4(const net::Icmpv6Header& icmp) noexcept {
    constexpr std::uint8_t kHostProhibited = 10;
    switch (icmp.type) {
        case net::kIcmpv6TimeExceeded:
            return Kind{net::kIcmpTimeExceeded, icmp.code};
        case net::kIcmpv6PacketTooBig:
            return Kind{net::kIcmpDestinationUnreachable, net::kIcmpFragmentationNeeded,
                        std::clamp(icmp.body.host(), kLonger, 0xffffU) - kLonger};
        case net::kIcmpv6DestinationUnreachable:
            if (icmp.code == net::kIcmpv6PortUnreachable) {
                return Kind{net::kIcmpDestinationUnreachable, net::kIcmpPortUnreachable};
            }
            return Kind{net::kIcmpDestinationUnreachable,
                        icmp.code == net::kIcmpv6AdministrativelyProhibited
                            ? kHostProhibited
                            : net::kIcmpHostUnreachable};
        case net::kIcmpv6ParameterProblem:
            if (icmp.code != 1) return std::nullopt;
            return Kind{net::kIcmpDestinationUnreachable, net::kIcmpProtocolUnreachable};
        default:
            return std::nullopt;
    }
}

// All that the new error is made of.
struct Plan {
    Kind kind;
    EndPoints quote;  // of the quoted packet
    const std::uint8_t* source = nullptr;
    const std::uint8_t* destination = nullptr;
    std::uint8_t traffic_class = 0, ttl = 0;  // outer, as it goes out
    std::uint8_t quoted_class = 0, quoted_ttl = 0, protocol = 0;
    std::uint16_t quoted_length = 0;  // of the quoted packet behind its IP header, in full
    std::uint8_t* l4 = nullptr;       // of the quoted packet
    std::size_t available = 0;        // from there
};

void describe_outer(const PacketContext& context, Plan& plan) noexcept {
    if (context.parsed.is_v4()) {
        const auto& ip = net::header_in<net::Ipv4Header>(context.ip());
        plan.traffic_class = ip.traffic_class;
        plan.ttl = static_cast<std::uint8_t>(ip.ttl - 1);
    } else {
        const auto& ip = net::header_in<net::Ipv6Header>(context.ip());
        plan.traffic_class = ip.traffic_class();
        plan.ttl = static_cast<std::uint8_t>(ip.hop_limit - 1);
    }
}

void describe_quote(const PacketContext& context, const net::QuotedPacket& quoted,
                    Plan& plan) noexcept {
    std::uint8_t* const frame = context.packet->data;
    const std::size_t headers = quoted.l4_offset - quoted.l3_offset;
    std::size_t total = 0;
    if (quoted.is_v4()) {
        const auto& ip = quoted.ipv4(frame);
        plan.quoted_class = ip.traffic_class;
        plan.quoted_ttl = ip.ttl;
        total = ip.total_length.host();
    } else {
        const auto& ip = net::header_in<net::Ipv6Header>(frame + quoted.l3_offset);
        plan.quoted_class = ip.traffic_class();
        plan.quoted_ttl = ip.hop_limit;
        total = sizeof ip + ip.payload_length.host();
    }
    plan.quoted_length = static_cast<std::uint16_t>(total - std::min(total, headers));
    plan.protocol = quoted.protocol;
    plan.l4 = frame + quoted.l4_offset;
    plan.available = quoted.l4_available;
}

EndPoints quote_ends(const Burst& burst, const PacketContext& context,
                     Direction direction) noexcept {
    const Connection& connection = *context.connection;
    if (direction == Direction::Reply) {
        return {{connection.client_bytes().data(), connection.client_port()},
                {connection.virtual_bytes().data(), connection.virtual_port()}};
    }
    const AddressRecord& local =
        burst.worker.shared.local_addresses[index(connection.local_address())];
    return {{context.server->address.bytes.data(), connection.server_port()},
            {local.bytes.data(), connection.local_port()}};
}

template <typename Address>
Address address_from(const std::uint8_t* bytes) noexcept {
    Address address;
    std::memcpy(&address, bytes, sizeof address);
    return address;
}

struct IpFields {
    const std::uint8_t* source;
    const std::uint8_t* destination;
    std::uint8_t traffic_class, ttl, protocol;
    std::size_t payload;
};

void write_ip(net::Ipv4Header& ip, const IpFields& fields, std::uint16_t id) noexcept {
    ip = {};
    ip.version_ihl = 0x45;
    ip.traffic_class = fields.traffic_class;
    ip.total_length = net::Be16::from_host(static_cast<std::uint16_t>(sizeof ip + fields.payload));
    ip.identification = net::Be16::from_host(id);
    ip.ttl = fields.ttl;
    ip.protocol = fields.protocol;
    ip.source = address_from<net::Ipv4Address>(fields.source);
    ip.destination = address_from<net::Ipv4Address>(fields.destination);
    ip.checksum = net::internet_checksum({reinterpret_cast<std::uint8_t*>(&ip), sizeof ip});
}

void write_ip(net::Ipv6Header& ip, const IpFields& fields, std::uint16_t /*id*/) noexcept {
    ip.set_class_and_flow(fields.traffic_class, 0);
    ip.payload_length = net::Be16::from_host(static_cast<std::uint16_t>(fields.payload));
    ip.next_header = fields.protocol;
    ip.hop_limit = fields.ttl;
    ip.source = address_from<net::Ipv6Address>(fields.source);
    ip.destination = address_from<net::Ipv6Address>(fields.destination);
}

// Writes the error in front of the quoted layer 4. False: no room.
template <typename Ip>
bool build(Burst& burst, PacketContext& context, const Plan& plan) noexcept {
    constexpr bool kIsV6 = sizeof(Ip) == sizeof(net::Ipv6Header);
    constexpr std::size_t kHeaders = 2 * sizeof(Ip) + sizeof(net::IcmpHeader);
    Packet& packet = *context.packet;
    const std::size_t link = context.parsed.l3_offset;
    std::uint8_t* const start = plan.l4 - kHeaders - link;
    const std::ptrdiff_t cut = start - packet.data;
    if (link > kMaxLinkHeader || packet.headroom + cut < 0) return false;
    std::array<std::uint8_t, kMaxLinkHeader> link_header{};
    std::memcpy(link_header.data(), packet.data, link);
    const std::size_t kept =
        std::min(plan.available, (kIsV6 ? kMaxErrorV6 : kMaxErrorV4) - kHeaders);
    PortPair& ports = net::header_in<PortPair>(plan.l4);
    ports = {plan.quote.source.port, plan.quote.destination.port};
    std::uint8_t* const outer = start + link;
    std::uint8_t* const message = outer + sizeof(Ip);
    const std::size_t length = sizeof(net::IcmpHeader) + sizeof(Ip) + kept;
    const std::uint8_t protocol = kIsV6 ? net::kProtocolIcmpv6 : net::kProtocolIcmp;
    write_ip(net::header_in<Ip>(message + sizeof(net::IcmpHeader)),
             {plan.quote.source.address, plan.quote.destination.address, plan.quoted_class,
              plan.quoted_ttl, plan.protocol, plan.quoted_length},
             0);
    write_ip(net::header_in<Ip>(outer),
             {plan.source, plan.destination, plan.traffic_class, plan.ttl, protocol, length},
             burst.worker.next_ip_id++);
    auto& icmp = net::header_in<net::Icmpv6Header>(message);
    icmp = {plan.kind.type, plan.kind.code, {}, net::Be32::from_host(plan.kind.body)};
    net::ChecksumSum sum;
    if constexpr (kIsV6) {
        const auto& ip = net::header_in<net::Ipv6Header>(outer);
        sum.add_pseudo_header(net::IpAddress::from_v6(ip.source),
                              net::IpAddress::from_v6(ip.destination), protocol,
                              static_cast<std::uint32_t>(length));
    }
    sum.add({message, length});
    icmp.checksum = sum.finish();
    std::memcpy(start, link_header.data(), link);
    const net::Be16 type = kIsV6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4;
    std::memcpy(start + link - sizeof type, &type, sizeof type);
    const std::size_t before = packet.length + packet.tailroom;
    packet.data = start;
    packet.headroom = static_cast<std::uint16_t>(packet.headroom + cut);
    packet.length = static_cast<std::uint32_t>(link + sizeof(Ip) + length);
    packet.frame_length = packet.length;
    packet.tailroom = static_cast<std::uint16_t>(static_cast<std::ptrdiff_t>(before) - cut -
                                                 static_cast<std::ptrdiff_t>(packet.length));
    context.parsed.ip_length = static_cast<std::uint16_t>(sizeof(Ip) + length);
    return true;
}

}  // namespace

void relate_across(Burst& burst, unsigned at, const net::QuotedPacket& quoted,
                   Direction direction) noexcept {
    PacketContext& context = burst.packet(at);
    const bool from_v4 = context.parsed.is_v4();
    const auto kind = from_v4 ? kind_in_v6(net::header_in<net::IcmpHeader>(context.l4()))
                              : kind_in_v4(net::header_in<net::Icmpv6Header>(context.l4()));
    if (!kind || context.parsed.is_fragment()) {
        drop(burst, context, DropReason::NoTranslation);
        return;
    }
    if (context.parsed.ttl <= 1) {
        answer_ttl_exceeded(burst, context);
        return;
    }
    Plan plan;
    plan.kind = *kind;
    plan.quote = quote_ends(burst, context, direction);
    // The error comes from whom the quoted packet was for, as far as its sender knows.
    plan.source = plan.quote.destination.address;
    plan.destination = plan.quote.source.address;
    describe_outer(context, plan);
    describe_quote(context, quoted, plan);
    if (direction == Direction::Reply) {
        context.hop = burst.snapshot.routes->find(context.connection->client_address());
        if (context.hop == nullptr) {
            drop(burst, context, DropReason::NoRoute);
            return;
        }
    }
    const bool built = from_v4 ? build<net::Ipv6Header>(burst, context, plan)
                               : build<net::Ipv4Header>(burst, context, plan);
    if (!built) {
        drop(burst, context, DropReason::NoHeadroom);
    } else if (direction == Direction::Forward) {
        send_to_server(burst, context);
    } else {
        send_to_client(burst, context);
    }
}

}  // namespace pollux::lb
