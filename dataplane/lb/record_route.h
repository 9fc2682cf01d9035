// SPDX-License-Identifier: Apache-2.0
#pragma once

// The IPv4 record-route option (RFC 791 section 3.1). Internal to dataplane/lb.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Notes this node in the option, if the packet has one with room left: LVS notes the virtual
// address in both directions. To be called for a packet that will be forwarded, before it is
// rewritten.
void record_route(PacketContext& context) noexcept;

}  // namespace pollux::lb
