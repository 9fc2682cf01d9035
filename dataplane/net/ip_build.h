// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes the IP header of a packet that we originate, of either family. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"

namespace pollux::net {

struct IpHeaderFields {
    IpAddress source;       // its family decides
    IpAddress destination;  // of the same family
    std::uint8_t protocol = 0;
    std::uint8_t traffic_class = 0;
    std::uint8_t ttl = kIpDefaultTtl;
    std::size_t payload_length = 0;  // bytes behind the header
};

// Without options and extension headers. Precondition: V4 or V6.
[[nodiscard]] constexpr std::size_t ip_header_length(Family family) noexcept {
    return family == Family::V4 ? kIpv4MinHeaderLength : kIpv6HeaderLength;
}

// Writes the header with its checksum and returns its length; 0, and nothing written, where `out`
// cannot hold header and payload or a length field cannot count them. IPv4: never to be fragmented,
// so the identification is 0 (RFC 6864 section 4.1).
[[nodiscard]] std::size_t write_ip_header(const IpHeaderFields& fields,
                                          std::span<std::uint8_t> out) noexcept;

}  // namespace pollux::net
