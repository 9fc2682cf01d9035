// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_tunnel.h"

#include <cstring>

#include "dataplane/lb/tunnel_write.h"

namespace pollux::control {
namespace {

// Any odd number: spreads the flow's port over the bits that tunnels take from the hash.
constexpr std::uint64_t kHashSpread = 0x9e3779b97f4a7c15;

// From the source port, or what an echo request has there.
std::uint64_t flow_hash(std::span<const std::uint8_t> l4) {
    std::uint16_t first = 0;
    if (l4.size() >= sizeof first) std::memcpy(&first, l4.data(), sizeof first);
    return (first + std::uint64_t{1}) * kHashSpread;
}

}  // namespace

std::size_t put_in_tunnel(std::span<std::uint8_t> buffer, std::size_t room,
                          const lb::TunnelTemplate& header, std::uint16_t& ip_id) {
    const std::size_t start = room - header.length;
    std::memcpy(buffer.data() + start, header.header.data(), header.length);
    const std::uint8_t* const inner = buffer.data() + room;
    const auto packet = buffer.subspan(room);
    lb::OuterFields fields;
    fields.length = static_cast<std::uint16_t>(buffer.size() - start);
    // Not the packet's own, which is meant for the far side of the tunnel.
    fields.ttl = net::kIpDefaultTtl;
    if (inner[0] >> 4U == 6) {
        fields.inner_class = net::header_in<net::Ipv6Header>(inner).traffic_class();
        fields.hash = flow_hash(packet.subspan(net::kIpv6HeaderLength));
    } else {
        const auto& ip = net::header_in<net::Ipv4Header>(inner);
        fields.inner_class = ip.traffic_class;
        fields.hash = flow_hash(packet.subspan(ip.header_length()));
        if (ip.dont_fragment()) fields.flags = net::kIpv4DontFragment;
    }
    if (!header.outer_is_v6 && fields.flags.wire() == 0) {
        fields.identification = net::Be16::from_host(ip_id++);
    }
    lb::fill_outer(header, buffer.data() + start, fields);
    return start;
}

}  // namespace pollux::control
