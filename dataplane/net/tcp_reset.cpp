// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/tcp_reset.h"

#include "dataplane/net/checksum.h"
#include "dataplane/net/ip_build.h"
#include "dataplane/net/ip_protocol.h"

namespace pollux::net {
namespace {

// SEG.LEN of RFC 9293: payload, SYN and FIN each count.
std::uint32_t segment_length(const ParsedPacket& packet) noexcept {
    const std::uint32_t header = static_cast<std::uint32_t>(packet.payload_offset) -
                                 static_cast<std::uint32_t>(packet.l4_offset);
    return packet.l4_length() - header + ((packet.tcp_flags & kTcpSyn) != 0 ? 1 : 0) +
           ((packet.tcp_flags & kTcpFin) != 0 ? 1 : 0);
}

}  // namespace

std::size_t build_tcp_reset(const ParsedPacket& packet, const std::uint8_t* frame,
                            std::span<std::uint8_t> out) noexcept {
    if (packet.protocol != kProtocolTcp || !packet.has_ports() || packet.is_fragment() ||
        (packet.tcp_flags & kTcpRst) != 0) {
        return 0;
    }
    IpHeaderFields ip;
    ip.source = packet.destination(frame);
    ip.destination = packet.source(frame);
    ip.protocol = kProtocolTcp;
    ip.payload_length = kTcpMinHeaderLength;
    if (ip.source.is_multicast() || ip.destination.is_unspecified()) return 0;
    const std::size_t ip_header = write_ip_header(ip, out);
    if (ip_header == 0) return 0;

    const auto& segment = packet.tcp(frame);
    auto& reset = header_in<TcpHeader>(out.data() + ip_header);
    reset = {};
    reset.source_port = packet.destination_port;
    reset.destination_port = packet.source_port;
    reset.data_offset = 0x50;
    // RFC 9293 section 3.10.7.1: a segment with an acknowledgment names the sequence number.
    if ((packet.tcp_flags & kTcpAck) != 0) {
        reset.flags = kTcpRst;
        reset.sequence = segment.acknowledgment;
    } else {
        reset.flags = kTcpRst | kTcpAck;
        reset.acknowledgment = Be32::from_host(segment.sequence.host() + segment_length(packet));
    }
    ChecksumSum sum;
    sum.add_pseudo_header(ip.source, ip.destination, kProtocolTcp, kTcpMinHeaderLength);
    sum.add(out.subspan(ip_header, kTcpMinHeaderLength));
    reset.checksum = sum.finish();
    return ip_header + kTcpMinHeaderLength;
}

}  // namespace pollux::net
