// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the configuration wants from the kernel on the TAPs: the ports' addresses, static routes and
// neighbours. Control thread.

#include <vector>

#include "control/config/config.h"
#include "control/netlink/netlink_requests.h"
#include "control/tap/port_table.h"

namespace pollux::control {

struct PermanentNeighbour {
    InterfaceIndex interface = kNoInterface;
    net::IpAddress address;
    net::MacAddress mac;
    bool operator==(const PermanentNeighbour&) const = default;
};

struct KernelPlan {
    std::vector<AddressRequest> addresses;
    std::vector<RouteRequest> routes;
    std::vector<PermanentNeighbour> neighbours;
};

// Pure. Ports without a TAP have no part in it.
[[nodiscard]] KernelPlan plan_kernel(const Config& config, const PortTable& ports);

// The kernel route of a [[route]] or virtual_route; kNoInterface when its port has no TAP.
[[nodiscard]] RouteRequest to_request(const RouteConfig& route, const Config& config,
                                      const PortTable& ports);

// Takes away what is only in `before`, then adds what is only in `after`. After a failure the
// kernel is as before, as far as it lets itself be.
Status apply_kernel_plan(NetlinkRequests& netlink, const KernelPlan& before,
                         const KernelPlan& after);

}  // namespace pollux::control
