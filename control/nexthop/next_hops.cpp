// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/next_hops.h"

#include <utility>

#include "control/log/log.h"
#include "dataplane/net/ethernet.h"

namespace pollux::control {

NextHops::NextHops(NetlinkRequests& netlink, const KernelTables& tables, const PortTable& ports,
                   Transmit transmit)
    : netlink_(&netlink), tables_(&tables), ports_(&ports), transmit_(std::move(transmit)) {}

void NextHops::forward(std::span<std::uint8_t> frame, const HopKey& hop, lb::TimePoint now) {
    const ControlPort* port = ports_->find(hop.port);
    if (port == nullptr || port->interface == kNoInterface) {
        parking_.refuse();  // nobody resolves neighbours of a port without a TAP
        return;
    }
    const NeighbourKey key{port->interface, hop.address};
    const auto known = tables_->neighbours.find(key);
    if (known != tables_->neighbours.end() && known->second.usable()) {
        // Resolved since the worker's snapshot was built.
        send(frame, *port, known->second.mac);
        return;
    }
    if (parking_.park(hop, frame, now) && plan_.want_now(key, now)) probe(key);
}

void NextHops::neighbour_changed(const NeighbourKey& key, const Neighbour& neighbour) {
    const ControlPort* port = ports_->find(key.interface);
    if (port == nullptr) return;
    const HopKey hop{port->id, key.address};
    if (neighbour.state == NeighbourState::Failed) {
        parking_.give_up(hop);
    } else if (neighbour.usable()) {
        for (ParkingLot::Frame& frame : parking_.take(hop)) send(frame, *port, neighbour.mac);
    }
}

void NextHops::update_wanted(std::span<const lb::RouteSpec> routes,
                             const std::set<net::IpAddress>& servers) {
    std::set<NeighbourKey> wanted;
    for (const lb::RouteSpec& route : routes) {
        const ControlPort* port = ports_->find(route.port);
        // Neighbours that became host routes by themselves are kept fresh, not chased.
        const bool is_neighbour = route.gateway == route.destination.address;
        if (port == nullptr || route.gateway.family == net::Family::None || is_neighbour) continue;
        wanted.insert({port->interface, route.gateway});
    }
    const PrefixLengths lengths(tables_->routes);
    for (const net::IpAddress& server : servers) {
        const HopKey hop = next_hop_of(*tables_, *ports_, server, lengths);
        if (const ControlPort* port = ports_->find(hop.port)) {
            wanted.insert({port->interface, hop.address});
        }
    }
    plan_.set_wanted(std::move(wanted));
}

void NextHops::tick(lb::TimePoint now) {
    parking_.expire(now);
    std::set<InterfaceIndex> interfaces;
    for (const ControlPort& port : ports_->ports) {
        if (port.interface != kNoInterface) interfaces.insert(port.interface);
    }
    for (const NeighbourKey& key : plan_.due(tables_->neighbours, interfaces, now)) probe(key);
}

void NextHops::send(std::span<std::uint8_t> frame, const ControlPort& port,
                    const net::MacAddress& mac) {
    auto* ethernet = net::header_at<net::EthernetHeader>(frame, 0);
    if (ethernet == nullptr) return;
    ethernet->destination = mac;
    ethernet->source = port.mac;
    transmit_(port.id, frame);
}

void NextHops::probe(const NeighbourKey& key) {
    ++probes_;
    if (const Status asked = netlink_->probe_neighbour(key.interface, key.address); !asked) {
        log::debug("neighbour not probed",
                   {{"address", key.address.to_string()}, {"cause", asked.error().message}});
    }
}

}  // namespace pollux::control
