// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is not the balancer's business goes to the control core, and from there to the kernel: this
// decides why. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Of a frame to a group MAC address: VRRP, ARP, neighbour discovery or other multicast.
[[nodiscard]] PuntReason group_reason(const PacketContext& context) noexcept;

// ARP, VRRP and neighbour discovery to our own MAC. False: something else, no verdict given.
bool punt_control(Burst& burst, PacketContext& context) noexcept;

// A packet to our MAC that is no service's: the kernel's own address, multicast, or to be routed.
void punt_to_host(Burst& burst, PacketContext& context) noexcept;

// A packet to a service that does not open a connection. The kernel's stack answers for an address
// that this node owns, as it does behind IPVS; otherwise it is dropped.
void refuse_stray(Burst& burst, PacketContext& context) noexcept;

}  // namespace pollux::lb
