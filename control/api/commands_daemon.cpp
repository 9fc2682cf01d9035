// SPDX-License-Identifier: Apache-2.0
// Commands about the daemon itself: status, configuration, reload, stop, run-time settings.

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include <unistd.h>

#include "control/api/commands.h"
#include "control/api/tickets.h"
#include "control/director/director.h"
#include "control/director/reloader.h"
#include "control/health/health_runner.h"
#include "control/log/log.h"
#include "control/loop/duration_number.h"
#include "control/mail/mailer.h"
#include "control/spec/spec_builder.h"

namespace pollux::control::api {
namespace {

Json longer_json(const LoopStats& loop) {
    Json json = Json::object();
    for (std::size_t i = 0; i < loop.longer.size(); ++i) {
        json[std::to_string(kLongCallbacks[i].count())] = loop.longer[i];
    }
    return json;
}

// Lines of a reload's answer: tens of thousands would keep the loop for long.
constexpr std::size_t kMaxToldChanges = 1000;

Json diff_json(const ConfigDiff& diff) {
    Json changes = Json::array();
    for (const std::string& line :
         std::span(diff.changes).first(std::min(diff.changes.size(), kMaxToldChanges))) {
        changes.push_back(line);
    }
    return {{"changes", std::move(changes)},
            {"changes_total", diff.changes.size()},
            {"restart_only", diff.restart_only}};
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

// Reloads run beside the loop: the client asks again with its ticket.
Reloader::Done answer_to(Tickets& tickets, std::uint64_t ticket) {
    return [&tickets, ticket](const Reloader::Outcome& outcome) {
        const Result<Json> json = outcome_json(outcome);
        tickets.add(ticket, json ? Json{{"done", *json}}
                                 : Json{{"message", json.error().message},
                                        {"remedy", json.error().remedy}});
    };
}

// What a request with a ticket gets; nothing: it has none.
std::optional<Result<Json>> answer_of(Tickets& tickets, const Json& args) {
    const auto ticket = number_argument(args, "ticket", {0, 0, std::int64_t{1} << 52});
    if (!ticket) return ticket.error();
    if (*ticket == 0) return std::nullopt;
    const auto number = static_cast<std::uint64_t>(*ticket);
    const std::optional<Json> parts = tickets.take(number);
    if (!parts) return Error{"the outcome is not there any more", "see: pollux show status"};
    if (parts->is_null()) return pending_answer(number);
    const Json& part = parts->front();
    if (part.contains("done")) return part["done"];
    return Error{part.value("message", std::string()), part.value("remedy", std::string())};
}

struct ServerChoice {
    const VirtualServerConfig* service = nullptr;
    const RealServerConfig* server = nullptr;
};

bool names_server(const std::string& name, const net::IpAddress& address, std::uint16_t port) {
    return name == endpoint(address, port) || name == address.to_string();
}

std::vector<ServerChoice> find_servers(const Config& config, const std::string& service,
                                       const std::string& server) {
    std::vector<ServerChoice> found;
    for (const VirtualServerConfig& candidate : config.virtual_servers) {
        const VirtualServerKey key = VirtualServerKey::of(candidate);
        const bool same = service.empty() || service == to_string(key) || service == key.group ||
                          service == endpoint(key.address, key.port);
        if (!same) continue;
        for (const RealServerConfig& real : candidate.real_server) {
            if (names_server(server, real.address, real.port)) found.push_back({&candidate, &real});
        }
    }
    return found;
}

struct WeightChange {
    std::string service, server;
    std::uint16_t before = 0, now = 0;
};

Json report_weight(Director& director, const WeightChange& change) {
    const auto& [service, server, before, now] = change;
    director.events().add({0,
                           {},
                           EventKind::Operator,
                           server + " of " + service,
                           "weight " + std::to_string(before),
                           "weight " + std::to_string(now),
                           "pollux server",
                           false});
    log::info("weight set by operator",
              {{"service", service}, {"server", server}, {"before", before}, {"weight", now}});
    return {{"service", service}, {"server", server}, {"weight_before", before}, {"weight", now}};
}

// A server of the file; nothing: back to what the file and the checks say.
Json set_weight(Director& director, const ServerChoice& choice,
                std::optional<std::uint16_t> weight) {
    const ServerKey key = ServerKey::of(*choice.service, *choice.server);
    ServerState& state = director.servers().servers[key];
    const std::uint16_t before = state.own_weight(choice.server->weight);
    state.operator_weight = weight;
    for (const lb::ServiceSpec& service : build_services(
             *choice.service, director.config().virtual_server_groups, director.servers())) {
        director.runtime_changes().forget_weight(lb::ServiceKey::of(service),
                                                 {choice.server->address, choice.server->port});
    }
    return report_weight(
        director, {to_string(key.service), endpoint(choice.server->address, choice.server->port),
                   before, state.own_weight(choice.server->weight)});
}

// Servers that `pollux ipvs` added; nothing: back to the weight that it gave.
void set_added_weights(Director& director, const std::string& service, const std::string& server,
                       std::optional<std::uint16_t> weight, Json& changed) {
    RuntimeServices& changes = director.runtime_changes();
    for (const auto& [key, spec] : changes.added_servers()) {
        const bool same = service.empty() || service == to_string(key) ||
                          service == endpoint(key.address, key.port);
        if (!same || !names_server(server, spec.address, spec.port)) continue;
        const std::uint16_t now = changes.set_weight(key, {spec.address, spec.port}, weight);
        changed.push_back(report_weight(
            director, {to_string(key), endpoint(spec.address, spec.port), spec.weight, now}));
    }
}

}  // namespace

Result<Json> show_status(CommandContext& context, const Json& /*args*/) {
    Director& director = context.director;
    const Config& config = director.config();
    std::size_t ports_up = 0;
    for (const ControlPort& port : director.ports().ports) ports_up += port.link_up ? 1 : 0;
    const lb::Duration uptime = director.now() - director.started();
    const LoopStats loop = director.loop().stats();
    const Mailer& mailer = context.mailer;
    return Json{{"version", POLLUX_VERSION},
                {"pid", getpid()},
                {"router_id", config.global.router_id},
                {"config", context.reloader.path()},
                {"uptime_seconds", seconds(uptime)},
                {"generation", director.plane().generation()},
                {"reloads", director.reloads()},
                {"waits_for_confirmation", context.reloader.waits_for_confirmation()},
                {"refused_snapshots", director.publisher().failures()},
                {"workers", director.plane().worker_count()},
                {"ports", director.ports().ports.size()},
                {"ports_up", ports_up},
                {"services", director.spec().services.size()},
                {"runtime_changes", director.runtime_services().size()},
                {"virtual_addresses", director.vips().vips().size()},
                {"routes", director.spec().routes.size()},
                {"events", director.events().total()},
                {"mail",
                 {{"enabled", mailer.enabled()},
                  {"sent", mailer.mails()},
                  {"failures", mailer.failures()},
                  {"waiting", mailer.queue().waiting()},
                  {"lost", mailer.queue().lost()},
                  {"last_problem", mailer.last_problem()}}},
                {"loop",
                 {{"longest_callback_ms", milliseconds(loop.longest_callback)},
                  {"longest_callback_recent_ms", milliseconds(loop.longest_callback_recent)},
                  {"latest_timer_ms", milliseconds(loop.latest_timer)},
                  {"latest_timer_recent_ms", milliseconds(loop.latest_timer_recent)},
                  {"callbacks", loop.callbacks},
                  {"callbacks_longer_than_ms", longer_json(loop)}}}};
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
    if (auto answer = answer_of(context.tickets, args)) return *answer;
    const auto preview = flag_argument(args, "preview");
    if (!preview) return preview.error();
    const auto confirm = number_argument(args, "confirm_seconds", {0, 0, 86400});
    if (!confirm) return confirm.error();
    const auto discard = flag_argument(args, "discard_runtime");
    if (!discard) return discard.error();
    const RuntimeChanges fate = *discard ? RuntimeChanges::Discard : RuntimeChanges::Keep;
    const std::uint64_t opened = context.tickets.open();
    context.tickets.expect(opened, 1);
    const Reloader::Done done = answer_to(context.tickets, opened);
    if (*preview) {
        context.reloader.preview(fate, done);
    } else {
        context.reloader.reload(std::chrono::seconds(*confirm), fate, done);
    }
    return pending_answer(opened);
}

Result<Json> confirm_reload(CommandContext& context, const Json& /*args*/) {
    const Status done = context.reloader.confirm();
    if (!done) return done.error();
    return Json::object();
}

Result<Json> rollback(CommandContext& context, const Json& args) {
    if (auto answer = answer_of(context.tickets, args)) return *answer;
    const std::uint64_t opened = context.tickets.open();
    context.tickets.expect(opened, 1);
    context.reloader.rollback(answer_to(context.tickets, opened));
    return pending_answer(opened);
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
    std::optional<std::uint16_t> wanted;
    if (*weight >= 0) wanted = static_cast<std::uint16_t>(*weight);
    Director& director = context.director;
    director.settle();
    Json changed = Json::array();
    for (const ServerChoice& choice : find_servers(director.config(), *service, *server)) {
        changed.push_back(set_weight(director, choice, wanted));
    }
    set_added_weights(director, *service, *server, wanted, changed);
    if (changed.empty()) {
        return Error{"no real server " + *server + (service->empty() ? "" : " in " + *service),
                     "see: pollux show services"};
    }
    context.health.weights_changed();
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
