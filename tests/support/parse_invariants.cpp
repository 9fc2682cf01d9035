// SPDX-License-Identifier: Apache-2.0
#include "tests/support/parse_invariants.h"

#include <algorithm>

namespace pollux::test {
namespace {

using net::PacketKind;
using net::ParsedPacket;
using net::ParseError;
using net::ParseInput;

std::size_t l4_header_length(std::uint8_t protocol) {
    if (protocol == net::kProtocolTcp) return 20;
    if (protocol == net::kProtocolUdp) return 8;
    return 12;
}

std::string check_ip(const ParseInput& input, const ParsedPacket& packet) {
    const std::size_t packet_end = std::size_t{packet.l3_offset} + packet.ip_length;
    const std::size_t readable = std::min(packet_end, input.bytes.size());
    const std::size_t ip_header = packet.is_v4() ? 20 : 40;
    if (packet_end > input.frame_length) return "the packet ends behind the frame";
    if (packet.l3_offset + ip_header > packet.l4_offset) return "no room for the IP header";
    if (packet.l4_offset > packet.payload_offset) return "the payload lies before the L4 header";
    if (packet.payload_offset > readable) return "a header lies outside the readable packet";
    if (packet.has_ports() &&
        packet.l4_offset + l4_header_length(packet.protocol) > packet.payload_offset) {
        return "ports without a whole header";
    }
    if (!packet.has_ports() &&
        (packet.source_port.wire() != 0 || packet.destination_port.wire() != 0)) {
        return "ports that are none";
    }
    if (packet.is_later_fragment() && (packet.has_ports() || packet.is_icmp_error())) {
        return "a later fragment with an L4 header";
    }
    if (packet.more_fragments() && !packet.is_fragment()) return "more fragments of no fragment";
    return "";
}

std::string check_quote(const ParseInput& input, const ParsedPacket& packet) {
    net::QuotedPacket quoted;
    const ParseError error = net::parse_quoted(input, packet, quoted);
    if (error == ParseError::MultiSegment) return "";
    if (error == ParseError::IcmpBadQuote) return "";
    if (error != ParseError::None) return "a quote with a reason that is not its own";
    const std::size_t packet_end = std::size_t{packet.l3_offset} + packet.ip_length;
    const std::size_t readable = std::min(packet_end, input.bytes.size());
    if (quoted.l3_offset != packet.payload_offset) return "the quote lies elsewhere";
    if (quoted.l4_offset > readable) return "the quote's headers lie outside the packet";
    if (quoted.l4_offset + quoted.l4_available > readable) return "the quote is too long";
    if (quoted.has_ports() && quoted.l4_available < 8) return "quoted ports without 8 bytes";
    return "";
}

}  // namespace

std::string broken_parse_invariant(const ParseInput& input) {
    ParsedPacket packet;
    ParsedPacket general;
    const ParseError error = net::parse(input, packet);
    if (net::parse_any(input, general) != error) return "quick and general parser disagree";
    if (error != ParseError::None) return "";
    if (packet != general) return "quick and general parser found different things";
    if (packet.vlan_count > net::kMaxVlanTags) return "too many VLAN tags accepted";
    if (packet.kind == PacketKind::Arp) {
        return packet.l3_offset + 28U <= input.bytes.size() ? "" : "ARP outside the frame";
    }
    if (!packet.is_v4() && !packet.is_v6()) return "a packet of no kind";
    std::string broken = check_ip(input, packet);
    if (broken.empty() && packet.is_icmp_error()) broken = check_quote(input, packet);
    return broken;
}

}  // namespace pollux::test
