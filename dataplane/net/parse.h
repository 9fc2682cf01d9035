// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one parser of received frames. It accepts or names the one reason why not; everything behind
// it may trust the lengths and offsets of ParsedPacket. Pure; any thread.
//
// `parse` recognises the common frames inline (untagged, no options, no fragment, TCP or UDP) and
// leaves every other one, good or bad, to `parse_any`, which understands the common ones too.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/parse_error.h"
#include "dataplane/net/parsed_packet.h"

namespace pollux::net {

// What the NIC found out about checksums: bits of ParseInput::checksums.
struct RxChecksum {
    static constexpr std::uint16_t kIpGood = 1U << 0;
    static constexpr std::uint16_t kIpBad = 1U << 1;
    static constexpr std::uint16_t kL4Good = 1U << 2;
    static constexpr std::uint16_t kL4Bad = 1U << 3;
};

struct ParseInput {
    std::span<const std::uint8_t> bytes;  // the contiguous beginning of the frame
    std::uint32_t frame_length = 0;       // of the whole frame; >= bytes.size()
    std::uint16_t checksums = 0;          // RxChecksum; unknown ones are verified where they matter
};

// Parses every kind of frame. `out` is meaningful only for ParseError::None.
//
// Verified: all lengths; the IPv4 header checksum unless the NIC did; the checksum of unfragmented
// ICMP errors unless the NIC did. Not verified: TCP, UDP and SCTP checksums; a wrong one is passed
// on wrong, as LVS does.
[[nodiscard]] ParseError parse_any(const ParseInput& input, ParsedPacket& out) noexcept;

// The packet quoted by an ICMP error. Precondition: `packet` was parsed from `input` and
// packet.is_icmp_error(). Errors: IcmpBadQuote, MultiSegment. The quoted IPv4 header checksum is
// not verified: routers quote what they received with a TTL that they have already changed.
[[nodiscard]] ParseError parse_quoted(const ParseInput& input, const ParsedPacket& packet,
                                      QuotedPacket& out) noexcept;

namespace detail {

// Of a header without options. Precondition: 20 bytes lie at `header`.
inline bool ipv4_checksum_is_right(const std::uint8_t* header) noexcept {
    std::uint64_t words[2];
    std::uint32_t last = 0;
    std::memcpy(words, header, sizeof words);
    std::memcpy(&last, header + sizeof words, sizeof last);
    std::uint64_t sum = (words[0] & 0xffffffffU) + (words[0] >> 32U) + (words[1] & 0xffffffffU) +
                        (words[1] >> 32U) + last;
    sum = (sum & 0xffffU) + ((sum >> 16U) & 0xffffU) + (sum >> 32U);
    sum = (sum & 0xffffU) + (sum >> 16U);
    return sum == 0xffffU;
}

// What the NIC said, or what the header says where the NIC said nothing.
inline bool ipv4_checksum_is_accepted(std::uint16_t checksums,
                                      const std::uint8_t* header) noexcept {
    const unsigned known = checksums & (RxChecksum::kIpGood | RxChecksum::kIpBad);
    return known == RxChecksum::kIpGood || (known == 0 && ipv4_checksum_is_right(header));
}

// RFC 1122 section 3.2.1.3: multicast, limited broadcast, loopback and 0/8 are no senders.
constexpr bool is_ipv4_sender(Ipv4Address source) noexcept {
    const unsigned first = source.wire() & 0xffU;
    return first != 0 && first != 127 && (first & 0xf0U) != 0xe0U && ~source.wire() != 0;
}

// RFC 4291 sections 2.5.3, 2.5.5.2, 2.7. The unspecified address is for the caller to judge.
constexpr bool is_ipv6_sender(const Ipv6Address& source) noexcept {
    if (source.bytes[0] != 0) [[likely]]
        return source.bytes[0] != 0xff;
    const bool loopback = source.halves()[0] == 0 && source.halves()[1] == std::uint64_t{1} << 56U;
    return !loopback && !is_v4_mapped(source);
}

struct L4Fields {
    std::size_t header_length = 0;
    Be16 source_port{};
    Be16 destination_port{};
    std::uint8_t tcp_flags = 0;
};

// A TCP or UDP header. `available` bytes of it and its payload are contiguous, `length` belong to
// the packet. False: leave it to parse_any.
inline bool parse_plain_l4(std::uint8_t protocol, const std::uint8_t* l4, std::size_t available,
                           std::size_t length, L4Fields& out) noexcept {
    if (protocol == kProtocolTcp) [[likely]] {
        if (available < kTcpMinHeaderLength) return false;
        const auto& tcp = header_in<TcpHeader>(l4);
        out = {tcp.header_length(), tcp.source_port, tcp.destination_port, tcp.flags};
        return out.header_length >= kTcpMinHeaderLength && out.header_length <= length &&
               out.header_length <= available;
    }
    if (protocol == kProtocolUdp && available >= kUdpHeaderLength) {
        const auto& udp = header_in<UdpHeader>(l4);
        const std::size_t udp_length = udp.length.host();
        out = {kUdpHeaderLength, udp.source_port, udp.destination_port, 0};
        return udp_length >= kUdpHeaderLength && udp_length <= length;
    }
    return false;
}

inline void store_plain(PacketKind kind, std::size_t l4_offset, std::uint32_t ip_length,
                        const L4Fields& l4, ParsedPacket& out) noexcept {
    out = ParsedPacket{};
    out.l3_offset = sizeof(EthernetHeader);
    out.l4_offset = static_cast<std::uint16_t>(l4_offset);
    out.ip_length = ip_length;
    out.source_port = l4.source_port;
    out.destination_port = l4.destination_port;
    out.kind = kind;
    out.tcp_flags = l4.tcp_flags;
    out.flags = ParsedPacket::kHasPorts;
    out.payload_offset = static_cast<std::uint16_t>(l4_offset + l4.header_length);
}

// True: `out` is filled. False: not such a frame, or something is odd about it.
inline bool parse_plain_ipv4(const ParseInput& input, ParsedPacket& out) noexcept {
    constexpr std::size_t kL4Offset = sizeof(EthernetHeader) + kIpv4MinHeaderLength;
    // EtherType 0x0800, version 4, IHL 5, any traffic class, as one little-endian word.
    constexpr std::uint32_t kTypeAndVersion = 0x450008;
    const std::uint8_t* const frame = input.bytes.data();
    if (input.bytes.size() < kL4Offset) return false;
    std::uint32_t type_and_version = 0;
    std::memcpy(&type_and_version, frame + offsetof(EthernetHeader, ether_type), sizeof(Be32));
    if ((type_and_version & 0xffffffU) != kTypeAndVersion) return false;

    const auto& ip = header_in<Ipv4Header>(frame + sizeof(EthernetHeader));
    const std::uint32_t length = ip.total_length.host();
    if (length < kIpv4MinHeaderLength || sizeof(EthernetHeader) + length > input.frame_length ||
        ip.is_fragment() || !is_ipv4_sender(ip.source) || ip.source == ip.destination) {
        return false;
    }
    if (!ipv4_checksum_is_accepted(input.checksums, frame + sizeof(EthernetHeader))) return false;
    L4Fields l4;
    if (!parse_plain_l4(ip.protocol, frame + kL4Offset, input.bytes.size() - kL4Offset,
                        length - kIpv4MinHeaderLength, l4)) {
        return false;
    }
    store_plain(PacketKind::Ipv4, kL4Offset, length, l4, out);
    out.protocol = ip.protocol;
    out.ttl = ip.ttl;
    return true;
}

inline bool parse_plain_ipv6(const ParseInput& input, ParsedPacket& out) noexcept {
    constexpr std::size_t kL4Offset = sizeof(EthernetHeader) + kIpv6HeaderLength;
    const std::uint8_t* const frame = input.bytes.data();
    if (input.bytes.size() < kL4Offset) return false;
    if (header_in<EthernetHeader>(frame).ether_type != kEtherTypeIpv6) return false;

    const auto& ip = header_in<Ipv6Header>(frame + sizeof(EthernetHeader));
    const std::uint32_t length = ip.payload_length.host();
    if (ip.version() != 6 || kL4Offset + length > input.frame_length ||
        ip.source == Ipv6Address{} || !is_ipv6_sender(ip.source) || ip.source == ip.destination) {
        return false;
    }
    L4Fields l4;
    if (!parse_plain_l4(ip.next_header, frame + kL4Offset, input.bytes.size() - kL4Offset, length,
                        l4)) {
        return false;
    }
    store_plain(PacketKind::Ipv6, kL4Offset, kIpv6HeaderLength + length, l4, out);
    out.protocol = ip.next_header;
    out.ttl = ip.hop_limit;
    return true;
}

}  // namespace detail

// `parse_any`, quick for the common frames.
[[nodiscard]] inline ParseError parse(const ParseInput& input, ParsedPacket& out) noexcept {
    if (detail::parse_plain_ipv4(input, out)) [[likely]]
        return ParseError::None;
    if (detail::parse_plain_ipv6(input, out)) return ParseError::None;
    return parse_any(input, out);
}

}  // namespace pollux::net
