// SPDX-License-Identifier: Apache-2.0
#pragma once

// Decodes rtnetlink messages into the values of kernel_tables.h. Pure; used by KernelMonitor and by
// tests that feed recorded messages.

#include <optional>
#include <utility>

#include <linux/netlink.h>

#include "control/netlink/kernel_tables.h"

namespace pollux::control {

using ParsedLink = std::pair<InterfaceIndex, KernelLink>;
using ParsedAddress = std::pair<InterfaceIndex, net::IpPrefix>;
using ParsedNeighbour = std::pair<NeighbourKey, Neighbour>;

// Each gives nothing for a malformed message and for what Pollux does not look at: bridge ports,
// routes outside the main table or of kinds other than unicast, blackhole, unreachable, prohibit,
// and neighbours that need no resolution (multicast, loopback).
[[nodiscard]] std::optional<ParsedLink> parse_link(nlmsghdr* message);
[[nodiscard]] std::optional<ParsedAddress> parse_address(nlmsghdr* message);
[[nodiscard]] std::optional<KernelRoute> parse_route(nlmsghdr* message);
[[nodiscard]] std::optional<ParsedNeighbour> parse_neighbour(nlmsghdr* message);

}  // namespace pollux::control
