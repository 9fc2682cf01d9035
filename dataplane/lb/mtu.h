// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets that are larger than the link they shall leave by. Internal to dataplane/lb.

#include <cstdint>

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// `mtu`: bytes of IP that fit. The sender is told (fragmentation needed, packet too big) unless the
// packet may be fragmented.
void meet_small_mtu(Burst& burst, unsigned at, std::uint16_t mtu) noexcept;

}  // namespace pollux::lb
