// SPDX-License-Identifier: Apache-2.0
// Commands about the daemon itself: status, configuration, reload, stop, run-time settings.

#include <array>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include "control/api/commands.h"
#include "control/director/director.h"
#include "control/director/reloader.h"
#include "control/log/log.h"

namespace pollux::control::api {
namespace {

Json diff_json(const ConfigDiff& diff) {
    return {{"changes", diff.changes}, {"restart_only", diff.restart_only}};
}

// A reload's outcome; a refusal carries the rendered configuration errors in its message.
Result<Json> outcome_json(const Reloader::Outcome& outcome) {
    if (!outcome.accepted) {
        const std::string messages = outcome.messages.empty() ? "" : "\n" + outcome.messages;
        return Error{outcome.error.message + messages, outcome.error.remedy};
    }
    Json json = diff_json(outcome.diff);
    json["warnings"] = outcome.messages;
    return json;
}

struct ServerChoice {
    const VirtualServerConfig* service = nullptr;
    const RealServerConfig* server = nullptr;
};

std::vector<ServerChoice> find_servers(const Config& config, const std::string& service,
                                       const std::string& server) {
    std::vector<ServerChoice> found;
    for (const VirtualServerConfig& candidate : config.virtual_servers) {
        const VirtualServerKey key = VirtualServerKey::of(candidate);
        const bool same = service.empty() || service == to_string(key) || service == key.group ||
                          service == endpoint(key.address, key.port);
        if (!same) continue;
        for (const RealServerConfig& real : candidate.real_server) {
            if (server == endpoint(real.address, real.port) || server == real.address.to_string()) {
                found.push_back({&candidate, &real});
            }
        }
    }
    return found;
}

}  // namespace

Result<Json> show_status(CommandContext& context, const Json& /*args*/) {
    Director& director = context.director;
    const Config& config = director.config();
    std::size_t ports_up = 0;
    for (const ControlPort& port : director.ports().ports) ports_up += port.link_up ? 1 : 0;
    const lb::Duration uptime = director.now() - director.started();
    return Json{{"version", POLLUX_VERSION},
                {"pid", getpid()},
                {"router_id", config.global.router_id},
                {"config", context.reloader.path()},
                {"uptime_seconds", std::chrono::duration<double>(uptime).count()},
                {"generation", director.plane().generation()},
                {"reloads", director.reloads()},
                {"waits_for_confirmation", context.reloader.waits_for_confirmation()},
                {"refused_snapshots", director.publisher().failures()},
                {"workers", director.plane().worker_count()},
                {"ports", director.ports().ports.size()},
                {"ports_up", ports_up},
                {"services", director.spec().services.size()},
                {"virtual_addresses", director.vips().vips().size()},
                {"routes", director.spec().routes.size()}};
}

Result<Json> show_config(CommandContext& context, const Json& /*args*/) {
    const Config& config = context.director.config();
    Json ports = Json::array();
    for (const PortConfig& port : config.ports) {
        Json addresses = Json::array();
        for (const net::IpPrefix& prefix : port.address) addresses.push_back(prefix.to_string());
        ports.push_back({{"name", port.name},
                         {"device", port.pci.empty() ? port.vdev : port.pci},
                         {"mtu", port.mtu},
                         {"addresses", std::move(addresses)}});
    }
    Json services = Json::array();
    for (const VirtualServerConfig& service : config.virtual_servers) {
        services.push_back({{"name", to_string(VirtualServerKey::of(service))},
                            {"real_servers", service.real_server.size()}});
    }
    Json instances = Json::array();
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        instances.push_back(instance.name);
    }
    return Json{{"path", context.reloader.path()},
                {"router_id", config.global.router_id},
                {"workers", config.dpdk.worker_lcores},
                {"control_lcore", config.dpdk.control_lcore},
                {"ports", std::move(ports)},
                {"virtual_servers", std::move(services)},
                {"vrrp_instances", std::move(instances)}};
}

Result<Json> reload(CommandContext& context, const Json& args) {
    const auto preview = flag_argument(args, "preview");
    if (!preview) return preview.error();
    const auto confirm = number_argument(args, "confirm_seconds", {0, 0, 86400});
    if (!confirm) return confirm.error();
    if (*preview) return outcome_json(context.reloader.preview());
    return outcome_json(context.reloader.reload(std::chrono::seconds(*confirm)));
}

Result<Json> confirm_reload(CommandContext& context, const Json& /*args*/) {
    const Status done = context.reloader.confirm();
    if (!done) return done.error();
    return Json::object();
}

Result<Json> rollback(CommandContext& context, const Json& /*args*/) {
    return outcome_json(context.reloader.rollback());
}

Result<Json> stop(CommandContext& context, const Json& /*args*/) {
    context.director.stop("pollux stop");
    return Json::object();
}

Result<Json> set_server_weight(CommandContext& context, const Json& args) {
    const auto service = text_argument(args, "service");
    if (!service) return service.error();
    const auto server = text_argument(args, "server");
    if (!server) return server.error();
    const auto weight = number_argument(args, "weight", {-1, -1, 65535});
    if (!weight) return weight.error();
    const auto found = find_servers(context.director.config(), *service, *server);
    if (found.empty()) {
        return Error{"no real server " + *server + (service->empty() ? "" : " in " + *service),
                     "see: pollux show services"};
    }
    Json changed = Json::array();
    for (const ServerChoice& choice : found) {
        const ServerKey key = ServerKey::of(*choice.service, *choice.server);
        ServerState& state = context.director.servers().servers[key];
        const std::uint16_t before = state.weight(choice.server->weight);
        if (*weight < 0) {
            state.operator_weight.reset();
        } else {
            state.operator_weight = static_cast<std::uint16_t>(*weight);
        }
        const std::uint16_t now = state.weight(choice.server->weight);
        const std::string name = endpoint(choice.server->address, choice.server->port);
        changed.push_back({{"service", to_string(key.service)},
                           {"server", name},
                           {"weight_before", before},
                           {"weight", now}});
        log::info("weight set by operator", {{"service", to_string(key.service)},
                                             {"server", name},
                                             {"before", before},
                                             {"weight", now}});
    }
    context.director.publish_soon();
    return Json{{"changed", std::move(changed)}};
}

Result<Json> set_log_level(CommandContext& /*context*/, const Json& args) {
    struct Row {
        std::string_view name;
        log::Level level;
    };
    constexpr std::array kLevels = {Row{"debug", log::Level::Debug}, Row{"info", log::Level::Info},
                                    Row{"warning", log::Level::Warning},
                                    Row{"error", log::Level::Error}};
    const auto level = text_argument(args, "level");
    if (!level) return level.error();
    for (const Row& row : kLevels) {
        if (row.name != *level) continue;
        log::set_level(row.level);
        return Json{{"level", *level}};
    }
    return Error{"unknown log level " + *level, "use debug, info, warning or error"};
}

}  // namespace pollux::control::api
