// SPDX-License-Identifier: Apache-2.0
#pragma once

// Received fragments. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Precondition: the packet is a fragment. A first one is handled like a whole packet, and its fate
// noted; a later one shares that fate or waits for it.
void handle_fragment(Burst& burst, unsigned at) noexcept;

// Hands back fragments whose first one has not come in time.
void drop_overdue_fragments(Burst& burst) noexcept;

}  // namespace pollux::lb
