// SPDX-License-Identifier: Apache-2.0

#include "tools/golden/host.h"

#include <algorithm>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/parse.h"

namespace pollux::golden {

namespace {

// What a Linux host does with one received packet.
struct Received {
    net::ParsedPacket parsed;
    net::IpAddress source, destination;
    Bytes packet;   // without the link layer
    Bytes segment;  // the upper layer
};

std::optional<Received> receive(const Bytes& frame) {
    Received received;
    net::ParsedPacket& parsed = received.parsed;
    const net::ParseInput input{frame, static_cast<std::uint32_t>(frame.size()), 0};
    if (net::parse_any(input, parsed) != net::ParseError::None) return std::nullopt;
    if (!parsed.is_v4() && !parsed.is_v6()) return std::nullopt;
    received.source = parsed.source(frame.data());
    received.destination = parsed.destination(frame.data());
    const auto end =
        frame.begin() + parsed.l3_offset + static_cast<std::ptrdiff_t>(parsed.ip_length);
    received.packet.assign(frame.begin() + parsed.l3_offset, end);
    received.segment.assign(frame.begin() + parsed.l4_offset, end);
    return received;
}

bool checksum_is_right(const Received& received) {
    net::ChecksumSum sum;
    sum.add_pseudo_header(received.source, received.destination, received.parsed.protocol,
                          static_cast<std::uint32_t>(received.segment.size()));
    sum.add(received.segment);
    return sum.is_valid();
}

// RFC 9293 section 3.10.7.1: what a closed port answers.
std::optional<Bytes> answer_tcp(const Received& received) {
    const std::uint8_t flags = received.parsed.tcp_flags;
    if ((flags & net::kTcpRst) != 0 || !checksum_is_right(received)) return std::nullopt;
    const Ends back{received.destination, received.source, received.parsed.destination_port.host(),
                    received.parsed.source_port.host()};
    return tcp_packet(back, (flags & net::kTcpAck) != 0 ? "R" : "RA");
}

Bytes icmp_message(const Received& received, std::uint8_t type, std::uint8_t code,
                   const Bytes& behind) {
    Bytes message{type, code, 0, 0};
    message.insert(message.end(), behind.begin(), behind.end());
    net::ChecksumSum sum;
    if (received.parsed.is_v6()) {
        sum.add_pseudo_header(received.destination, received.source, net::kProtocolIcmpv6,
                              static_cast<std::uint32_t>(message.size()));
    }
    sum.add(message);
    const std::uint16_t checksum = sum.finish().host();
    message[2] = static_cast<std::uint8_t>(checksum >> 8U);
    message[3] = static_cast<std::uint8_t>(checksum);
    const bool v4 = received.parsed.is_v4();
    return ip_packet(received.destination, received.source,
                     v4 ? net::kProtocolIcmp : net::kProtocolIcmpv6, message);
}

// An error that quotes as much as fits (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4).
Bytes icmp_error(const Received& received, std::uint8_t type, std::uint8_t code) {
    const std::size_t room = received.parsed.is_v4() ? 576 - 28 : 1280 - 48;
    Bytes behind(4, 0);
    const auto quoted = static_cast<std::ptrdiff_t>(std::min(room, received.packet.size()));
    behind.insert(behind.end(), received.packet.begin(), received.packet.begin() + quoted);
    return icmp_message(received, type, code, behind);
}

std::optional<Bytes> answer_icmp(const Received& received) {
    const bool v4 = received.parsed.is_v4();
    const std::uint8_t request = v4 ? net::kIcmpEchoRequest : net::kIcmpv6EchoRequest;
    if (received.segment.size() < 8 || received.segment[0] != request) return std::nullopt;
    const Bytes behind(received.segment.begin() + 4, received.segment.end());
    return icmp_message(received, v4 ? net::kIcmpEchoReply : net::kIcmpv6EchoReply, 0, behind);
}

}  // namespace

bool Host::owns(const net::IpAddress& address) const {
    return std::any_of(owned_.begin(), owned_.end(), [&address](const net::IpPrefix& prefix) {
        return prefix.contains(address);
    });
}

std::optional<Bytes> Host::answer(const Bytes& frame) const {
    const auto received = receive(frame);
    if (!received) return std::nullopt;
    const bool v4 = received->parsed.is_v4();
    switch (received->parsed.protocol) {
        case net::kProtocolTcp:
            return answer_tcp(*received);
        case net::kProtocolUdp: {
            const bool unchecked = v4 && received->segment[6] == 0 && received->segment[7] == 0;
            if (!unchecked && !checksum_is_right(*received)) return std::nullopt;
            return v4 ? icmp_error(*received, net::kIcmpDestinationUnreachable,
                                   net::kIcmpPortUnreachable)
                      : icmp_error(*received, net::kIcmpv6DestinationUnreachable,
                                   net::kIcmpv6PortUnreachable);
        }
        case net::kProtocolIcmp:
        case net::kProtocolIcmpv6:
            return answer_icmp(*received);
        case net::kProtocolNoNextHeader:
            return std::nullopt;
        default:
            break;
    }
    // RFC 4443 section 3.4: an unrecognized next header is a parameter problem.
    return v4 ? icmp_error(*received, net::kIcmpDestinationUnreachable,
                           net::kIcmpProtocolUnreachable)
              : icmp_error(*received, net::kIcmpv6ParameterProblem, 1);
}

std::optional<Emitted> Host::send(const Bytes& packet) {
    const bool v4 = packet[0] >> 4U == 4;
    const net::IpPrefix servers = *net::IpPrefix::parse(v4 ? "10.2.0.0/24" : "fd00:b::/64");
    net::IpAddress destination{{}, v4 ? net::Family::V4 : net::Family::V6};
    std::copy_n(packet.begin() + (v4 ? 16 : 24), v4 ? 4 : 16, destination.bytes.begin());
    Emitted emitted;
    emitted.by_host = true;
    if (!servers.contains(destination)) {
        emitted.frame = ethernet(client_mac(), director_mac(Side::Client), packet);
        return emitted;
    }
    const unsigned number = destination.bytes[v4 ? 3 : 15];
    if (number == 0 || number > kServers) return std::nullopt;  // nobody answers for it
    emitted.side = Side::Server;
    emitted.frame = ethernet(server_mac(number), director_mac(Side::Server), packet);
    return emitted;
}

std::optional<Emitted> Host::route(const Bytes& frame, Side side) const {
    const auto received = receive(frame);
    if (!received) return std::nullopt;
    const bool v4 = received->parsed.is_v4();
    if (received->parsed.ttl <= 1) {
        Received local = *received;
        const char* own = side == Side::Client ? (v4 ? "10.255.0.1" : "fd00:ffff::1")
                                               : (v4 ? "10.2.0.254" : "fd00:b::fe");
        local.destination = *net::IpAddress::parse(own);
        return send(icmp_error(local, v4 ? net::kIcmpTimeExceeded : net::kIcmpv6TimeExceeded, 0));
    }
    Bytes packet = received->packet;
    --packet[v4 ? 8 : 7];
    if (v4) {
        auto& header = net::header_in<net::Ipv4Header>(packet.data());
        header.checksum = {};
        header.checksum = net::internet_checksum(std::span(packet).first(header.header_length()));
    }
    return send(packet);
}

std::optional<Bytes> Host::reassemble(const Bytes& frame) {
    const auto received = receive(frame);
    if (!received) return std::nullopt;
    const net::ParsedPacket& parsed = received->parsed;
    const std::string name = received->source.to_string() + " " +
                             received->destination.to_string() + " " +
                             std::to_string(parsed.fragment_id);
    Pieces& pieces = pieces_[name];
    pieces.at[parsed.fragment_offset] = received->segment;
    if (!parsed.more_fragments()) {
        pieces.length = parsed.fragment_offset + received->segment.size();
    }
    Bytes whole;
    for (const auto& [offset, bytes] : pieces.at) {
        if (offset != whole.size()) return std::nullopt;
        whole.insert(whole.end(), bytes.begin(), bytes.end());
    }
    if (whole.size() != pieces.length) return std::nullopt;
    pieces_.erase(name);
    return ethernet(director_mac(Side::Client), client_mac(),
                    ip_packet(received->source, received->destination, parsed.protocol, whole));
}

std::optional<Emitted> Host::handle(const Bytes& frame, Side side) {
    const auto received = receive(frame);
    if (!received) return std::nullopt;
    if (!owns(received->destination)) {
        return forwards_ ? route(frame, side) : std::nullopt;
    }
    const auto whole = received->parsed.is_fragment() ? reassemble(frame) : frame;
    if (!whole) return std::nullopt;
    const auto packet = answer(*whole);
    return packet ? send(*packet) : std::nullopt;
}

}  // namespace pollux::golden
