// SPDX-License-Identifier: Apache-2.0
#pragma once

// FullNAT between address families: the IP header is exchanged for one of the other family, as
// RFC 7915 does, with the addresses and ports of the other side. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/rewrite.h"

namespace pollux::lb {

// A packet that becomes IPv6 grows by so many bytes.
inline constexpr std::size_t kFamilyGrowth = sizeof(net::Ipv6Header) - sizeof(net::Ipv4Header);

inline bool crosses_families(const Connection& connection) noexcept {
    const ConnectionState state = connection.state_relaxed();
    return state.client_is_v6() != state.server_is_v6();
}

// `ends` are of the family that the packet is not of; `mtu`: bytes of IP that fit on the link where
// it will leave. One off the TTL, checksums incrementally. False: the packet got its verdict
// (fragments, options and extension headers do not cross; it may be too large).
bool cross(Burst& burst, PacketContext& context, const EndPoints& ends, std::uint16_t mtu) noexcept;

}  // namespace pollux::lb
