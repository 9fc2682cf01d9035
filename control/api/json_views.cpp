// SPDX-License-Identifier: Apache-2.0
#include "control/api/json_views.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "control/loop/duration_number.h"
#include "control/spec/server_states.h"
#include "dataplane/lb/method_name.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::control::api {
namespace {

Json optional_address(const net::IpAddress& address) {
    return address.family == net::Family::None ? Json(nullptr) : Json(address.to_string());
}

std::string_view tunnel_type(lb::TunnelKind kind) {
    switch (kind) {
        case lb::TunnelKind::Ipip:
            return "ipip";
        case lb::TunnelKind::Gue:
            return "gue";
        case lb::TunnelKind::Gre:
            return "gre";
    }
    return "?";
}

Json tunnel_json(const lb::TunnelSpec& tunnel) {
    Json json{{"type", tunnel_type(tunnel.kind)}};
    if (tunnel.kind == lb::TunnelKind::Gue) json["port"] = tunnel.gue_port;
    if (tunnel.kind != lb::TunnelKind::Ipip) {
        json["checksum"] = tunnel.checksum;
        json["remote_checksum"] = tunnel.remote_checksum;
    }
    json["spread_source"] = tunnel.spread_source;
    return json;
}

Json server_json(const lb::ServerView& server) {
    Json json{{"address", server.address.to_string()},
              {"port", server.port},
              {"method", lb::method_name(server.method)},
              {"weight", server.weight},
              {"upper_threshold", server.upper_threshold},
              {"lower_threshold", server.lower_threshold},
              {"active", server.active},
              {"inactive", server.inactive},
              {"persistent", server.persistent},
              {"connections", server.connections},
              {"packets_in", server.packets_in},
              {"packets_out", server.packets_out},
              {"bytes_in", server.bytes_in},
              {"bytes_out", server.bytes_out},
              {"removed", server.removed}};
    if (server.method == lb::ForwardingMethod::Tunnel) json["tunnel"] = tunnel_json(server.tunnel);
    return json;
}

Json rate_json(const ipvs::Rate& rate) {
    return {{"connections", rate.connections},
            {"packets_in", rate.packets_in},
            {"packets_out", rate.packets_out},
            {"bytes_in", rate.bytes_in},
            {"bytes_out", rate.bytes_out}};
}

Json servers_json(std::span<const lb::ServerView> servers) {
    Json list = Json::array();
    for (const lb::ServerView& server : servers) list.push_back(server_json(server));
    return list;
}

Json service_json(const lb::ServiceView& service) {
    const lb::ServiceSpec& spec = service.spec;
    Json json{{"protocol", to_string(spec.protocol)}};
    if (spec.fwmark != 0) {
        json["fwmark"] = spec.fwmark;
        json["family"] = spec.address.is_v6() ? "ipv6" : "ipv4";
    } else {
        json["address"] = spec.address.to_string();
        json["port"] = spec.port;
    }
    if (service.continued) {
        json["continued"] = true;
        json["servers"] = servers_json(service.servers);
        return json;
    }
    json["scheduler"] = to_string(spec.scheduler);
    Json flags = Json::array();
    if (spec.scheduler_flags.fallback) flags.push_back("fallback");
    if (spec.scheduler_flags.port) flags.push_back("port");
    json["scheduler_flags"] = flags;
    json["one_packet"] = spec.one_packet;
    if (spec.persistence) {
        json["persistence"] = {{"timeout_seconds", seconds(spec.persistence->timeout)},
                               {"prefix", spec.persistence->prefix}};
    } else {
        json["persistence"] = nullptr;
    }
    json["connections"] = service.connections;
    json["packets_in"] = service.packets_in;
    json["packets_out"] = service.packets_out;
    json["bytes_in"] = service.bytes_in;
    json["bytes_out"] = service.bytes_out;
    json["servers"] = servers_json(service.servers);
    return json;
}

template <typename Read>
std::uint64_t sum(std::span<const lb::WorkerCounters> workers, Read read) {
    std::uint64_t total = 0;
    for (const lb::WorkerCounters& worker : workers) total += read(worker);
    return total;
}

}  // namespace

