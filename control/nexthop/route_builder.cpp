// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/route_builder.h"

#include <algorithm>

namespace pollux::control {
namespace {

std::uint8_t host_length(const net::IpAddress& address) {
    return address.is_v4() ? 32 : 128;
}

// Addresses that are never forwarded to.
bool is_routable(const net::IpAddress& address) {
    return !address.is_multicast() && !(address.is_v6() && address.is_link_local());
}

// The hop that the kernel would use. Of several (multipath) the first alive one.
const RouteHop* usable_hop(const KernelRoute& route) {
    if (route.unreachable) return nullptr;
    const auto alive = std::find_if(route.hops.begin(), route.hops.end(),
                                    [](const auto& hop) { return hop.alive; });
    return alive == route.hops.end() ? nullptr : &*alive;
}

// The smallest metric with a usable hop, or with none on purpose (blackhole).
const KernelRoute* best_route(const RouteTable::RoutesByMetric& routes) {
    for (const auto& [metric, route] : routes) {
        if (route.unreachable || usable_hop(route) != nullptr) return &route;
    }
    return nullptr;
}

const Neighbour* find_neighbour(const KernelTables& tables, InterfaceIndex interface,
                                const net::IpAddress& address) {
    const auto known = tables.neighbours.find({interface, address});
    if (known == tables.neighbours.end() || !known->second.usable()) return nullptr;
    return &known->second;
}

// The address that the kernel would send from: the route's own, else that of the on-link route to
// the gateway, else the first global one of the interface.
net::IpAddress source_of(const KernelTables& tables, const KernelRoute& route,
                         const RouteHop& hop) {
    const net::Family family = route.destination.address.family;
    if (route.preferred_source.family == family) return route.preferred_source;
    if (hop.gateway.family == family) {
        const KernelRoute* link = lookup_route(tables.routes, hop.gateway);
        if (link != nullptr && link->preferred_source.family == family) {
            return link->preferred_source;
        }
    }
    const auto known = tables.addresses.find(hop.interface);
    if (known == tables.addresses.end()) return {};
    for (const net::IpPrefix& prefix : known->second) {
        if (prefix.address.family == family && !prefix.address.is_link_local()) {
            return prefix.address;
        }
    }
    return {};
}

void resolve(lb::RouteSpec& spec, const Neighbour* neighbour) {
    if (neighbour == nullptr) return;
    spec.destination_mac = neighbour->mac;
    spec.resolved = true;
}

lb::RouteSpec make_spec(const KernelTables& tables, const KernelRoute& route, const RouteHop& hop,
                        const ControlPort& port) {
    lb::RouteSpec spec;
    spec.destination = route.destination.network();
    spec.port = port.id;
    spec.gateway = hop.gateway;
    spec.preferred_source = source_of(tables, route, hop);
    spec.source_mac = port.mac;
    spec.mtu = route.mtu;
    const bool is_host = route.destination.length == host_length(route.destination.address);
    if (spec.gateway.family == net::Family::None && is_host) {
        spec.gateway = route.destination.address;
    }
    if (spec.gateway.family != net::Family::None) {
        resolve(spec, find_neighbour(tables, hop.interface, spec.gateway));
    }
    return spec;
}

}  // namespace

const KernelRoute* lookup_route(const RouteTable& routes, const net::IpAddress& address) {
    if (address.family == net::Family::None) return nullptr;
    for (int length = host_length(address); length >= 0; --length) {
        const net::IpPrefix prefix =
            net::IpPrefix{address, static_cast<std::uint8_t>(length)}.network();
        const auto known = routes.all().find(prefix);
        if (known == routes.all().end()) continue;
        if (const KernelRoute* route = best_route(known->second)) return route;
    }
    return nullptr;
}

HopKey next_hop_of(const KernelTables& tables, const PortTable& ports,
                   const net::IpAddress& address) {
    const KernelRoute* route = lookup_route(tables.routes, address);
    const RouteHop* hop = route == nullptr ? nullptr : usable_hop(*route);
    const ControlPort* port = hop == nullptr ? nullptr : ports.find(hop->interface);
    if (port == nullptr) return {};
    const bool on_link = hop->gateway.family == net::Family::None;
    return {port->id, on_link ? address : hop->gateway};
}

std::vector<lb::RouteSpec> build_routes(const KernelTables& tables, const PortTable& ports) {
    std::vector<lb::RouteSpec> specs;
    for (const auto& [prefix, by_metric] : tables.routes.all()) {
        if (!is_routable(prefix.address)) continue;
        const KernelRoute* route = best_route(by_metric);
        const RouteHop* hop = route == nullptr ? nullptr : usable_hop(*route);
        const ControlPort* port = hop == nullptr ? nullptr : ports.find(hop->interface);
        if (port != nullptr) specs.push_back(make_spec(tables, *route, *hop, *port));
    }
    for (const auto& [key, neighbour] : tables.neighbours) {
        const ControlPort* port = ports.find(key.interface);
        if (port == nullptr || !neighbour.usable() || !is_routable(key.address)) continue;
        const KernelRoute* route = lookup_route(tables.routes, key.address);
        const RouteHop* hop = route == nullptr ? nullptr : usable_hop(*route);
        const bool on_link = hop != nullptr && hop->interface == key.interface &&
                             hop->gateway.family == net::Family::None;
        // A host route of the kernel's own has its RouteSpec already.
        if (!on_link || route->destination.length == host_length(key.address)) continue;
        lb::RouteSpec spec = make_spec(tables, *route, *hop, *port);
        spec.destination = {key.address, host_length(key.address)};
        spec.gateway = key.address;
        resolve(spec, &neighbour);
        specs.push_back(spec);
    }
    if (specs.size() > kMaxRoutes) {
        std::stable_sort(specs.begin(), specs.end(), [](const auto& a, const auto& b) {
            return a.destination.length > b.destination.length;
        });
        specs.resize(kMaxRoutes);
    }
    return specs;
}

}  // namespace pollux::control
