// SPDX-License-Identifier: Apache-2.0
#pragma once

// Our own ICMP and ICMPv6 errors, made in place of the packet they are about: the packet counts as
// dropped for the reason that the answer tells, the answer as originated. They come from the
// address that the packet was sent to, if it is ours, and are limited in rate. Internal to
// dataplane/lb. The packet must be unchanged but for its TTL.

#include <cstdint>

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Time exceeded, hop limit exceeded.
void answer_ttl_exceeded(Burst& burst, PacketContext& context) noexcept;

// Port unreachable: the service has nobody to give the connection to.
void answer_no_server(Burst& burst, PacketContext& context) noexcept;

// Fragmentation needed, packet too big. `mtu`: what would have fitted.
void answer_too_big(Burst& burst, PacketContext& context, std::uint16_t mtu) noexcept;

}  // namespace pollux::lb