std::string_view to_string(lb::PuntReason reason) {
    switch (reason) {
        case lb::PuntReason::None:
            return "none";
        case lb::PuntReason::Vrrp:
            return "vrrp";
        case lb::PuntReason::Arp:
            return "arp";
        case lb::PuntReason::NeighbourDiscovery:
            return "neighbour-discovery";
        case lb::PuntReason::LocalAddress:
            return "local-address";
        case lb::PuntReason::Multicast:
            return "multicast";
        case lb::PuntReason::Routed:
            return "routed";
        case lb::PuntReason::Unresolved:
            return "unresolved";
    }
    return "?";
}

Json services_json(std::span<const lb::ServiceView> services) {
    Json list = Json::array();
    for (const lb::ServiceView& service : services) list.push_back(service_json(service));
    return list;
}

void add_rates(Json& services, std::span<const ipvs::ServiceRates> rates) {
    for (std::size_t i = 0; i < services.size(); ++i) {
        services[i]["per_second"] = rate_json(rates[i].service);
        Json& servers = services[i]["servers"];
        for (std::size_t j = 0; j < servers.size(); ++j) {
            servers[j]["per_second"] = rate_json(rates[i].servers.at(j));
        }
    }
}

void add_origins(Json& services, std::span<const lb::ServiceView> views,
                 const RuntimeServices& changes, const ServersOfServices& weighted) {
    for (std::size_t i = 0; i < services.size(); ++i) {
        const lb::ServiceKey key = lb::ServiceKey::of(views[i].spec);
        services[i]["defined_by"] = control::to_string(changes.defined_by(key));
        Json& servers = services[i]["servers"];
        for (std::size_t j = 0; j < servers.size(); ++j) {
            const lb::ServerView& server = views[i].servers.at(j);
            const ServerEndpoint endpoint{server.address, server.port};
            DefinedBy by = changes.defined_by(key, endpoint);
            if (by == DefinedBy::File && weighted.contains({key, endpoint})) {
                by = DefinedBy::Changed;
            }
            servers[j]["defined_by"] = control::to_string(by);
        }
    }
}

Json connection_json(const lb::ConnectionView& connection) {
    Json json{{"protocol", to_string(connection.protocol)},
              {"state", connection.state},
              {"expires_seconds", seconds(connection.expires_in)},
              {"client", connection.client.to_string()},
              {"client_port", connection.client_port},
              {"virtual", connection.virtual_address.to_string()},
              {"virtual_port", connection.virtual_port},
              {"server", connection.server.to_string()},
              {"server_port", connection.server_port},
              {"method", lb::method_name(connection.method)}};
    if (connection.local.family != net::Family::None) {
        json["local"] = connection.local.to_string();
        json["local_port"] = connection.local_port;
    }
    if (connection.is_template) json["template"] = true;
    if (connection.fwmark != 0) json["fwmark"] = connection.fwmark;
    return json;
}

Json port_json(const dpdk::PortView& port) {
    return {{"name", port.name},
            {"driver", port.driver},
            {"mac", port.mac.to_string()},
            {"mtu", port.mtu},
            {"link_up", port.link_up},
            {"rx_queues", port.rx_queues},
            {"tx_queues", port.tx_queues},
            {"rss", port.rss},
            {"tx_checksum", port.tx_checksum},
            {"control_queue", port.control_queue},
            {"promiscuous", port.promiscuous},
            {"rx_packets", port.rx_packets},
            {"rx_bytes", port.rx_bytes},
            {"tx_packets", port.tx_packets},
            {"tx_bytes", port.tx_bytes},
            {"rx_missed", port.rx_missed},
            {"rx_errors", port.rx_errors},
            {"tx_errors", port.tx_errors},
            {"no_mbuf", port.no_mbuf},
            {"notes", port.notes}};
}

