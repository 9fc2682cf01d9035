// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/ip_build.h"

#include "dataplane/net/checksum.h"

namespace pollux::net {
namespace {

void write_v4(const IpHeaderFields& fields, std::span<std::uint8_t> out) noexcept {
    auto& ip = header_in<Ipv4Header>(out.data());
    ip = {};
    ip.version_ihl = 0x45;
    ip.traffic_class = fields.traffic_class;
    ip.total_length =
        Be16::from_host(static_cast<std::uint16_t>(kIpv4MinHeaderLength + fields.payload_length));
    ip.flags_and_offset = kIpv4DontFragment;
    ip.ttl = fields.ttl;
    ip.protocol = fields.protocol;
    ip.source = fields.source.v4();
    ip.destination = fields.destination.v4();
    ip.checksum = internet_checksum(out.first(kIpv4MinHeaderLength));
}

void write_v6(const IpHeaderFields& fields, std::span<std::uint8_t> out) noexcept {
    auto& ip = header_in<Ipv6Header>(out.data());
    ip.set_class_and_flow(fields.traffic_class, 0);
    ip.payload_length = Be16::from_host(static_cast<std::uint16_t>(fields.payload_length));
    ip.next_header = fields.protocol;
    ip.hop_limit = fields.ttl;
    ip.source = fields.source.v6();
    ip.destination = fields.destination.v6();
}

}  // namespace

std::size_t write_ip_header(const IpHeaderFields& fields, std::span<std::uint8_t> out) noexcept {
    const std::size_t header = ip_header_length(fields.source.family);
    const std::size_t counted = fields.payload_length + (fields.source.is_v4() ? header : 0);
    if (counted > kIpMaxLength || out.size() < header + fields.payload_length) return 0;
    if (fields.source.is_v4()) {
        write_v4(fields, out);
    } else {
        write_v6(fields, out);
    }
    return header;
}

}  // namespace pollux::net
