// SPDX-License-Identifier: Apache-2.0

// What follows from the decisions of control/health/health_runner.h.

#include <algorithm>

#include "control/director/director.h"
#include "control/health/fifo_line.h"
#include "control/health/health_runner.h"
#include "control/log/log.h"

namespace pollux::control {
namespace {

struct Words {
    const char* event;
    const char* before;
    const char* after;
};

Words words_of(HealthChangeKind kind) {
    switch (kind) {
        case HealthChangeKind::ServerUp:
            return {"real server up", "DOWN", "UP"};
        case HealthChangeKind::ServerDown:
            return {"real server down", "UP", "DOWN"};
        case HealthChangeKind::ServerHeld:
            return {"real server held down", "DOWN", "DOWN"};
        case HealthChangeKind::ServerWeight:
            return {"real server weight", "", ""};
        case HealthChangeKind::QuorumUp:
            return {"quorum reached", "DOWN", "UP"};
        case HealthChangeKind::QuorumLost:
            return {"quorum lost", "UP", "DOWN"};
    }
    return {"", "", ""};
}

bool about_service(HealthChangeKind kind) {
    return kind == HealthChangeKind::QuorumUp || kind == HealthChangeKind::QuorumLost;
}

const RealServerConfig* find_server(const VirtualServerConfig& service, const ServerKey& key) {
    const auto found =
        std::ranges::find_if(service.real_server, [&key](const RealServerConfig& server) {
            return server.address == key.address && server.port == key.port;
        });
    return found == service.real_server.end() ? nullptr : &*found;
}

}  // namespace

const VirtualServerConfig* HealthRunner::find(const VirtualServerKey& key) const {
    const auto found = service_positions_.find(key);
    const auto& services = director_->config().virtual_servers;
    if (found == service_positions_.end() || found->second >= services.size()) return nullptr;
    return &services[found->second];
}

void HealthRunner::carry_out(const HealthChanges& changes) {
    for (const HealthChange& change : changes) tell(change);
    next_tick_ = board_.next_tick();
    if (board_.take_dirty()) director_->publish_soon();
}

void HealthRunner::tell(const HealthChange& change) {
    const VirtualServerConfig* service = find(change.server.service);
    if (service == nullptr) return;
    const bool of_service = about_service(change.kind);
    const std::string service_name = to_string(change.server.service);
    const std::string server_name = endpoint(change.server.address, change.server.port);
    const Words words = words_of(change.kind);
    const std::string subject = of_service ? service_name : server_name + " of " + service_name;
    if (of_service) {
        log::warning(words.event, {{"service", service_name},
                                   {"living_weight", change.value},
                                   {"quorum", service->quorum},
                                   {"hysteresis", service->hysteresis},
                                   {"sorry_server", service->sorry_server.has_value()}});
    } else {
        log::info(words.event,
                  {{"server", server_name}, {"service", service_name}, {"cause", change.cause}});
    }
    const bool told = !change.initial || service->rs_init_notifies;
    const RealServerConfig* server = of_service ? nullptr : find_server(*service, change.server);
    const bool alert = of_service ? service->smtp_alert : server != nullptr && server->smtp_alert;
    director_->events().add({0,
                             {},
                             of_service ? EventKind::Service : EventKind::Server,
                             subject,
                             words.before,
                             words.after,
                             change.cause,
                             told && alert});
    if (!told) return;
    const std::string line = fifo_line(change);
    if (on_fifo_line && !line.empty()) on_fifo_line(line);
    if (change.kind == HealthChangeKind::QuorumUp) {
        notifier_.notify(subject, service->quorum_up);
    } else if (change.kind == HealthChangeKind::QuorumLost) {
        notifier_.notify(subject, service->quorum_down);
    } else if (server != nullptr && change.kind == HealthChangeKind::ServerUp) {
        notifier_.notify(subject, server->notify_up);
    } else if (server != nullptr && change.kind == HealthChangeKind::ServerDown) {
        notifier_.notify(subject, server->notify_down);
    }
}

void HealthRunner::weights_changed() {
    carry_out(board_.reconsider(director_->now()));
    set_timer();
}

// omega: the down commands run at shutdown, for what was up.
void HealthRunner::stopping() {
    started_ = false;
    timer_.cancel();
    address_timer_.cancel();
    configure_timer_.cancel();
    for (const auto& service : board_.services()) {
        const VirtualServerConfig* config = find(service->key);
        if (config == nullptr || !config->omega) continue;
        for (const HealthBoard::Server& server : service->servers) {
            const RealServerConfig* its = find_server(*config, server.key);
            if (its == nullptr || !server.alive) continue;
            notifier_.notify(endpoint(its->address, its->port) + " of " + to_string(service->key),
                             its->notify_down);
        }
        if (service->quorum.up()) notifier_.notify(to_string(service->key), config->quorum_down);
    }
    notifier_.flush();
}

}  // namespace pollux::control
