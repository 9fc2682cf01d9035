// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/tunnel.h"

#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/tunnel.h"
#include "dataplane/net/udp.h"

namespace pollux::lb {
namespace {

std::uint8_t protocol_of(TunnelKind kind, net::Family inner) noexcept {
    switch (kind) {
        case TunnelKind::Gue:
            return net::kProtocolUdp;
        case TunnelKind::Gre:
            return net::kProtocolGre;
        case TunnelKind::Ipip:
            break;
    }
    return inner == net::Family::V4 ? net::kProtocolIpip : net::kProtocolIpv6;
}

std::size_t write_outer(TunnelTemplate& result, const net::IpAddress& source,
                        const net::IpAddress& server, std::uint8_t protocol) noexcept {
    if (server.is_v6()) {
        auto& ip = net::header_in<net::Ipv6Header>(result.header.data());
        ip.set_class_and_flow(0, 0);
        ip.next_header = protocol;
        ip.source = source.v6();
        ip.destination = server.v6();
        return sizeof ip;
    }
    auto& ip = net::header_in<net::Ipv4Header>(result.header.data());
    ip.version_ihl = 0x45;
    ip.protocol = protocol;
    ip.source = source.v4();
    ip.destination = server.v4();
    // The complement of a checksum is the sum that it was made from.
    result.sum = static_cast<std::uint16_t>(
        ~net::internet_checksum({result.header.data(), sizeof ip}).wire());
    return sizeof ip;
}

std::size_t write_shim(TunnelTemplate& result, const TunnelSpec& spec, std::size_t at,
                       net::Family inner) noexcept {
    std::uint8_t* const shim = result.header.data() + at;
    switch (spec.kind) {
        case TunnelKind::Gue: {
            auto& udp = net::header_in<net::UdpHeader>(shim);
            udp.destination_port = net::Be16::from_host(spec.gue_port);
            auto& gue = net::header_in<net::GueHeader>(shim + sizeof udp);
            gue.protocol = protocol_of(TunnelKind::Ipip, inner);
            return sizeof udp + sizeof gue;
        }
        case TunnelKind::Gre: {
            auto& gre = net::header_in<net::GreHeader>(shim);
            gre.flags = spec.checksum ? net::kGreChecksumPresent : net::Be16{};
            gre.protocol = inner == net::Family::V4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6;
            return sizeof gre + (spec.checksum ? sizeof(net::GreChecksum) : 0);
        }
        case TunnelKind::Ipip:
            break;
    }
    return 0;
}

}  // namespace

TunnelTemplate TunnelTemplate::make(const TunnelSpec& spec, const net::IpAddress& source,
                                    const net::IpAddress& server, net::Family inner) noexcept {
    TunnelTemplate result;
    result.kind = spec.kind;
    result.outer_is_v6 = server.is_v6();
    result.checksum = spec.checksum;
    result.spread_source = spec.spread_source;
    const std::size_t outer = write_outer(result, source, server, protocol_of(spec.kind, inner));
    result.length = static_cast<std::uint8_t>(outer + write_shim(result, spec, outer, inner));
    return result;
}

}  // namespace pollux::lb
