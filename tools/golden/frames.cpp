// SPDX-License-Identifier: Apache-2.0

#include "tools/golden/frames.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/parse.h"
#include "dataplane/net/sctp.h"

namespace pollux::golden {

namespace {

constexpr std::string_view kFlagLetters = "FSRPAUEC";  // from the lowest bit up

void put16(Bytes& bytes, unsigned value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& bytes, std::uint32_t value) {
    put16(bytes, value >> 16U);
    put16(bytes, value & 0xffffU);
}
void set16(Bytes& bytes, std::size_t at, net::Be16 value) {
    bytes[at] = static_cast<std::uint8_t>(value.host() >> 8U);
    bytes[at + 1] = static_cast<std::uint8_t>(value.host());
}

net::Be16 l4_checksum(const Ends& ends, std::uint8_t protocol, const Bytes& segment) {
    net::ChecksumSum sum;
    sum.add_pseudo_header(ends.source, ends.destination, protocol,
                          static_cast<std::uint32_t>(segment.size()));
    sum.add(segment);
    return sum.finish();
}

constexpr std::pair<std::string_view, std::uint8_t> kChunks[] = {
    {"DATA", net::kSctpChunkData},
    {"INIT", net::kSctpChunkInit},
    {"INIT_ACK", net::kSctpChunkInitAck},
    {"SACK", net::kSctpChunkSack},
    {"HEARTBEAT", net::kSctpChunkHeartbeat},
    {"HEARTBEAT_ACK", net::kSctpChunkHeartbeatAck},
    {"ABORT", net::kSctpChunkAbort},
    {"SHUTDOWN", net::kSctpChunkShutdown},
    {"SHUTDOWN_ACK", net::kSctpChunkShutdownAck},
    {"ERROR", net::kSctpChunkError},
    {"COOKIE_ECHO", net::kSctpChunkCookieEcho},
    {"COOKIE_ACK", net::kSctpChunkCookieAck},
    {"SHUTDOWN_COMPLETE", net::kSctpChunkShutdownComplete},
};

}  // namespace

net::MacAddress client_mac() {
    return {{2, 0, 0, 0, 0x0c, 1}};
}

net::MacAddress director_mac(Side side) {
    return {{2, 0, 0, 0, 0x0d, static_cast<std::uint8_t>(side == Side::Client ? 1 : 2)}};
}

net::MacAddress server_mac(unsigned number) {
    return {{2, 0, 0, 0, 5, static_cast<std::uint8_t>(number)}};
}

net::IpAddress server_address(unsigned number, net::Family family) {
    if (family == net::Family::V4) {
        return net::IpAddress::from_v4(net::Ipv4Address::from_host(0x0a020000 + number));
    }
    net::Ipv6Address address{{0xfd, 0, 0, 0x0b}};
    address.bytes[15] = static_cast<std::uint8_t>(number);
    return net::IpAddress::from_v6(address);
}

Bytes ip_packet(const net::IpAddress& source, const net::IpAddress& destination,
                std::uint8_t protocol, const Bytes& payload) {
    Bytes packet;
    const auto length = static_cast<unsigned>(payload.size());
    if (source.is_v4()) {
        put16(packet, 0x4500);
        put16(packet, 20 + length);
        put16(packet, 0x1234);
        put16(packet, 0x4000);
        put16(packet, 64U * 256 + protocol);
        put16(packet, 0);
        packet.insert(packet.end(), source.bytes.begin(), source.bytes.begin() + 4);
        packet.insert(packet.end(), destination.bytes.begin(), destination.bytes.begin() + 4);
        set16(packet, 10, net::internet_checksum(packet));
    } else {
        put32(packet, 0x60000000);
        put16(packet, length);
        put16(packet, protocol * 256U + 64);
        packet.insert(packet.end(), source.bytes.begin(), source.bytes.end());
        packet.insert(packet.end(), destination.bytes.begin(), destination.bytes.end());
    }
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

Bytes tcp_packet(const Ends& ends, std::string_view flags, std::string_view payload) {
    unsigned bits = 0;
    for (const char letter : flags) {
        const std::size_t bit = kFlagLetters.find(letter);
        if (bit != std::string_view::npos) bits |= 1U << bit;
    }
    Bytes segment;
    put16(segment, ends.source_port);
    put16(segment, ends.destination_port);
    put32(segment, 1000);
    put32(segment, 0);
    put16(segment, 0x5000U | bits);
    put16(segment, 64240);
    put32(segment, 0);
    segment.insert(segment.end(), payload.begin(), payload.end());
    set16(segment, 16, l4_checksum(ends, net::kProtocolTcp, segment));
    return ip_packet(ends.source, ends.destination, net::kProtocolTcp, segment);
}

Bytes udp_packet(const Ends& ends, std::string_view payload) {
    Bytes datagram;
    put16(datagram, ends.source_port);
    put16(datagram, ends.destination_port);
    put16(datagram, static_cast<unsigned>(8 + payload.size()));
    put16(datagram, 0);
    datagram.insert(datagram.end(), payload.begin(), payload.end());
    set16(datagram, 6, net::udp_nonzero(l4_checksum(ends, net::kProtocolUdp, datagram)));
    return ip_packet(ends.source, ends.destination, net::kProtocolUdp, datagram);
}

std::optional<Bytes> sctp_packet(const Ends& ends, std::string_view chunk) {
    const auto* const found = std::find_if(std::begin(kChunks), std::end(kChunks),
                                           [chunk](const auto& row) { return row.first == chunk; });
    if (found == std::end(kChunks)) return std::nullopt;
    Bytes packet;
    put16(packet, ends.source_port);
    put16(packet, ends.destination_port);
    put32(packet, 1);
    put32(packet, 0);
    put16(packet, found->second * 256U);
    put16(packet, 4);
    const net::Be32 checksum = net::sctp_checksum(packet);
    Bytes raw;
    put32(raw, checksum.host());
    std::copy(raw.begin(), raw.end(), packet.begin() + 8);
    return ip_packet(ends.source, ends.destination, net::kProtocolSctp, packet);
}

Bytes ethernet(const net::MacAddress& destination, const net::MacAddress& source,
               const Bytes& packet) {
    Bytes frame;
    frame.insert(frame.end(), destination.bytes.begin(), destination.bytes.end());
    frame.insert(frame.end(), source.bytes.begin(), source.bytes.end());
    put16(frame, !packet.empty() && packet[0] >> 4U == 6 ? 0x86dd : 0x0800);
    frame.insert(frame.end(), packet.begin(), packet.end());
    return frame;
}

std::string flag_letters(std::uint8_t flags) {
    std::string letters;
    for (unsigned bit = 0; bit < kFlagLetters.size(); ++bit) {
        if ((flags >> bit & 1U) != 0) letters += kFlagLetters[bit];
    }
    return letters;
}

std::string who(const Emitted& emitted) {
    const Bytes& frame = emitted.frame;
    if (emitted.side == Side::Server) {
        if (frame[4] == 5) return "R" + std::to_string(frame[5]);
        return "r?";
    }
    net::ParsedPacket parsed;
    const net::ParseError error =
        net::parse_any({frame, static_cast<std::uint32_t>(frame.size()), 0}, parsed);
    if (error != net::ParseError::None) return "client:malformed";
    const bool icmp = parsed.protocol == net::kProtocolIcmp;
    if (icmp || parsed.protocol == net::kProtocolIcmpv6) {
        const std::string kind = icmp ? "icmp " : "icmp6 ";
        return "client:" + kind + std::to_string(frame[parsed.l4_offset]) + "/" +
               std::to_string(frame[parsed.l4_offset + 1U]);
    }
    if (parsed.protocol == net::kProtocolTcp) {
        return "client:tcp[" + flag_letters(parsed.tcp_flags) + "]";
    }
    if (parsed.protocol == net::kProtocolUdp) return "client:udp";
    if (parsed.protocol == net::kProtocolSctp) return "client:sctp";
    return parsed.is_v4() ? "client:ip4" : "client:ip6";
}

std::string who(const std::vector<Emitted>& emitted) {
    std::string text;
    for (const Emitted& one : emitted) text += (text.empty() ? "" : ",") + who(one);
    return text.empty() ? "none" : text;
}

}  // namespace pollux::golden
