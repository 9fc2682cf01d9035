// SPDX-License-Identifier: Apache-2.0
#pragma once

// TunnelTemplate: the outer headers towards one real server, prepared in the snapshot. What depends
// on the packet (length, TTL, TOS, DF, identification, UDP source port, checksums) is filled in
// when it is put in front of a packet.
//
//   IPIP  | outer IPv4 20 or IPv6 40 | inner packet
//   GUE   | outer IP | UDP 8 | GUE 4 | inner packet      (draft-ietf-intarea-gue, version 0)
//   GRE   | outer IP | GRE 4 or 8    | inner packet      (RFC 2784)

#include <array>
#include <cstdint>

#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

inline constexpr std::size_t kMaxTunnelHeader = 52;

struct alignas(64) TunnelTemplate {
    std::array<std::uint8_t, kMaxTunnelHeader> header{};
    std::uint16_t sum = 0;    // IPv4: one's-complement sum of the outer header's constant words
    std::uint8_t length = 0;  // of `header`; 0: there is no source address to send from
    TunnelKind kind = TunnelKind::Ipip;
    bool outer_is_v6 = false;
    bool checksum = false;
    bool spread_source = false;

    // Preconditions: `source` and `server` are of one family; `inner` is that of the service.
    static TunnelTemplate make(const TunnelSpec& spec, const net::IpAddress& source,
                               const net::IpAddress& server, net::Family inner) noexcept;
};
static_assert(sizeof(TunnelTemplate) == 64);

}  // namespace pollux::lb