Json worker_json(const dpdk::WorkerView& worker, const lb::WorkerCounters& counters) {
    return {{"worker", worker.index},
            {"cpu", worker.cpu},
            {"heartbeat", worker.heartbeat},
            {"loops", worker.loops},
            {"idle_loops", worker.idle_loops},
            {"sleeps", worker.sleeps},
            {"busy_cycles", worker.busy_cycles},
            {"total_cycles", worker.total_cycles},
            {"cycles_per_second", worker.cycles_per_second},
            {"burst_histogram", worker.burst_histogram},
            {"received", counters.received},
            {"received_bytes", counters.received_bytes},
            {"transmitted", counters.transmitted},
            {"punted", counters.punted},
            {"originated", counters.originated},
            {"parked", counters.parked},
            {"dropped",
             std::accumulate(counters.dropped.begin(), counters.dropped.end(), std::uint64_t{0})},
            {"connections_created", counters.connections_created},
            {"connection_hits", counters.connection_hits},
            {"embryonic_evicted", counters.embryonic_evicted}};
}

Json memory_json(std::span<const lb::MemoryView> memory) {
    Json list = Json::array();
    for (const lb::MemoryView& view : memory) {
        list.push_back({{"name", view.name},
                        {"bytes", view.bytes},
                        {"capacity", view.capacity},
                        {"used", view.used},
                        {"hugepages", view.hugepages}});
    }
    return list;
}

Json drops_json(std::span<const lb::WorkerCounters> workers, bool all) {
    Json list = Json::array();
    for (std::size_t i = 1; i < lb::kDropReasonCount; ++i) {
        const auto count = sum(workers, [&](const auto& worker) { return worker.dropped.at(i); });
        if (count == 0 && !all) continue;
        const auto reason = static_cast<lb::DropReason>(i);
        list.push_back({{"reason", lb::to_string(reason)},
                        {"packets", count},
                        {"meaning", lb::explain(reason)}});
    }
    return list;
}

Json punts_json(std::span<const lb::WorkerCounters> workers) {
    Json list = Json::array();
    for (std::size_t i = 1; i < lb::kPuntReasonCount; ++i) {
        const auto count =
            sum(workers, [&](const auto& worker) { return worker.punted_by_reason.at(i); });
        list.push_back({{"reason", to_string(static_cast<lb::PuntReason>(i))}, {"packets", count}});
    }
    return list;
}

Json totals_json(std::span<const lb::WorkerCounters> workers) {
    using Counters = lb::WorkerCounters;
    return {
        {"received", sum(workers, [](const Counters& w) { return w.received; })},
        {"received_bytes", sum(workers, [](const Counters& w) { return w.received_bytes; })},
        {"transmitted", sum(workers, [](const Counters& w) { return w.transmitted; })},
        {"punted", sum(workers, [](const Counters& w) { return w.punted; })},
        {"dropped", sum(workers,
                        [](const Counters& w) {
                            return std::accumulate(w.dropped.begin(), w.dropped.end(),
                                                   std::uint64_t{0});
                        })},
        {"parked", sum(workers, [](const Counters& w) { return w.parked; })},
        {"originated", sum(workers, [](const Counters& w) { return w.originated; })},
        {"connections_created",
         sum(workers, [](const Counters& w) { return w.connections_created; })},
        {"embryonic_evicted", sum(workers, [](const Counters& w) { return w.embryonic_evicted; })}};
}

Json route_json(const lb::RouteSpec& route, const PortTable& ports) {
    const ControlPort* port = ports.find(route.port);
    Json json{{"destination", route.destination.to_string()},
              {"port", port == nullptr ? std::string() : port->name},
              {"gateway", optional_address(route.gateway)},
              {"source", optional_address(route.preferred_source)},
              {"resolved", route.resolved}};
    json["mac"] = route.resolved ? Json(route.destination_mac.to_string()) : Json(nullptr);
    if (route.mtu != 0) json["mtu"] = route.mtu;
    return json;
}

}  // namespace pollux::control::api
