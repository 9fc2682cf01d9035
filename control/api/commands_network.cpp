// SPDX-License-Identifier: Apache-2.0
// Commands about ports, neighbours and routes.

#include <nlohmann/json.hpp>

#include "control/api/commands.h"
#include "control/api/json_views.h"
#include "control/director/director.h"

namespace pollux::control::api {

Result<Json> show_ports(CommandContext& context, const Json& /*args*/) {
    Director& director = context.director;
    Json list = Json::array();
    const auto views = director.runtime().ports();
    for (std::size_t i = 0; i < views.size(); ++i) {
        Json row = port_json(views[i]);
        if (const ControlPort* port = director.ports().find(static_cast<lb::PortId>(i))) {
            row["link_up"] = port->link_up;
            row["exception_path"] = port->tap.empty() ? Json(nullptr) : Json(port->tap);
            Json addresses = Json::array();
            const auto known = director.kernel().addresses.find(port->interface);
            if (known != director.kernel().addresses.end()) {
                for (const net::IpPrefix& prefix : known->second) {
                    addresses.push_back(prefix.to_string());
                }
            }
            row["addresses"] = std::move(addresses);
        }
        list.push_back(std::move(row));
    }
    return Json{{"ports", std::move(list)}};
}

Result<Json> show_neighbours(CommandContext& context, const Json& /*args*/) {
    Director& director = context.director;
    const auto& known = director.kernel().neighbours;
    const auto& wanted = director.next_hops().wanted();
    Json list = Json::array();
    const auto add = [&](const NeighbourKey& key, const Neighbour* neighbour) {
        const ControlPort* port = director.ports().find(key.interface);
        if (port == nullptr) return;
        const bool has_mac = neighbour != nullptr && !neighbour->mac.is_zero();
        list.push_back({{"address", key.address.to_string()},
                        {"port", port->name},
                        {"mac", has_mac ? Json(neighbour->mac.to_string()) : Json(nullptr)},
                        {"state", neighbour == nullptr ? "NONE" : to_string(neighbour->state)},
                        {"wanted", wanted.contains(key)}});
    };
    for (const auto& [key, neighbour] : known) add(key, &neighbour);
    for (const NeighbourKey& key : wanted) {
        if (!known.contains(key)) add(key, nullptr);
    }
    return Json{{"neighbours", std::move(list)},
                {"probes", director.next_hops().probes()},
                {"resyncs", director.monitor().resyncs()}};
}

Result<Json> show_routes(CommandContext& context, const Json& /*args*/) {
    Director& director = context.director;
    Json list = Json::array();
    for (const lb::RouteSpec& route : director.spec().routes) {
        list.push_back(route_json(route, director.ports()));
    }
    return Json{{"routes", std::move(list)}};
}

}  // namespace pollux::control::api
