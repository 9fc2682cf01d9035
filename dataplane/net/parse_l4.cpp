// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/checksum.h"
#include "dataplane/net/parse_internal.h"
#include "dataplane/net/sctp.h"

namespace pollux::net::detail {
namespace {

// What a header that does not fit is called: RFC 8200 section 4.5 and RFC 1858 want the first
// fragment to hold all of it.
ParseError truncated(const ParsedPacket& packet, ParseError error) noexcept {
    return packet.more_fragments() ? ParseError::FragmentTooSmall : error;
}

ParseError parse_tcp(const Extent& extent, ParsedPacket& out) noexcept {
    auto error = extent.need(out.l4_offset, kTcpMinHeaderLength,
                             truncated(out, ParseError::TcpHeaderTruncated));
    if (error != ParseError::None) return error;
    const auto& tcp = out.tcp(extent.frame);
    const std::size_t length = tcp.header_length();
    if (length < kTcpMinHeaderLength) return ParseError::TcpBadDataOffset;
    error = extent.need(out.l4_offset, length, truncated(out, ParseError::TcpBadDataOffset));
    if (error != ParseError::None) return error;
    out.source_port = tcp.source_port;
    out.destination_port = tcp.destination_port;
    out.tcp_flags = tcp.flags;
    out.flags |= ParsedPacket::kHasPorts;
    out.payload_offset = static_cast<std::uint16_t>(out.l4_offset + length);
    return ParseError::None;
}

ParseError parse_udp(const Extent& extent, ParsedPacket& out) noexcept {
    const auto error = extent.need(out.l4_offset, kUdpHeaderLength,
                                   truncated(out, ParseError::UdpHeaderTruncated));
    if (error != ParseError::None) return error;
    const auto& udp = out.udp(extent.frame);
    const std::size_t length = udp.length.host();
    // A first fragment carries the length of the whole datagram.
    if (length < kUdpHeaderLength || (!out.more_fragments() && length > out.l4_length())) {
        return ParseError::UdpBadLength;
    }
    out.source_port = udp.source_port;
    out.destination_port = udp.destination_port;
    out.flags |= ParsedPacket::kHasPorts;
    out.payload_offset = static_cast<std::uint16_t>(out.l4_offset + kUdpHeaderLength);
    return ParseError::None;
}

ParseError parse_sctp(const Extent& extent, ParsedPacket& out) noexcept {
    const auto error = extent.need(out.l4_offset, kSctpHeaderLength,
                                   truncated(out, ParseError::SctpHeaderTruncated));
    if (error != ParseError::None) return error;
    const auto& sctp = header_in<SctpHeader>(extent.frame + out.l4_offset);
    out.source_port = sctp.source_port;
    out.destination_port = sctp.destination_port;
    out.flags |= ParsedPacket::kHasPorts;
    out.payload_offset = static_cast<std::uint16_t>(out.l4_offset + kSctpHeaderLength);
    return ParseError::None;
}

// Only of a message that lies whole and contiguous before us.
bool icmp_checksum_is_wrong(const Extent& extent, const ParsedPacket& packet) noexcept {
    if (packet.is_fragment() || extent.end > extent.contiguous) return false;
    ChecksumSum sum;
    sum.add({extent.frame + packet.l4_offset, packet.l4_length()});
    if (packet.is_v6()) {
        sum.add_pseudo_header(packet.source(extent.frame), packet.destination(extent.frame),
                              kProtocolIcmpv6, packet.l4_length());
    }
    return !sum.is_valid();
}

ParseError parse_icmp(const Extent& extent, std::uint16_t checksums, ParsedPacket& out) noexcept {
    const auto error = extent.need(out.l4_offset, kIcmpHeaderLength,
                                   truncated(out, ParseError::IcmpHeaderTruncated));
    if (error != ParseError::None) return error;
    out.payload_offset = static_cast<std::uint16_t>(out.l4_offset + kIcmpHeaderLength);
    const std::uint8_t type = extent.frame[out.l4_offset];
    if (!(out.is_v4() ? is_icmp_error(type) : is_icmpv6_error(type))) return ParseError::None;
    out.flags |= ParsedPacket::kIcmpError;
    // An error changes what we do to somebody else's connection, so it must be intact. All other
    // messages are for a kernel that looks itself.
    if ((checksums & RxChecksum::kL4Good) == 0 && icmp_checksum_is_wrong(extent, out)) {
        return ParseError::IcmpBadChecksum;
    }
    return ParseError::None;
}

}  // namespace

ParseError parse_l4(const ParseInput& input, ParsedPacket& out) noexcept {
    out.payload_offset = out.l4_offset;
    if (out.is_later_fragment()) return ParseError::None;
    const Extent extent = packet_extent(input, out);
    switch (out.protocol) {
        case kProtocolTcp:
            return parse_tcp(extent, out);
        case kProtocolUdp:
            return parse_udp(extent, out);
        case kProtocolSctp:
            return parse_sctp(extent, out);
        case kProtocolIcmp:
            return out.is_v4() ? parse_icmp(extent, input.checksums, out) : ParseError::None;
        case kProtocolIcmpv6:
            return out.is_v6() ? parse_icmp(extent, input.checksums, out) : ParseError::None;
        default:
            return ParseError::None;
    }
}

}  // namespace pollux::net::detail
