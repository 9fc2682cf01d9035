// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/kernel_tables.h"

#include <algorithm>

namespace pollux::control {

std::string_view to_string(NeighbourState state) noexcept {
    switch (state) {
        case NeighbourState::Incomplete:
            return "INCOMPLETE";
        case NeighbourState::Reachable:
            return "REACHABLE";
        case NeighbourState::Stale:
            return "STALE";
        case NeighbourState::Delay:
            return "DELAY";
        case NeighbourState::Probe:
            return "PROBE";
        case NeighbourState::Failed:
            return "FAILED";
        case NeighbourState::Permanent:
            return "PERMANENT";
    }
    return "INCOMPLETE";
}

bool RouteTable::add(const KernelRoute& route, bool append) {
    auto& by_metric = routes_[route.destination];
    const auto [position, inserted] = by_metric.try_emplace(route.metric, route);
    if (inserted) return true;
    KernelRoute& known = position->second;
    if (!append) {
        if (known == route) return false;
        known = route;
        return true;
    }
    bool changed = false;
    for (const RouteHop& hop : route.hops) {
        const auto same =
            std::find_if(known.hops.begin(), known.hops.end(), [&](const auto& other) {
                return other.interface == hop.interface && other.gateway == hop.gateway;
            });
        if (same == known.hops.end()) {
            known.hops.push_back(hop);
            changed = true;
        } else if (*same != hop) {
            *same = hop;
            changed = true;
        }
    }
    return changed;
}

bool RouteTable::remove(const KernelRoute& route) {
    const auto prefix = routes_.find(route.destination);
    if (prefix == routes_.end()) return false;
    const auto known = prefix->second.find(route.metric);
    if (known == prefix->second.end()) return false;
    auto& hops = known->second.hops;
    const auto gone = [&](const RouteHop& hop) {
        return std::any_of(route.hops.begin(), route.hops.end(), [&](const RouteHop& other) {
            return other.interface == hop.interface && other.gateway == hop.gateway;
        });
    };
    const auto removed = std::erase_if(hops, gone);
    if (removed == 0 && !hops.empty()) return false;
    if (hops.empty()) prefix->second.erase(known);
    if (prefix->second.empty()) routes_.erase(prefix);
    return true;
}

}  // namespace pollux::control
