// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/checksum.h"
#include "dataplane/net/parse_internal.h"

namespace pollux::net::detail {
namespace {

// RFC 791 section 3.1. `options` is everything between the fixed header and its end.
ParseError check_options(std::span<const std::uint8_t> options) noexcept {
    std::size_t at = 0;
    while (at < options.size()) {
        const std::uint8_t type = options[at];
        if (type == kIpv4OptionEnd) break;
        if (type == kIpv4OptionNoOperation) {
            ++at;
            continue;
        }
        if (options.size() - at < 2) return ParseError::Ipv4BadOption;
        const std::size_t length = options[at + 1];
        if (length < 2 || length > options.size() - at) return ParseError::Ipv4BadOption;
        if (type == kIpv4OptionLooseSourceRoute || type == kIpv4OptionStrictSourceRoute) {
            return ParseError::Ipv4SourceRoute;
        }
        at += length;
    }
    return ParseError::None;
}

// The lengths that all later reads rely on.
ParseError check_lengths(const Extent& extent, ParsedPacket& out) noexcept {
    constexpr auto kTruncated = ParseError::Ipv4HeaderTruncated;
    auto error = extent.need(out.l3_offset, kIpv4MinHeaderLength, kTruncated);
    if (error != ParseError::None) return error;
    const auto& ip = out.ipv4(extent.frame);
    const std::size_t header_length = ip.header_length();
    if (ip.version() != 4) return ParseError::Ipv4BadVersion;
    if (header_length < kIpv4MinHeaderLength) return ParseError::Ipv4BadHeaderLength;
    error = extent.need(out.l3_offset, header_length, ParseError::Ipv4BadHeaderLength);
    if (error != ParseError::None) return error;
    const std::size_t total_length = ip.total_length.host();
    if (total_length < header_length || out.l3_offset + total_length > extent.end) {
        return ParseError::Ipv4BadTotalLength;
    }
    out.ip_length = static_cast<std::uint32_t>(total_length);
    out.l4_offset = static_cast<std::uint16_t>(out.l3_offset + header_length);
    return ParseError::None;
}

// RFC 1122 section 3.2.1.3 (a): a host without address asks for one by limited broadcast (DHCP);
// RFC 4541 section 2.1.1: so does a switch that queries local groups. Both are for the kernel.
bool is_nameless_host(const Ipv4Header& ip) noexcept {
    const std::uint32_t destination = ip.destination.host();
    return ip.source == Ipv4Address{} &&
           (destination == 0xffffffffU || (destination & 0xffffff00U) == 0xe0000000U);
}

bool checksum_is_accepted(const ParseInput& input, std::span<const std::uint8_t> header) noexcept {
    if ((input.checksums & RxChecksum::kIpBad) != 0) return false;
    if ((input.checksums & RxChecksum::kIpGood) != 0) return true;
    ChecksumSum sum;
    sum.add(header);
    return sum.is_valid();
}

}  // namespace

ParseError parse_ipv4(const ParseInput& input, ParsedPacket& out) noexcept {
    auto error = check_lengths(frame_extent(input), out);
    if (error != ParseError::None) return error;
    const auto header = input.bytes.subspan(out.l3_offset, out.l4_offset - out.l3_offset);
    const auto& ip = out.ipv4(input.bytes.data());
    if (!checksum_is_accepted(input, header)) return ParseError::Ipv4BadChecksum;
    if (!is_ipv4_sender(ip.source) && !is_nameless_host(ip)) return ParseError::Ipv4BadSource;
    if (ip.source == ip.destination) return ParseError::LandAttack;
    out.kind = PacketKind::Ipv4;
    out.protocol = ip.protocol;
    out.ttl = ip.ttl;
    if (header.size() > kIpv4MinHeaderLength) {
        out.flags |= ParsedPacket::kHasOptions;
        error = check_options(header.subspan(kIpv4MinHeaderLength));
        if (error != ParseError::None) return error;
    }
    if (ip.is_fragment()) {
        const Fragment fragment{true, ip.more_fragments(), ip.fragment_offset(),
                                ip.identification.host()};
        error = take_fragment(fragment, out.l4_length(), header.size(), out);
        if (error != ParseError::None) return error;
    }
    return parse_l4(input, out);
}

}  // namespace pollux::net::detail
