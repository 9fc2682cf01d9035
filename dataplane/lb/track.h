// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stage 3: what a packet does to its connection, and whether it may be forwarded. Internal to
// dataplane/lb.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/tracking.h"

namespace pollux::lb {

// What connection tracking looks at.
[[nodiscard]] PacketEvent event_of(const PacketContext& context) noexcept;

// Finds the connection of one packet with ports outside the staged loops, or opens one.
void take_flow(Burst& burst, unsigned at) noexcept;

// Tracks the packet on a connection that was found and, if it may pass, puts it on the list of its
// forwarding method.
void take_packet(Burst& burst, unsigned at, FoundConnection found) noexcept;

// A packet that has its connection and server: checks route, TTL and size and puts it on the list.
void admit_to_server(Burst& burst, unsigned at, ForwardingMethod method) noexcept;
void admit_to_client(Burst& burst, unsigned at, ForwardingMethod method) noexcept;

// No connection is known: opens one if a service and the packet allow it. While the burst is
// gathering, the packet has no verdict and the connection cannot be found before open_gathered.
void establish(Burst& burst, unsigned at) noexcept;

}  // namespace pollux::lb
