// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/forwarding.h"

#include "dataplane/lb/send.h"

namespace pollux::lb {
namespace {

// In the order of ForwardingMethod.
constexpr std::array<ForwardingRow, kForwardingMethodCount> kRows{{
    {ForwardingMethod::Nat, "Masq", forward_nat, forward_nat_reply, false},
    {ForwardingMethod::DirectRouting, "Route", forward_direct, nullptr, false},
    {ForwardingMethod::Tunnel, "Tunnel", forward_tunnel, nullptr, false},
    {ForwardingMethod::FullNat, "FullNat", forward_full_nat, forward_full_nat_reply, true},
}};

// Once per burst, and only on a node that is MASTER with a virtual MAC.
void use_virtual_macs(Burst& burst) noexcept {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].has_local) {
            use_virtual_macs(burst, burst.memory.to_server[i], Direction::Forward);
        }
        use_virtual_macs(burst, burst.memory.to_client[i], Direction::Reply);
    }
}

}  // namespace

std::string_view to_string(ForwardingMethod method) noexcept {
    return kRows[static_cast<std::size_t>(method)].name;
}

void forward_list(Burst& burst, const PacketList& list, ForwardingMethod method,
                  Direction direction) noexcept {
    const ForwardingRow& row = kRows[static_cast<std::size_t>(method)];
    (direction == Direction::Forward ? row.to_server : row.to_client)(burst, list);
    const bool from_us = direction == Direction::Reply || row.has_local;
    if (from_us && !burst.snapshot.source_macs.empty()) use_virtual_macs(burst, list, direction);
}

void forward(Burst& burst) noexcept {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        const PacketList& in = burst.memory.to_server[i];
        if (!in.empty()) kRows[i].to_server(burst, in);
        const PacketList& out = burst.memory.to_client[i];
        if (!out.empty()) kRows[i].to_client(burst, out);
    }
    if (!burst.snapshot.source_macs.empty()) [[unlikely]]
        use_virtual_macs(burst);
}

}  // namespace pollux::lb
