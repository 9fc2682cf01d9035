// SPDX-License-Identifier: Apache-2.0
#include "control/api/ipvs_commands.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "control/api/json_views.h"
#include "control/log/log.h"
#include "control/loop/duration_number.h"
#include "control/spec/server_states.h"

namespace pollux::control::api {
namespace {

// Servers whose counters are sampled in a turn of the loop.
constexpr std::uint32_t kServersPerTurn = 512;

ipvs::Table to_table(const lb::DataPlaneSpec& spec) {
    ipvs::Table table;
    table.services = spec.services;
    table.timeouts = spec.timeouts;
    table.foreign_port = ipvs::ForeignPort::IsRefused;
    return table;
}

// A server of the file that is down stays away, whatever the operator says; a command that adds it
// must not look as if it had worked.
Status check_all_there(const ipvs::Table& wanted, const lb::DataPlaneSpec& built) {
    const ipvs::Table got = to_table(built);
    for (const lb::ServiceSpec& service : wanted.services) {
        const lb::ServiceSpec* found = got.find(service);
        for (const lb::RealServerSpec& server : service.servers) {
            const auto same = [&](const lb::RealServerSpec& other) {
                return ServerEndpoint::of(other) == ServerEndpoint::of(server);
            };
            if (found != nullptr && std::ranges::any_of(found->servers, same)) continue;
            return Error{"real server " + endpoint(server.address, server.port) +
                             " is held back by its health checks; it comes back by itself",
                         "see: pollux show services"};
        }
    }
    return ok_status();
}

}  // namespace

// A round that takes longer than the interval goes on: the next one starts with the one after.
void IpvsCommands::begin_sample() {
    if (std::exchange(sampling_, true)) return;
    sampled_to_ = 0;
    estimator_.begin_round();
}

bool IpvsCommands::sample_on() {
    if (!sampling_) return false;
    const lb::ServicePage page = hooks_.page(sampled_to_, kServersPerTurn);
    for (const lb::ServiceView& view : page.services) estimator_.take(view);
    sampled_to_ = page.next;
    if (page.next != 0) return true;
    estimator_.end_round();
    sampling_ = false;
    return false;
}

Status IpvsCommands::publish(const ipvs::Table& before, const ipvs::Table& after) {
    RuntimeServices changes = hooks_.changes();
    changes.record({before.services, before.timeouts}, {after.services, after.timeouts},
                   hooks_.file());
    const lb::DataPlaneSpec spec = hooks_.build(changes);
    if (Status there = check_all_there(after, spec); !there) return there;
    return hooks_.publish(spec, std::move(changes));
}

ipvs::Output IpvsCommands::run(const std::vector<std::string>& arguments,
                               const std::string& program, const std::string& input) {
    hooks_.settle();
    ipvs::Table table = to_table(hooks_.build(hooks_.changes()));
    ipvs::Table before = table;
    ipvs::Backend backend;
    backend.publish = [&](const ipvs::Table& after) {
        Status done = publish(before, after);
        if (done) before = after;
        return done;
    };
    backend.services = hooks_.views;
    backend.size = hooks_.size;
    backend.zero = [this](const lb::ServiceSpec* service) {
        baseline_.zero(hooks_.views(), service);
    };
    ipvs::Console console(table, std::move(backend), program);
    ipvs::Output output = console.run(arguments, input);
    std::string line;
    for (const std::string& word : arguments) line += (line.empty() ? "" : " ") + word;
    log::info("ipvs command", {{"arguments", line},
                               {"exit_status", output.exit_status},
                               {"message", output.err.substr(0, output.err.find('\n'))}});
    return output;
}

nlohmann::ordered_json IpvsCommands::listing(const ServicePageRequest& request) const {
    lb::ServicePage page = hooks_.page(request.cursor, request.limit);
    const std::vector<lb::ServiceView> views = baseline_.adjusted(std::move(page.services));
    Json services = services_json(views);
    add_rates(services, estimator_.rates(views));
    lb::TimeoutSpec timeouts = hooks_.timeouts();
    hooks_.changes().apply(timeouts);
    return Json{{"size", hooks_.size},
                {"timeouts",
                 {{"tcp_established", seconds(timeouts.tcp_established)},
                  {"tcp_fin_wait", seconds(timeouts.tcp_fin_wait)},
                  {"udp", seconds(timeouts.udp)}}},
                {"services", std::move(services)},
                {"next", page.next},
                {"generation", hooks_.generation()}};
}

}  // namespace pollux::control::api
