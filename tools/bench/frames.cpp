// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/frames.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ip_build.h"
#include "dataplane/net/parse.h"

namespace pollux::bench {

std::uint32_t write_segment(const Link& link, const Segment& segment, std::span<std::uint8_t> out) {
    const bool is_v4 = segment.source.address.is_v4();
    auto& ethernet = net::header_in<net::EthernetHeader>(out.data());
    ethernet = {link.destination, link.source, is_v4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6};

    const std::size_t ip_length = net::ip_header_length(segment.source.address.family);
    const std::size_t l4_offset = sizeof ethernet + ip_length;
    const std::size_t length = std::max(l4_offset + net::kTcpMinHeaderLength, net::kMinFrameLength);
    net::IpHeaderFields ip;
    ip.source = segment.source.address;
    ip.destination = segment.destination.address;
    ip.protocol = net::kProtocolTcp;
    ip.payload_length = length - l4_offset;
    const std::size_t written = net::write_ip_header(ip, out.subspan(sizeof ethernet));
    assert(written == ip_length);

    const std::span<std::uint8_t> l4 = out.subspan(l4_offset, length - l4_offset);
    std::memset(l4.data(), 0, l4.size());
    auto& tcp = net::header_in<net::TcpHeader>(l4.data());
    tcp.source_port = net::Be16::from_host(segment.source.port);
    tcp.destination_port = net::Be16::from_host(segment.destination.port);
    tcp.data_offset = (net::kTcpMinHeaderLength / 4) << 4U;
    tcp.flags = segment.tcp_flags;
    tcp.window = net::Be16::from_host(0xffff);
    net::ChecksumSum sum;
    sum.add_pseudo_header(ip.source, ip.destination, ip.protocol,
                          static_cast<std::uint32_t>(l4.size()));
    sum.add(l4);
    tcp.checksum = sum.finish();
    return static_cast<std::uint32_t>(length);
}

bool read_segment(std::span<const std::uint8_t> frame, Segment& segment) {
    net::ParsedPacket parsed;
    const net::ParseInput input{frame, static_cast<std::uint32_t>(frame.size()), 0};
    if (net::parse(input, parsed) != net::ParseError::None) return false;
    if (!parsed.has_ports() || parsed.protocol != net::kProtocolTcp) return false;
    segment.source = {parsed.source(frame.data()), parsed.source_port.host()};
    segment.destination = {parsed.destination(frame.data()), parsed.destination_port.host()};
    segment.tcp_flags = parsed.tcp_flags;
    net::ChecksumSum sum;
    sum.add_pseudo_header(segment.source.address, segment.destination.address, parsed.protocol,
                          parsed.l4_length());
    sum.add(frame.subspan(parsed.l4_offset, parsed.l4_length()));
    return sum.is_valid();
}

}  // namespace pollux::bench
