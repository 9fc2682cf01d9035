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

using Vips = std::span<const lb::OwnedAddressSpec>;

// How well an interface's address serves as source towards `target`; 0: not at all. IPv6 routes
// name no source, and the kernel lists the newest address first, which may be a VIP.
unsigned fitness(const net::IpPrefix& own, const net::IpAddress& target, const Vips& vips) {
    if (own.address.family != target.family || own.address.is_link_local()) return 0;
    if (std::ranges::find(vips, own.address, &lb::OwnedAddressSpec::address) != vips.end())
        return 0;
    if (own.length == host_length(own.address)) return 1;
    return own.contains(target) ? 3 : 2;
}

// The address that the kernel would send from: the route's own, else that of the on-link route to
// the gateway, else the interface's in the network of the next hop.
net::IpAddress source_of(const KernelTables& tables, const KernelRoute& route, const RouteHop& hop,
                         const Vips& vips) {
    const net::Family family = route.destination.address.family;
    if (route.preferred_source.family == family) return route.preferred_source;
    const bool has_gateway = hop.gateway.family == family;
    if (has_gateway) {
        const KernelRoute* link = lookup_route(tables.routes, hop.gateway);
        if (link != nullptr && link->preferred_source.family == family) {
            return link->preferred_source;
        }
    }
    return address_towards(tables, hop.interface,
                           has_gateway ? hop.gateway : route.destination.address, vips);
}

void resolve(lb::RouteSpec& spec, const Neighbour* neighbour) {
    if (neighbour == nullptr) return;
    spec.destination_mac = neighbour->mac;
    spec.resolved = true;
}

// What one snapshot's routes are made of.
struct RouteInputs {
    const KernelTables& tables;
    Vips vips;
};

lb::RouteSpec make_spec(const RouteInputs& sources, const KernelRoute& route, const RouteHop& hop,
                        const ControlPort& port) {
    lb::RouteSpec spec;
    spec.destination = route.destination.network();
    spec.port = port.id;
    spec.gateway = hop.gateway;
    spec.preferred_source = source_of(sources.tables, route, hop, sources.vips);
    spec.source_mac = port.mac;
    spec.mtu = route.mtu;
    const bool is_host = route.destination.length == host_length(route.destination.address);
    if (spec.gateway.family == net::Family::None && is_host) {
        spec.gateway = route.destination.address;
    }
    if (spec.gateway.family != net::Family::None) {
        resolve(spec, find_neighbour(sources.tables, hop.interface, spec.gateway));
    }
    return spec;
}

// Packets to there are dropped for want of a route.
lb::RouteSpec dead_end(const net::IpPrefix& destination) {
    lb::RouteSpec spec;
    spec.destination = destination.network();
    return spec;
}

}  // namespace

PrefixLengths::PrefixLengths() {
    v4_.set();
    v6_.set();
}

PrefixLengths::PrefixLengths(const RouteTable& routes) {
    for (const auto& [prefix, by_metric] : routes.all()) {
        (prefix.address.is_v4() ? v4_ : v6_).set(prefix.length);
    }
}

const KernelRoute* lookup_route(const RouteTable& routes, const net::IpAddress& address,
                                const PrefixLengths& lengths) {
    if (address.family == net::Family::None) return nullptr;
    for (int length = host_length(address); length >= 0; --length) {
        if (!lengths.has(address.family, static_cast<unsigned>(length))) continue;
        const net::IpPrefix prefix =
            net::IpPrefix{address, static_cast<std::uint8_t>(length)}.network();
        const auto known = routes.all().find(prefix);
        if (known == routes.all().end()) continue;
        if (const KernelRoute* route = best_route(known->second)) return route;
    }
    return nullptr;
}

HopKey next_hop_of(const KernelTables& tables, const PortTable& ports,
                   const net::IpAddress& address, const PrefixLengths& lengths) {
    const KernelRoute* route = lookup_route(tables.routes, address, lengths);
    const RouteHop* hop = route == nullptr ? nullptr : usable_hop(*route);
    const ControlPort* port = hop == nullptr ? nullptr : ports.find(hop->interface);
    if (port == nullptr) return {};
    const bool on_link = hop->gateway.family == net::Family::None;
    return {port->id, on_link ? address : hop->gateway};
}

net::IpAddress address_towards(const KernelTables& tables, InterfaceIndex interface,
                               const net::IpAddress& target,
                               std::span<const lb::OwnedAddressSpec> vips) {
    const auto known = tables.addresses.find(interface);
    if (known == tables.addresses.end()) return {};
    net::IpAddress best;
    unsigned best_fitness = 0;
    for (const net::IpPrefix& own : known->second) {
        const unsigned fits = fitness(own, target, vips);
        if (fits <= best_fitness) continue;
        best_fitness = fits;
        best = own.address;
    }
    return best;
}

net::IpAddress source_towards(const KernelTables& tables, const net::IpAddress& target,
                              std::span<const lb::OwnedAddressSpec> vips) {
    const KernelRoute* route = lookup_route(tables.routes, target);
    const RouteHop* hop = route == nullptr ? nullptr : usable_hop(*route);
    return hop == nullptr ? net::IpAddress{} : source_of(tables, *route, *hop, vips);
}

std::vector<lb::RouteSpec> build_routes(const KernelTables& tables, const PortTable& ports,
                                        std::span<const lb::OwnedAddressSpec> vips) {
    const RouteInputs sources{tables, vips};
    std::vector<lb::RouteSpec> specs;
    for (const auto& [prefix, by_metric] : tables.routes.all()) {
        const KernelRoute* route = is_routable(prefix.address) ? best_route(by_metric) : nullptr;
        if (route == nullptr) continue;
        const RouteHop* hop = usable_hop(*route);
        const ControlPort* port = hop == nullptr ? nullptr : ports.find(hop->interface);
        specs.push_back(port == nullptr ? dead_end(route->destination)
                                        : make_spec(sources, *route, *hop, *port));
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
        lb::RouteSpec spec = make_spec(sources, *route, *hop, *port);
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
