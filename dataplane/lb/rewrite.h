// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes to headers in place, with incremental checksums: a wrong checksum stays wrong. Internal
// to the forwarding methods; offsets have been vouched for by the parser.

#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/lb/burst.h"
#include "dataplane/net/byte_order.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/header.h"
#include "dataplane/net/ip_protocol.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/tcp.h"
#include "dataplane/net/udp.h"

namespace pollux::lb {

// Destination and source MAC in one go.
inline void write_macs(std::uint8_t* frame, const std::array<std::uint8_t, 12>& macs) noexcept {
    std::memcpy(frame, macs.data(), macs.size());
}

// The TTL is the high byte of its checksum word: taking one off adds 0x0100 to the checksum, with
// the carry going round (RFC 1141).
inline void decrement_ttl(net::Ipv4Header& ip) noexcept {
    const std::uint32_t sum = ip.checksum.host() + 0x0100U;
    ip.checksum = net::Be16::from_host(static_cast<std::uint16_t>(sum + (sum >= 0xffffU ? 1 : 0)));
    --ip.ttl;
}

inline void decrement_ttl(PacketContext& context) noexcept {
    if (context.parsed.is_v4()) [[likely]] {
        decrement_ttl(net::header_in<net::Ipv4Header>(context.ip()));
    } else {
        --net::header_in<net::Ipv6Header>(context.ip()).hop_limit;
    }
}

// What takes the place of one end of a flow: raw address bytes (4 or 16) and port.
struct EndPoint {
    const std::uint8_t* address;
    net::Be16 port;
};

// Which end of a packet a rewrite replaces.
enum class End : std::uint8_t { Source, Destination };

// TCP, UDP and SCTP begin with source and destination port.
struct PortPair {
    net::Be16 source;
    net::Be16 destination;
};

// SCTP's checksum (CRC32c) covers the ports but not the addresses. To be called with the ports as
// they were and as they shall be; writes them. A wrong checksum stays as wrong as it was.
void replace_sctp_ports(PacketContext& context, PortPair now) noexcept;

// Writes the ports and applies `delta`, which holds all changes that TCP's and UDP's checksums
// cover, to the checksum.
inline void write_ports(PacketContext& context, const net::ChecksumDelta& delta,
                        PortPair now) noexcept {
    std::uint8_t* const l4 = context.l4();
    const std::uint8_t protocol = context.parsed.protocol;
    if (protocol == net::kProtocolTcp) [[likely]] {
        net::Be16& checksum = net::header_in<net::TcpHeader>(l4).checksum;
        checksum = delta.apply(checksum);
    } else if (protocol == net::kProtocolUdp) {
        net::Be16& checksum = net::header_in<net::UdpHeader>(l4).checksum;
        // RFC 768: zero means that the sender computed none, and so it stays.
        if (checksum.wire() != 0) checksum = net::udp_nonzero(delta.apply(checksum));
    } else {
        replace_sctp_ports(context, now);
        return;
    }
    net::header_in<PortPair>(l4) = now;
}

template <typename Address>
inline void replace_address(Address& field, const std::uint8_t* bytes,
                            net::ChecksumDelta& delta) noexcept {
    Address address;
    std::memcpy(&address, bytes, sizeof address);
    delta.replace(field, address);
    field = address;
}

// One off the TTL, and the IPv4 checksum after it and after the edits in `delta`.
inline void finish_ip(net::Ipv4Header& ip, net::ChecksumDelta delta) noexcept {
    delta.decrement_ttl();
    ip.checksum = delta.apply(ip.checksum);
    --ip.ttl;
}
inline void finish_ip(net::Ipv6Header& ip, const net::ChecksumDelta&) noexcept {
    --ip.hop_limit;
}

// Replaces one end's address and port and takes one off the TTL.
template <End end, typename Header>
inline void replace_end_in(Header& ip, PacketContext& context, const EndPoint& now) noexcept {
    net::ChecksumDelta delta;
    replace_address(end == End::Source ? ip.source : ip.destination, now.address, delta);
    finish_ip(ip, delta);
    if (!context.parsed.has_ports()) [[unlikely]]
        return;  // a later fragment
    PortPair ports = net::header_in<PortPair>(context.l4());
    net::Be16& port = end == End::Source ? ports.source : ports.destination;
    delta.replace(port, now.port);
    port = now.port;
    write_ports(context, delta, ports);
}

template <End end>
inline void replace_end(PacketContext& context, const EndPoint& now) noexcept {
    if (context.parsed.is_v4()) [[likely]] {
        replace_end_in<end>(net::header_in<net::Ipv4Header>(context.ip()), context, now);
    } else {
        replace_end_in<end>(net::header_in<net::Ipv6Header>(context.ip()), context, now);
    }
}

struct EndPoints {
    EndPoint source;
    EndPoint destination;
};

// Replaces both ends and takes one off the TTL.
template <typename Header>
inline void replace_both_in(Header& ip, PacketContext& context, const EndPoints& now) noexcept {
    net::ChecksumDelta delta;
    replace_address(ip.source, now.source.address, delta);
    replace_address(ip.destination, now.destination.address, delta);
    finish_ip(ip, delta);
    if (!context.parsed.has_ports()) [[unlikely]]
        return;  // a later fragment
    const PortPair before = net::header_in<PortPair>(context.l4());
    const PortPair after{now.source.port, now.destination.port};
    delta.replace(before.source, after.source);
    delta.replace(before.destination, after.destination);
    write_ports(context, delta, after);
}

inline void replace_both(PacketContext& context, const EndPoints& now) noexcept {
    if (context.parsed.is_v4()) [[likely]] {
        replace_both_in(net::header_in<net::Ipv4Header>(context.ip()), context, now);
    } else {
        replace_both_in(net::header_in<net::Ipv6Header>(context.ip()), context, now);
    }
}

}  // namespace pollux::lb
