// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/parse.h"

#include "dataplane/net/arp.h"
#include "dataplane/net/parse_internal.h"

namespace pollux::net {
namespace {

using detail::Extent;

ParseError parse_ethernet(const Extent& extent, ParsedPacket& out, Be16& ether_type) noexcept {
    auto error = extent.need(0, sizeof(EthernetHeader), ParseError::FrameTooShort);
    if (error != ParseError::None) return error;
    ether_type = header_in<EthernetHeader>(extent.frame).ether_type;
    std::size_t offset = sizeof(EthernetHeader);
    while (is_vlan_ether_type(ether_type)) {
        if (out.vlan_count == kMaxVlanTags) return ParseError::TooManyVlanTags;
        error = extent.need(offset, sizeof(VlanTag), ParseError::FrameTooShort);
        if (error != ParseError::None) return error;
        const auto& tag = header_in<VlanTag>(extent.frame + offset);
        out.vlan_control[out.vlan_count++] = tag.control;
        ether_type = tag.ether_type;
        offset += sizeof(VlanTag);
    }
    out.l3_offset = out.l4_offset = out.payload_offset = static_cast<std::uint16_t>(offset);
    return ParseError::None;
}

ParseError parse_arp(const Extent& extent, ParsedPacket& out) noexcept {
    const auto error = extent.need(out.l3_offset, sizeof(ArpPacket), ParseError::ArpMalformed);
    if (error != ParseError::None) return error;
    if (!header_in<ArpPacket>(extent.frame + out.l3_offset).is_ipv4_over_ethernet()) {
        return ParseError::ArpMalformed;
    }
    out.kind = PacketKind::Arp;
    return ParseError::None;
}

}  // namespace

ParseError parse_any(const ParseInput& input, ParsedPacket& out) noexcept {
    out = ParsedPacket{};
    Be16 ether_type;
    const auto error = parse_ethernet(detail::frame_extent(input), out, ether_type);
    if (error != ParseError::None) return error;
    if (ether_type == kEtherTypeIpv4) return detail::parse_ipv4(input, out);
    if (ether_type == kEtherTypeIpv6) return detail::parse_ipv6(input, out);
    if (ether_type == kEtherTypeArp) return parse_arp(detail::frame_extent(input), out);
    return ParseError::UnknownEtherType;
}

ParseError detail::take_fragment(const Fragment& fragment, std::size_t part, std::size_t overhead,
                                 ParsedPacket& out) noexcept {
    // RFC 791 section 3.2, RFC 8200 section 4.5: only the last part has any length.
    if (part == 0 || (fragment.more && part % 8 != 0)) return ParseError::FragmentBadLength;
    if (overhead + fragment.offset + part > kIpMaxLength) return ParseError::FragmentOversize;
    out.flags |= ParsedPacket::kFragment;
    if (fragment.more) out.flags |= ParsedPacket::kMoreFragments;
    out.fragment_offset = fragment.offset;
    out.fragment_id = fragment.id;
    return ParseError::None;
}

}  // namespace pollux::net
