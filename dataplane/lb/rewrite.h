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
    if (context.parsed.is_v6()) {
        --net::header_in<net::Ipv6Header>(context.ip()).hop_limit;
    } else {
        decrement_ttl(net::header_in<net::Ipv4Header>(context.ip()));
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

// Writes the ports and applies `delta`, which holds the change of the addresses, to the checksum.
inline void replace_ports(PacketContext& context, net::ChecksumDelta& delta,
                          PortPair now) noexcept {
    PortPair& ports = net::header_in<PortPair>(context.l4());
    delta.replace(ports.source, now.source);
    delta.replace(ports.destination, now.destination);
    if (context.parsed.protocol == net::kProtocolTcp) [[likely]] {
        ports = now;
        net::Be16& checksum = net::header_in<net::TcpHeader>(context.l4()).checksum;
        checksum = delta.apply(checksum);
    } else if (context.parsed.protocol == net::kProtocolUdp) {
        ports = now;
        net::Be16& checksum = net::header_in<net::UdpHeader>(context.l4()).checksum;
        // RFC 768: zero means that the sender computed none, and so it stays.
        if (checksum.wire() != 0) checksum = net::udp_nonzero(delta.apply(checksum));
    } else {
        replace_sctp_ports(context, now);
    }
}

template <typename Address>
inline void replace_address(Address& field, const std::uint8_t* bytes,
                            net::ChecksumDelta& delta) noexcept {
    Address address;
    std::memcpy(&address, bytes, sizeof address);
    delta.replace(field, address);
    field = address;
}

// Replaces one end's address and port and takes one off the TTL.
template <End end>
inline void replace_end(PacketContext& context, const EndPoint& now) noexcept {
    net::ChecksumDelta delta;
    if (context.parsed.is_v6()) {
        auto& ip = net::header_in<net::Ipv6Header>(context.ip());
        replace_address(end == End::Source ? ip.source : ip.destination, now.address, delta);
        --ip.hop_limit;
    } else {
        auto& ip = net::header_in<net::Ipv4Header>(context.ip());
        replace_address(end == End::Source ? ip.source : ip.destination, now.address, delta);
        ip.checksum = delta.apply(ip.checksum);
        decrement_ttl(ip);
    }
    if (!context.parsed.has_ports()) return;  // a later fragment
    PortPair ports = net::header_in<PortPair>(context.l4());
    (end == End::Source ? ports.source : ports.destination) = now.port;
    replace_ports(context, delta, ports);
}

struct EndPoints {
    EndPoint source;
    EndPoint destination;
};

// Replaces both ends and takes one off the TTL.
inline void replace_both(PacketContext& context, const EndPoints& now) noexcept {
    net::ChecksumDelta delta;
    if (context.parsed.is_v6()) {
        auto& ip = net::header_in<net::Ipv6Header>(context.ip());
        replace_address(ip.source, now.source.address, delta);
        replace_address(ip.destination, now.destination.address, delta);
        --ip.hop_limit;
    } else {
        auto& ip = net::header_in<net::Ipv4Header>(context.ip());
        replace_address(ip.source, now.source.address, delta);
        replace_address(ip.destination, now.destination.address, delta);
        ip.checksum = delta.apply(ip.checksum);
        decrement_ttl(ip);
    }
    if (!context.parsed.has_ports()) return;  // a later fragment
    replace_ports(context, delta, {now.source.port, now.destination.port});
}

}  // namespace pollux::lb
