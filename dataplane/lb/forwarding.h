// SPDX-License-Identifier: Apache-2.0
#pragma once

// The forwarding methods, one row each (decision D16). A method gets the packets of a burst that
// tracking has let through: connection and real server known, TTL and size sufficient. It rewrites
// them, and hands each to send_to_server, send_to_client, or drops it.

#include <array>
#include <string_view>

#include "dataplane/lb/burst.h"
#include "dataplane/lb/spec.h"

namespace pollux::lb {

void forward_nat(Burst& burst, const PacketList& list) noexcept;
void forward_nat_reply(Burst& burst, const PacketList& list) noexcept;
void forward_direct(Burst& burst, const PacketList& list) noexcept;

void forward_tunnel(Burst& burst, const PacketList& list) noexcept;
void forward_full_nat(Burst& burst, const PacketList& list) noexcept;
void forward_full_nat_reply(Burst& burst, const PacketList& list) noexcept;

struct ForwardingRow {
    ForwardingMethod method;
    std::string_view name;  // as ipvsadm shows it
    void (*to_server)(Burst&, const PacketList&) noexcept;
    void (*to_client)(Burst&, const PacketList&) noexcept;  // nullptr: servers answer by themselves
    bool has_local;  // packets to the server come from a local address of ours
};

// One method's packets of one direction.
void forward_list(Burst& burst, const PacketList& list, ForwardingMethod method,
                  Direction direction) noexcept;

}  // namespace pollux::lb
