// SPDX-License-Identifier: Apache-2.0
#pragma once

// ICMP and ICMPv6 errors about tunnel packets that we sent. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"
#include "dataplane/net/parsed_packet.h"

namespace pollux::lb {

// Precondition: the packet is an ICMP error, whole or a first fragment, about no tracked flow, and
// went to the source of what it quotes. If that is one of our tunnel packets with a tracked flow
// inside, the path MTU that it tells is noted, the client is told in terms of its own packet, and
// true is returned: the packet has its verdict.
[[nodiscard]] bool relate_tunnel_error(Burst& burst, unsigned at,
                                       const net::QuotedPacket& quoted) noexcept;

}  // namespace pollux::lb
