// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/icmp_build.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ip_build.h"
#include "dataplane/net/ip_protocol.h"

namespace pollux::net {
namespace {

constexpr std::size_t kMaxErrorLengthV4 = 576;
// RFC 1812 section 4.3.2.5: errors have the precedence "internetwork control" and otherwise the
// TOS bits (RFC 1349) of the packet.
constexpr std::uint8_t kInternetworkControl = 0xc0;
constexpr std::uint8_t kTosBits = 0x1e;

static_assert(kIcmpHeaderLength == kIcmpv6HeaderLength);

// `bytes` is the message, header first, its checksum field zero.
Be16 checksum_of(const IpHeaderFields& ip, std::span<const std::uint8_t> bytes) noexcept {
    ChecksumSum sum;
    sum.add(bytes);
    if (ip.source.is_v6()) {
        sum.add_pseudo_header(ip.source, ip.destination, kProtocolIcmpv6,
                              static_cast<std::uint32_t>(bytes.size()));
    }
    return sum.finish();
}

// RFC 1624 for a header field whose bytes change in one 16-bit word.
Be16 word_of(std::uint8_t first, std::uint8_t second) noexcept {
    return Be16::from_host(static_cast<std::uint16_t>(first * 256U + second));
}

}  // namespace

bool may_send_icmp_error(const ParsedPacket& packet, const std::uint8_t* frame,
                         bool is_too_big) noexcept {
    if (!packet.is_v4() && !packet.is_v6()) return false;
    if (packet.is_icmp_error() || packet.is_later_fragment()) return false;
    if (packet.source(frame).is_unspecified()) return false;
    const bool to_group = packet.destination(frame).is_multicast() ||
                          header_in<EthernetHeader>(frame).destination.is_multicast();
    return !to_group || (is_too_big && packet.is_v6());
}

std::size_t build_icmp_error(const IcmpError& error, const ParsedPacket& packet,
                             std::span<const std::uint8_t> frame,
                             std::span<std::uint8_t> out) noexcept {
    const bool v4 = packet.is_v4();
    const std::size_t ip_header = ip_header_length(error.source.family);
    const std::size_t most =
        (v4 ? kMaxErrorLengthV4 : std::size_t{kIpv6MinMtu}) - ip_header - kIcmpHeaderLength;
    const std::size_t readable =
        std::min<std::size_t>(packet.ip_length, frame.size() - packet.l3_offset);
    const std::size_t quoted = std::min(most, readable);
    IpHeaderFields ip;
    ip.source = error.source;
    ip.destination = packet.source(frame.data());
    ip.protocol = v4 ? kProtocolIcmp : kProtocolIcmpv6;
    if (v4) {
        const std::uint8_t tos = packet.ipv4(frame.data()).traffic_class;
        ip.traffic_class = static_cast<std::uint8_t>((tos & kTosBits) | kInternetworkControl);
    }
    ip.payload_length = kIcmpHeaderLength + quoted;
    if (write_ip_header(ip, out) == 0) return 0;

    const auto message = out.subspan(ip_header, ip.payload_length);
    std::memset(message.data(), 0, kIcmpHeaderLength);
    std::memcpy(message.data() + kIcmpHeaderLength, frame.data() + packet.l3_offset, quoted);
    // Both families have the checksum at 2 and an MTU in the last 16 bits of their header.
    auto& icmp = header_in<IcmpHeader>(message.data());
    icmp.type = error.type;
    icmp.code = error.code;
    icmp.sequence_or_mtu = Be16::from_host(error.mtu);
    icmp.checksum = checksum_of(ip, message);
    return ip_header + ip.payload_length;
}

bool turn_into_echo_reply(const ParsedPacket& packet, std::uint8_t* frame) noexcept {
    const std::uint8_t protocol = packet.is_v4() ? kProtocolIcmp : kProtocolIcmpv6;
    const std::uint8_t request = packet.is_v4() ? kIcmpEchoRequest : kIcmpv6EchoRequest;
    const std::uint8_t reply = packet.is_v4() ? kIcmpEchoReply : kIcmpv6EchoReply;
    if ((!packet.is_v4() && !packet.is_v6()) || packet.protocol != protocol ||
        packet.is_fragment() || packet.destination(frame).is_multicast()) {
        return false;
    }
    auto& icmp = header_in<IcmpHeader>(frame + packet.l4_offset);
    if (icmp.type != request) return false;
    // Swapped addresses leave every sum as it was.
    icmp.checksum =
        checksum_replace(icmp.checksum, word_of(request, icmp.code), word_of(reply, icmp.code));
    icmp.type = reply;
    if (packet.is_v4()) {
        auto& ip = packet.ipv4(frame);
        std::swap(ip.source, ip.destination);
        ip.checksum = checksum_replace(ip.checksum, word_of(ip.ttl, ip.protocol),
                                       word_of(kIpDefaultTtl, ip.protocol));
        ip.ttl = kIpDefaultTtl;
    } else {
        auto& ip = packet.ipv6(frame);
        std::swap(ip.source, ip.destination);
        ip.hop_limit = kIpDefaultTtl;
    }
    return true;
}

}  // namespace pollux::net
