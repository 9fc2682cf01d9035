// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/static_tables.h"

#include <algorithm>

namespace pollux::control {
namespace {

// The kernel counts its interfaces from 1 and never gets here.
constexpr std::uint32_t kFirstOwnInterface = 1U << 31U;

bool has_network(const PortConfig& port, const net::IpAddress& address) {
    return std::ranges::any_of(port.address,
                               [&](const net::IpPrefix& own) { return own.contains(address); });
}

void add_addresses(const PortConfig& config, const ControlPort& port, KernelTables& tables) {
    for (const net::IpPrefix& own : config.address) {
        tables.addresses[port.interface].push_back(own);
        KernelRoute link;
        link.destination = own.network();
        link.preferred_source = own.address;
        link.hops = {{port.interface, {}, true}};
        tables.routes.add(link, false);
    }
}

}  // namespace

StaticTables static_tables(const Config& config, const PortTable& ports) {
    StaticTables made{{}, ports};
    const auto is_static = [](const ControlPort& port) { return port.tap.empty(); };
    if (std::ranges::none_of(ports.ports, is_static)) return made;
    for (std::size_t i = 0; i < made.ports.ports.size() && i < config.ports.size(); ++i) {
        ControlPort& port = made.ports.ports[i];
        if (!is_static(port)) continue;
        port.interface = InterfaceIndex{kFirstOwnInterface + static_cast<std::uint32_t>(i)};
        add_addresses(config.ports[i], port, made.tables);
    }
    for (const RouteConfig& route : config.routes) {
        const auto leads_here = [&](const PortConfig& port) {
            return route.dev.empty() ? has_network(port, route.via) : port.name == route.dev;
        };
        const auto found = std::ranges::find_if(config.ports, leads_here);
        if (found == config.ports.end()) continue;
        const ControlPort* port = made.ports.find(found->name);
        if (port == nullptr || !is_static(*port)) continue;
        KernelRoute entry;
        entry.destination = route.to.network();
        entry.metric = route.metric;
        entry.preferred_source = route.src;
        entry.mtu = route.mtu;
        entry.hops = {{port->interface, route.via, true}};
        made.tables.routes.add(entry, false);
    }
    for (const NeighbourConfig& neighbour : config.neighbours) {
        const ControlPort* port = made.ports.find(neighbour.dev);
        if (port == nullptr || !is_static(*port)) continue;
        made.tables.neighbours[{port->interface, neighbour.address}] = {NeighbourState::Permanent,
                                                                        neighbour.mac};
    }
    return made;
}

}  // namespace pollux::control
