// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets that are larger than the link they shall leave by. Internal to dataplane/lb.

#include <cstdint>

#include "dataplane/lb/burst.h"
#include "dataplane/lb/connection.h"

namespace pollux::lb {

// `mtu`: bytes of IP that fit, tunnel headers taken off. The packet is sent in fragments if it may
// be; otherwise its sender is told (fragmentation needed, packet too big).
void meet_small_mtu(Burst& burst, unsigned at, Direction direction, std::uint16_t mtu) noexcept;

}  // namespace pollux::lb
