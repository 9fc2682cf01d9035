// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/parse_internal.h"

namespace pollux::net {
namespace {

using detail::Extent;

// RFC 792, RFC 1122 section 3.2.2: at least the first 8 bytes of the L4 header are quoted.
constexpr std::size_t kMinQuotedL4 = 8;

ParseError quoted_ipv4(const Extent& extent, QuotedPacket& out) noexcept {
    auto error = extent.need(out.l3_offset, kIpv4MinHeaderLength, ParseError::IcmpBadQuote);
    if (error != ParseError::None) return error;
    const auto& ip = out.ipv4(extent.frame);
    const std::size_t length = ip.header_length();
    if (ip.version() != 4 || length < kIpv4MinHeaderLength) return ParseError::IcmpBadQuote;
    error = extent.need(out.l3_offset, length, ParseError::IcmpBadQuote);
    if (error != ParseError::None) return error;
    if (length > kIpv4MinHeaderLength) out.flags |= ParsedPacket::kHasOptions;
    if (ip.is_fragment()) out.flags |= ParsedPacket::kFragment;
    if (ip.more_fragments()) out.flags |= ParsedPacket::kMoreFragments;
    out.fragment_offset = ip.fragment_offset();
    out.protocol = ip.protocol;
    out.l4_offset = static_cast<std::uint16_t>(out.l3_offset + length);
    return ParseError::None;
}

ParseError quoted_ipv6(const Extent& extent, QuotedPacket& out) noexcept {
    auto error = extent.need(out.l3_offset, kIpv6HeaderLength, ParseError::IcmpBadQuote);
    if (error != ParseError::None) return error;
    const auto& ip = out.ipv6(extent.frame);
    if (ip.version() != 6) return ParseError::IcmpBadQuote;
    detail::Ipv6Chain chain;
    chain.offset = out.l3_offset + kIpv6HeaderLength;
    chain.next_header = ip.next_header;
    error = detail::walk_ipv6_chain(extent, chain);
    if (error == ParseError::MultiSegment) return error;
    if (error != ParseError::None) return ParseError::IcmpBadQuote;
    if (chain.offset != out.l3_offset + kIpv6HeaderLength) out.flags |= ParsedPacket::kHasOptions;
    if (chain.fragment.present) out.flags |= ParsedPacket::kFragment;
    if (chain.fragment.more) out.flags |= ParsedPacket::kMoreFragments;
    out.fragment_offset = chain.fragment.offset;
    out.protocol = chain.next_header;
    out.l4_offset = static_cast<std::uint16_t>(chain.offset);
    return ParseError::None;
}

}  // namespace

ParseError parse_quoted(const ParseInput& input, const ParsedPacket& packet,
                        QuotedPacket& out) noexcept {
    const Extent extent = detail::packet_extent(input, packet);
    out = QuotedPacket{};
    out.kind = packet.kind;
    out.l3_offset = packet.payload_offset;
    auto error = packet.is_v4() ? quoted_ipv4(extent, out) : quoted_ipv6(extent, out);
    if (error != ParseError::None) return error;
    out.l4_available =
        static_cast<std::uint16_t>(std::min(extent.end, extent.contiguous) - out.l4_offset);
    const bool with_ports = out.protocol == kProtocolTcp || out.protocol == kProtocolUdp ||
                            out.protocol == kProtocolSctp;
    if (!with_ports || out.fragment_offset != 0) return ParseError::None;
    error = extent.need(out.l4_offset, kMinQuotedL4, ParseError::IcmpBadQuote);
    if (error != ParseError::None) return error;
    // The ports lead the headers of all three protocols.
    const auto& udp = header_in<UdpHeader>(extent.frame + out.l4_offset);
    out.source_port = udp.source_port;
    out.destination_port = udp.destination_port;
    out.flags |= ParsedPacket::kHasPorts;
    return ParseError::None;
}

}  // namespace pollux::net
