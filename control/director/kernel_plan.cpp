// SPDX-License-Identifier: Apache-2.0
#include "control/director/kernel_plan.h"

#include <algorithm>

#include "control/log/log.h"

namespace pollux::control {
namespace {

// The port whose address contains the gateway, for routes that name none.
const ControlPort* port_towards(const net::IpAddress& gateway, const Config& config,
                                const PortTable& ports) {
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        for (const net::IpPrefix& prefix : config.ports[i].address) {
            if (prefix.contains(gateway)) return ports.find(static_cast<lb::PortId>(i));
        }
    }
    return nullptr;
}

template <typename Item>
bool contains(const std::vector<Item>& items, const Item& item) {
    return std::find(items.begin(), items.end(), item) != items.end();
}

// Applies `change` to the items of `items` that `other` lacks; stops at the first failure.
template <typename Item, typename Change>
Status for_difference(const std::vector<Item>& items, const std::vector<Item>& other,
                      Change change) {
    for (const Item& item : items) {
        if (contains(other, item)) continue;
        if (Status done = change(item); !done) return done;
    }
    return ok_status();
}

Status remove_gone(NetlinkRequests& netlink, const KernelPlan& before, const KernelPlan& after) {
    Status done = for_difference(before.neighbours, after.neighbours, [&](const auto& item) {
        return netlink.remove_neighbour(item.interface, item.address);
    });
    if (!done) return done;
    done = for_difference(before.routes, after.routes,
                          [&](const auto& item) { return netlink.remove_route(item); });
    if (!done) return done;
    return for_difference(before.addresses, after.addresses,
                          [&](const auto& item) { return netlink.remove_address(item); });
}

Status add_new(NetlinkRequests& netlink, const KernelPlan& before, const KernelPlan& after) {
    Status done = for_difference(after.addresses, before.addresses,
                                 [&](const auto& item) { return netlink.add_address(item); });
    if (!done) return done;
    // All of them: the kernel drops routes silently when an address that they need goes.
    for (const RouteRequest& route : after.routes) {
        if (done = netlink.add_route(route); !done) return done;
    }
    return for_difference(after.neighbours, before.neighbours, [&](const auto& item) {
        return netlink.add_permanent_neighbour(item.interface, item.address, item.mac);
    });
}

}  // namespace

RouteRequest to_request(const RouteConfig& route, const Config& config, const PortTable& ports) {
    const ControlPort* port =
        route.dev.empty() ? port_towards(route.via, config, ports) : ports.find(route.dev);
    RouteRequest request;
    if (port != nullptr) request.interface = port->interface;
    request.destination = route.to;
    request.gateway = route.via;
    request.preferred_source = route.src;
    request.metric = route.metric;
    request.table = route.table;
    request.mtu = route.mtu;
    return request;
}

KernelPlan plan_kernel(const Config& config, const PortTable& ports) {
    KernelPlan plan;
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const ControlPort* port = ports.find(static_cast<lb::PortId>(i));
        if (port == nullptr || port->interface == kNoInterface) continue;
        for (const net::IpPrefix& prefix : config.ports[i].address) {
            AddressRequest request;
            request.interface = port->interface;
            request.prefix = prefix;
            plan.addresses.push_back(request);
        }
    }
    for (const RouteConfig& route : config.routes) {
        const RouteRequest request = to_request(route, config, ports);
        if (request.interface != kNoInterface) plan.routes.push_back(request);
    }
    for (const NeighbourConfig& neighbour : config.neighbours) {
        const ControlPort* port = ports.find(neighbour.dev);
        if (port == nullptr || port->interface == kNoInterface) continue;
        plan.neighbours.push_back({port->interface, neighbour.address, neighbour.mac});
    }
    return plan;
}

Status apply_kernel_plan(NetlinkRequests& netlink, const KernelPlan& before,
                         const KernelPlan& after) {
    Status done = remove_gone(netlink, before, after);
    if (done) done = add_new(netlink, before, after);
    if (done) return done;
    Status undone = remove_gone(netlink, after, before);
    if (undone) undone = add_new(netlink, after, before);
    if (!undone) log::error("kernel state not restored", undone.error());
    return done;
}

}  // namespace pollux::control
