// SPDX-License-Identifier: Apache-2.0
// Commands about health checks, real servers and events.

#include <ctime>
#include <nlohmann/json.hpp>

#include "control/api/commands.h"
#include "control/api/tickets.h"
#include "control/director/director.h"
#include "control/health/check_key.h"
#include "control/health/health_runner.h"
#include "control/loop/duration_number.h"
#include "control/mail/mailer.h"

namespace pollux::control::api {
namespace {

// Rows of one answer; the client asks on. The loop has adverts to send.
constexpr unsigned kRowsPerRequest = 256;

template <typename T>
Json optional_json(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

// "10": began up to 10 ms after their time and more than the step before; "more": later still.
Json lateness_json(const Lateness& lateness) {
    Json json = Json::object();
    const Lateness::Counts& counts = lateness.counts();
    for (std::size_t i = 0; i < Lateness::kSteps.size(); ++i) {
        json[std::to_string(Lateness::kSteps[i].count())] = counts[i];
    }
    json["more"] = counts.back();
    return json;
}

std::string check_state(const HealthRunner::CheckView& view) {
    if (view.suspended) return "SUSPENDED";
    return view.up ? "UP" : "DOWN";
}

Json check_json(const HealthRunner::CheckView& view, lb::TimePoint now) {
    Json servers = Json::array();
    for (const ServerKey& key : view.servers) {
        servers.push_back(
            {{"service", to_string(key.service)}, {"server", endpoint(key.address, key.port)}});
    }
    return {
        {"check", describe(*view.config)},
        {"type", to_string(view.config->type)},
        {"via", view.config->via ? "service" : "direct"},
        {"servers", std::move(servers)},
        {"state", check_state(view)},
        {"decided", view.decided},
        {"running", view.running},
        {"last", view.last},
        {"took_ms", view.last_took ? Json(milliseconds(*view.last_took)) : Json(nullptr)},
        {"next_try_seconds", view.next_try ? Json(seconds(*view.next_try - now)) : Json(nullptr)},
        {"period_seconds", seconds(view.config->delay_loop)},
        {"tries", view.tries},
        {"failures", view.failures},
        {"failures_in_row", view.failures_in_row},
        {"certificate_days", optional_json(view.certificate_days)}};
}

Json service_checks_json(ViaPath* path) {
    if (path == nullptr) return nullptr;
    const ViaTranslator& translator = path->translator();
    const ViaCounters& counters = translator.counters();
    return {{"interface", path->interface()}, {"stand_ins", translator.stand_ins()},
            {"flows", translator.flows()},    {"sent", counters.sent},
            {"received", counters.received},  {"icmp_errors", counters.errors},
            {"no_try", counters.no_try},      {"not_supported", counters.not_supported},
            {"no_flow", counters.no_flow},    {"failures", path->failures()}};
}

std::string server_state(const HealthBoard::Server& server) {
    if (server.held_until) return "HELD";
    return server.alive ? "UP" : "DOWN";
}

Json server_json(const HealthBoard::Service& service, const HealthBoard::Server& server,
                 const ServerState& state, lb::TimePoint now) {
    const std::uint16_t own = state.own_weight(server.configured_weight);
    Json json{{"service", to_string(service.key)},
              {"server", endpoint(server.key.address, server.key.port)},
              {"state", server_state(server)},
              {"checks", server.checks.size()},
              {"weight", own},
              {"configured_weight", server.configured_weight},
              {"checked_weight", optional_json(state.checked_weight)},
              {"operator_weight", optional_json(state.operator_weight)},
              {"ramping", server.ramp_since.has_value()},
              {"downs", server.downs},
              {"cause", server.cause}};
    const bool changed = server.since != lb::TimePoint{};
    json["since_seconds"] = changed ? Json(seconds(now - server.since)) : Json(nullptr);
    json["held_seconds"] =
        server.held_until ? Json(seconds(*server.held_until - now)) : Json(nullptr);
    json["quorum"] = service.quorum.up() ? "UP" : "LOST";
    return json;
}

// RFC 3339, UTC, milliseconds.
std::string time_text(std::chrono::system_clock::time_point time) {
    const auto since = time.time_since_epoch();
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since);
    const auto part = std::chrono::duration_cast<std::chrono::milliseconds>(since - whole);
    const std::time_t stamp = whole.count();
    std::tm parts{};
    gmtime_r(&stamp, &parts);
    char text[64];
    const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    char fraction[16];
    std::snprintf(fraction, sizeof(fraction), ".%03dZ", static_cast<int>(part.count()));
    return std::string(text, length) + fraction;
}

Json event_json(const Event& event) {
    return {{"number", event.number},        {"time", time_text(event.time)},
            {"kind", to_string(event.kind)}, {"subject", event.subject},
            {"before", event.before},        {"after", event.after},
            {"cause", event.cause}};
}

}  // namespace

Result<Json> show_checks(CommandContext& context, const Json& args) {
    const auto cursor = number_argument(args, "cursor", {0, 0, std::int64_t{1} << 40});
    if (!cursor) return cursor.error();
    const HealthRunner& health = context.health;
    auto next = static_cast<std::uint64_t>(*cursor);
    Json list = Json::array();
    for (const HealthRunner::CheckView& view : health.checks(next, kRowsPerRequest)) {
        list.push_back(check_json(view, context.director.now()));
    }
    const HealthRunner::Totals& totals = health.totals();
    return Json{{"checks", std::move(list)},
                {"next", next},
                {"running", health.running()},
                {"tries", totals.tries},
                {"failures", totals.failures},
                {"late_tries", totals.late_tries},
                {"stretched_tries", totals.stretched_tries},
                {"down", totals.down},
                {"undecided", totals.undecided},
                {"lateness", lateness_json(totals.lateness)},
                {"service_checks", service_checks_json(context.director.via())},
                {"notify_runs", health.notifier().runs()},
                {"notify_failures", health.notifier().failures()}};
}

Result<Json> show_servers(CommandContext& context, const Json& args) {
    const auto cursor = number_argument(args, "cursor", {0, 0, std::int64_t{1} << 40});
    if (!cursor) return cursor.error();
    const lb::TimePoint now = context.director.now();
    const ServerStates& states = context.director.servers();
    auto skip = static_cast<std::uint64_t>(*cursor);
    std::uint64_t position = 0, next = 0;
    Json list = Json::array();
    for (const auto& entry : context.health.board().services()) {
        const HealthBoard::Service& service = *entry;
        if (position + service.servers.size() <= skip) {
            position += service.servers.size();
            continue;
        }
        for (const HealthBoard::Server& server : service.servers) {
            if (position++ < skip) continue;
            if (list.size() >= kRowsPerRequest) {
                next = position - 1;
                return Json{{"servers", std::move(list)}, {"next", next}};
            }
            list.push_back(server_json(service, server, states.of(server.key), now));
        }
    }
    return Json{{"servers", std::move(list)}, {"next", next}};
}

Result<Json> show_events(CommandContext& context, const Json& args) {
    const auto limit =
        number_argument(args, "limit", {100, 1, static_cast<std::int64_t>(EventLog::kCapacity)});
    if (!limit) return limit.error();
    const auto& events = context.director.events().events();
    const std::size_t count = std::min(events.size(), static_cast<std::size_t>(*limit));
    Json list = Json::array();
    for (auto event = events.end() - static_cast<std::ptrdiff_t>(count); event != events.end();
         ++event) {
        list.push_back(event_json(*event));
    }
    return Json{{"events", std::move(list)}, {"total", context.director.events().total()}};
}

Result<Json> run_checks(CommandContext& context, const Json& args) {
    const auto ticket = number_argument(args, "ticket", {0, 0, std::int64_t{1} << 52});
    if (!ticket) return ticket.error();
    Tickets& tickets = context.tickets;
    if (*ticket != 0) {
        const auto number = static_cast<std::uint64_t>(*ticket);
        auto results = tickets.take(number);
        if (!results) return Error{"the result is not there any more", "run the check again"};
        if (results->is_null()) return pending_answer(number);
        return Json{{"results", std::move(*results)}};
    }
    const auto name = text_argument(args, "check");
    if (!name) return name.error();
    const std::uint64_t opened = tickets.open();
    const std::size_t count = context.health.run_now(
        *name,
        [&tickets, opened](const std::string& check, const ProbeResult& result, Duration took) {
            tickets.add(opened, {{"check", check},
                                 {"success", result.outcome != TryOutcome::Failure},
                                 {"detail", result.detail},
                                 {"took_ms", milliseconds(took)},
                                 {"weight", optional_json(result.weight)},
                                 {"certificate_days", optional_json(result.certificate_days)}});
        });
    if (count == 0) return Error{"no check " + *name, "see: pollux show checks"};
    tickets.expect(opened, count);
    return pending_answer(opened);
}

Result<Json> send_test_mail(CommandContext& context, const Json& args) {
    const auto ticket = number_argument(args, "ticket", {0, 0, std::int64_t{1} << 52});
    if (!ticket) return ticket.error();
    Tickets& tickets = context.tickets;
    const EmailConfig& email = context.director.config().global.email;
    if (*ticket != 0) {
        const auto number = static_cast<std::uint64_t>(*ticket);
        const auto results = tickets.take(number);
        if (!results) return Error{"the result is not there any more", "send the mail again"};
        if (results->is_null()) return pending_answer(number);
        const std::string problem = results->at(0);
        if (!problem.empty()) {
            return Error{"mail not accepted by " + email.server + ": " + problem,
                         "see [global.email]: server, tls, user, password_file, from, to"};
        }
        return Json{{"server", email.server}, {"to", email.to}};
    }
    const std::uint64_t opened = tickets.open();
    tickets.expect(opened, 1);
    const Status begun = context.mailer.send_test(
        [&tickets, opened](const std::string& problem) { tickets.add(opened, problem); });
    if (!begun) return begun.error();
    return pending_answer(opened);
}

}  // namespace pollux::control::api
