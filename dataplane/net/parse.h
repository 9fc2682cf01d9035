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

template <typename T>
inline T load(const std::uint8_t* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// Of a header without options. Precondition: 20 bytes lie at `header`, not all zero. A sum of words
// has the value of its folded sum modulo 2^16 - 1, so a right header is one that leaves no rest.
// A multiple of 2^16 - 1 is one that its inverse modulo 2^64, -kRepeated, makes small: one
// multiplication instead of the folding. (Digit by digit: 0xffff * 0x0001000100010001 is -1.)
inline bool ipv4_checksum_is_right(const std::uint8_t* header) noexcept {
    constexpr std::uint64_t kRepeated = 0x0001000100010001;
    const std::uint64_t sum = std::uint64_t{load<std::uint32_t>(header)} +
                              load<std::uint32_t>(header + 4) + load<std::uint32_t>(header + 8) +
                              load<std::uint32_t>(header + 12) + load<std::uint32_t>(header + 16);
    return 0 - sum * kRepeated <= kRepeated;
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

// 1..126 and 128..223: senders whatever follows. The others are for is_ipv4_sender.
constexpr bool begins_ipv4_sender(std::uint8_t first) noexcept {
    return static_cast<std::uint8_t>(first - 1U) < 223 && first != 127;
}

// RFC 4291 sections 2.5.3, 2.5.5.2, 2.7. The unspecified address is for the caller to judge.
constexpr bool is_ipv6_sender(const Ipv6Address& source) noexcept {
    if (source.bytes[0] != 0) [[likely]]
        return source.bytes[0] != 0xff;
    const bool loopback = source.halves()[0] == 0 && source.halves()[1] == std::uint64_t{1} << 56U;
    return !loopback && !is_v4_mapped(source);
}

// The bytes that a plain frame must have at least behind its IP header, contiguous: a TCP header's.
// A shorter datagram, which only a link without a smallest frame delivers, is left to parse_any.
inline constexpr std::size_t kPlainL4 = kTcpMinHeaderLength;

// What of a plain frame's L4 header is not copied as it lies there.
struct PlainL4 {
    std::uint32_t header_length = 0;
    std::uint8_t tcp_flags = 0;
};

// A TCP or UDP header. Precondition: kPlainL4 of the `available` contiguous bytes of it and its
// payload; `length` belong to the packet. False: leave it to parse_any.
inline bool parse_plain_l4(std::uint8_t protocol, const std::uint8_t* l4, std::size_t available,
                           std::size_t length, PlainL4& out) noexcept {
    if (protocol == kProtocolTcp) [[likely]] {
        const auto& tcp = header_in<TcpHeader>(l4);
        out.header_length = static_cast<std::uint32_t>(tcp.header_length());
        out.tcp_flags = tcp.flags;
        return out.header_length >= kTcpMinHeaderLength && out.header_length <= length &&
               out.header_length <= available;
    }
    const std::size_t udp_length = header_in<UdpHeader>(l4).length.host();
    out.header_length = kUdpHeaderLength;
    return protocol == kProtocolUdp && udp_length >= kUdpHeaderLength && udp_length <= length;
}

// Of a plain frame's IP header.
struct PlainL3 {
    PacketKind kind;
    std::uint8_t protocol;
    std::uint8_t ttl;
    std::uint64_t l4_offset;
    std::uint64_t ip_length;
};

// Fills `out` with four stores, one for each eight of its bytes, instead of one for each member.
inline void store_plain(const PlainL3& l3, const PlainL4& l4, const std::uint8_t* frame,
                        ParsedPacket& out) noexcept {
    static_assert(offsetof(ParsedPacket, l4_offset) == 2 && offsetof(ParsedPacket, ip_length) == 4);
    static_assert(offsetof(ParsedPacket, source_port) == 8 && offsetof(ParsedPacket, ttl) == 15);
    static_assert(offsetof(ParsedPacket, destination_port) == 10);
    static_assert(offsetof(ParsedPacket, protocol) == 12 && offsetof(ParsedPacket, kind) == 13);
    static_assert(offsetof(ParsedPacket, tcp_flags) == 14 && offsetof(ParsedPacket, flags) == 16);
    static_assert(offsetof(ParsedPacket, payload_offset) == 28);
    const auto store = [&out](std::size_t place, std::uint64_t word) {
        std::memcpy(reinterpret_cast<std::uint8_t*>(&out) + 8 * place, &word, sizeof word);
    };
    store(0, sizeof(EthernetHeader) | (l3.l4_offset << 16U) | (l3.ip_length << 32U));
    store(1, load<std::uint32_t>(frame + l3.l4_offset) |  // both ports
                 (std::uint64_t{l3.protocol} << 32U) |
                 (static_cast<std::uint64_t>(l3.kind) << 40U) |
                 (std::uint64_t{l4.tcp_flags} << 48U) | (std::uint64_t{l3.ttl} << 56U));
    store(2, ParsedPacket::kHasPorts);
    store(3, (l3.l4_offset + l4.header_length) << 32U);
}

}  // namespace detail

// The shortest frame that may be a plain one.
inline constexpr std::size_t kPlainFrame =
    sizeof(EthernetHeader) + kIpv4MinHeaderLength + detail::kPlainL4;

// The common frames, untagged, whole TCP or UDP without IP options. True: `out` is filled as by
// parse_any. False: not such a frame, or something is odd about it: leave it to parse_any.
[[gnu::always_inline]] inline bool parse_plain_ipv4(const ParseInput& input,
                                                    ParsedPacket& out) noexcept {
    constexpr std::size_t kL4Offset = sizeof(EthernetHeader) + kIpv4MinHeaderLength;
    // EtherType 0x0800, version 4, IHL 5, any traffic class, as one little-endian word.
    constexpr std::uint32_t kTypeAndVersion = 0x450008;
    const std::uint8_t* const frame = input.bytes.data();
    const std::size_t contiguous = input.bytes.size();
    if (contiguous < kL4Offset + detail::kPlainL4) return false;
    std::uint32_t type_and_version = 0;
    std::memcpy(&type_and_version, frame + offsetof(EthernetHeader, ether_type), sizeof(Be32));
    if ((type_and_version & 0xffffffU) != kTypeAndVersion) return false;

    const auto& ip = header_in<Ipv4Header>(frame + sizeof(EthernetHeader));
    const std::uint32_t length = ip.total_length.host();
    if (length < kIpv4MinHeaderLength || sizeof(EthernetHeader) + length > input.frame_length ||
        ip.is_fragment() ||
        !detail::begins_ipv4_sender(static_cast<std::uint8_t>(ip.source.wire())) ||
        ip.source == ip.destination) {
        return false;
    }
    if (!detail::ipv4_checksum_is_accepted(input.checksums, frame + sizeof(EthernetHeader)))
        return false;
    detail::PlainL4 l4;
    if (!detail::parse_plain_l4(ip.protocol, frame + kL4Offset, contiguous - kL4Offset,
                                length - kIpv4MinHeaderLength, l4)) {
        return false;
    }
    detail::store_plain({PacketKind::Ipv4, ip.protocol, ip.ttl, kL4Offset, length}, l4, frame, out);
    return true;
}

inline bool parse_plain_ipv6(const ParseInput& input, ParsedPacket& out) noexcept {
    constexpr std::size_t kL4Offset = sizeof(EthernetHeader) + kIpv6HeaderLength;
    const std::uint8_t* const frame = input.bytes.data();
    const std::size_t contiguous = input.bytes.size();
    if (contiguous < kL4Offset + detail::kPlainL4) return false;
    if (header_in<EthernetHeader>(frame).ether_type != kEtherTypeIpv6) return false;

    const auto& ip = header_in<Ipv6Header>(frame + sizeof(EthernetHeader));
    const std::uint32_t length = ip.payload_length.host();
    // An address that begins with zero (unspecified, loopback, IPv4-mapped) is for parse_any.
    const std::uint8_t first = ip.source.bytes[0];
    if (ip.version() != 6 || kL4Offset + length > input.frame_length || first == 0 ||
        first == 0xff || ip.source == ip.destination) {
        return false;
    }
    detail::PlainL4 l4;
    if (!detail::parse_plain_l4(ip.next_header, frame + kL4Offset, contiguous - kL4Offset, length,
                                l4)) {
        return false;
    }
    detail::store_plain({PacketKind::Ipv6, ip.next_header, ip.hop_limit, kL4Offset,
                         static_cast<std::uint32_t>(kIpv6HeaderLength + length)},
                        l4, frame, out);
    return true;
}

// `parse_any`, quick for the common frames.
[[nodiscard]] inline ParseError parse(const ParseInput& input, ParsedPacket& out) noexcept {
    if (parse_plain_ipv4(input, out)) [[likely]]
        return ParseError::None;
    if (parse_plain_ipv6(input, out)) return ParseError::None;
    return parse_any(input, out);
}

}  // namespace pollux::net
