// SPDX-License-Identifier: Apache-2.0
#pragma once

// The surroundings of a replay: what the kernel would tell a running polluxd about ports, routes
// and neighbours, made from the configuration and from the captures alone.

#include <map>
#include <span>
#include <string>

#include "control/config/config.h"
#include "control/netlink/kernel_tables.h"
#include "control/tap/port_table.h"
#include "tools/replay/replay.h"

namespace pollux::replay {

struct StaticNetwork {
    control::PortTable ports;
    control::KernelTables kernel;
};

// MAC addresses of the ports: `macs` (by port name), else the destination of the first unicast IP
// frame that the port received, else 02:00:00:00:01:NN.
//
// Neighbours, in this order: [[neighbour]] of the configuration, the senders of ARP messages and of
// on-link IP packets in the captures; every real server, gateway and other on-link next hop that
// stays unknown gets the MAC 02:fe and the last four bytes of its address.
[[nodiscard]] StaticNetwork make_network(const control::Config& config,
                                         const std::map<std::string, net::MacAddress>& macs,
                                         std::span<const InputFrame> frames);

}  // namespace pollux::replay
