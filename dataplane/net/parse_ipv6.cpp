// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/parse_internal.h"

namespace pollux::net::detail {
namespace {

bool is_extension(std::uint8_t next_header) noexcept {
    return next_header == kProtocolHopByHop || next_header == kProtocolRouting ||
           next_header == kProtocolFragment || next_header == kProtocolAh ||
           next_header == kProtocolDestinationOptions;
}

ParseError check_routing_header(const Ipv6ExtensionHeader& header) noexcept {
    // RFC 5095: type 0 only serves attacks. Any other with segments left makes us a waypoint, and
    // the destination in the header is not the one that the checksum covers.
    if (header.routing_type == 0) return ParseError::Ipv6RoutingHeader0;
    if (header.segments_left != 0) return ParseError::Ipv6SourceRoute;
    return ParseError::None;
}

// Steps over one extension header.
ParseError step(const Extent& extent, Ipv6Chain& chain) noexcept {
    // RFC 7112: the first fragment holds the whole chain.
    const auto truncated =
        chain.fragment.present ? ParseError::FragmentTooSmall : ParseError::Ipv6BadExtension;
    auto error = extent.need(chain.offset, sizeof(Ipv6ExtensionHeader), truncated);
    if (error != ParseError::None) return error;
    const auto& header = header_in<Ipv6ExtensionHeader>(extent.frame + chain.offset);
    std::size_t length = header.length();
    if (chain.next_header == kProtocolFragment) {
        if (chain.fragment_payload != 0) return ParseError::Ipv6BadExtension;  // the second one
        const auto& fragment = header_in<Ipv6FragmentHeader>(extent.frame + chain.offset);
        length = sizeof(Ipv6FragmentHeader);
        // RFC 6946: an "atomic" fragment is a whole datagram.
        const bool whole = !fragment.more_fragments() && fragment.fragment_offset() == 0;
        chain.fragment = {!whole, fragment.more_fragments(), fragment.fragment_offset(),
                          fragment.identification.host()};
        chain.fragment_payload = chain.offset + length;
    } else if (chain.next_header == kProtocolAh) {
        constexpr std::size_t kAhFixedLength = 12;  // RFC 4302 section 2
        length = header.ah_length();
        if (length < kAhFixedLength) return ParseError::Ipv6BadExtension;
    } else if (chain.next_header == kProtocolRouting) {
        error = check_routing_header(header);
        if (error != ParseError::None) return error;
    }
    error = extent.need(chain.offset, length, truncated);
    if (error != ParseError::None) return error;
    chain.next_header = header.next_header;
    chain.offset += length;
    return ParseError::None;
}

ParseError check_header(const Extent& extent, ParsedPacket& out) noexcept {
    const auto error =
        extent.need(out.l3_offset, kIpv6HeaderLength, ParseError::Ipv6HeaderTruncated);
    if (error != ParseError::None) return error;
    const auto& ip = out.ipv6(extent.frame);
    if (ip.version() != 6) return ParseError::Ipv6BadVersion;
    const std::size_t length = kIpv6HeaderLength + ip.payload_length.host();
    if (out.l3_offset + length > extent.end) return ParseError::Ipv6BadPayloadLength;
    if (!is_ipv6_sender(ip.source)) return ParseError::Ipv6BadSource;
    if (ip.source == ip.destination) return ParseError::LandAttack;
    out.kind = PacketKind::Ipv6;
    out.ip_length = static_cast<std::uint32_t>(length);
    out.ttl = ip.hop_limit;
    return ParseError::None;
}

}  // namespace

ParseError walk_ipv6_chain(const Extent& extent, Ipv6Chain& chain) noexcept {
    const std::size_t start = chain.offset;
    for (unsigned count = 0; is_extension(chain.next_header); ++count) {
        if (count == kMaxIpv6ExtensionHeaders) return ParseError::Ipv6BadExtension;
        // RFC 8200 section 4.1: hop-by-hop options come first or not at all.
        if (chain.next_header == kProtocolHopByHop && count != 0) {
            return ParseError::Ipv6BadExtension;
        }
        const auto error = step(extent, chain);
        if (error != ParseError::None) return error;
        if (chain.offset - start > kMaxIpv6ExtensionBytes) return ParseError::Ipv6BadExtension;
        if (chain.fragment.offset != 0) break;  // what follows is the middle of something
    }
    return ParseError::None;
}

ParseError parse_ipv6(const ParseInput& input, ParsedPacket& out) noexcept {
    auto error = check_header(frame_extent(input), out);
    if (error != ParseError::None) return error;
    const auto& ip = out.ipv6(input.bytes.data());
    const Extent extent = packet_extent(input, out);
    Ipv6Chain chain;
    chain.offset = out.l3_offset + kIpv6HeaderLength;
    chain.next_header = ip.next_header;
    error = walk_ipv6_chain(extent, chain);
    if (error != ParseError::None) return error;
    out.protocol = chain.next_header;
    out.l4_offset = static_cast<std::uint16_t>(chain.offset);
    if (chain.offset != out.l3_offset + kIpv6HeaderLength) out.flags |= ParsedPacket::kHasOptions;
    // RFC 4862 section 5.4: a host without address asks only through ICMPv6.
    if (ip.source == Ipv6Address{} && out.protocol != kProtocolIcmpv6) {
        return ParseError::Ipv6BadSource;
    }
    if (chain.fragment.present) {
        constexpr std::size_t kHeader = sizeof(Ipv6FragmentHeader);
        const std::size_t before = chain.fragment_payload - kHeader - kIpv6HeaderLength;
        error = take_fragment(chain.fragment, extent.end - chain.fragment_payload,
                              before - out.l3_offset, out);
        if (error != ParseError::None) return error;
    }
    return parse_l4(input, out);
}

}  // namespace pollux::net::detail
