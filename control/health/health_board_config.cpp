// SPDX-License-Identifier: Apache-2.0

// The configuration of control/health/health_board.h; health_board.cpp has the events.

#include <algorithm>
#include <utility>

#include "control/health/check_key.h"
#include "control/health/health_board.h"
#include "control/health/slow_start.h"

namespace pollux::control {
namespace {

bool starts_down(const RealServerConfig& server) {
    return std::ranges::any_of(server.check, [](const CheckConfig& check) { return check.alpha; });
}

}  // namespace

// Only entries for servers that nobody knows yet: the running snapshot does not look at them.
void HealthBoard::prepare(const Config& next) {
    for (const VirtualServerConfig& service : next.virtual_servers) {
        for (const RealServerConfig& server : service.real_server) {
            if (!starts_down(server)) continue;
            const ServerKey key = ServerKey::of(service, server);
            const bool known = std::ranges::any_of(services_, [&key](const Service& running) {
                return running.key == key.service &&
                       std::ranges::find(running.servers, key, &Server::key) !=
                           running.servers.end();
            });
            if (!known) states_->servers[key].alive = false;
        }
    }
}

HealthBoard::Checks HealthBoard::configure(const Config& config, lb::TimePoint now,
                                           HealthChanges& changes) {
    Checks checks;
    std::vector<Service> before = std::exchange(services_, {});
    std::map<VirtualServerKey, Service*> known_services;
    Known known_servers;
    for (Service& service : before) {
        known_services[service.key] = &service;
        for (const Server& server : service.servers) known_servers[server.key] = &server;
    }
    for (std::optional<Check>& check : checks_) {
        if (check) check->users.clear();
    }
    services_.reserve(config.virtual_servers.size());
    for (const VirtualServerConfig& service : config.virtual_servers) {
        const auto known = known_services.find(VirtualServerKey::of(service));
        add_service(service, known == known_services.end() ? nullptr : known->second, known_servers,
                    checks);
    }
    for (CheckId id = 0; id < checks_.size(); ++id) {
        if (!checks_[id] || !checks_[id]->users.empty()) continue;
        check_by_key_.erase(checks_[id]->key);
        checks_[id].reset();
        free_checks_.push_back(id);
        checks.removed.push_back(id);
    }
    forget_gone(before);
    // What a check that is gone said counts no more.
    for (Service& service : services_) {
        for (Server& server : service.servers) judge(service, server, now, changes);
        settle(service, now, changes);
    }
    dirty_ = true;
    return checks;
}

void HealthBoard::add_service(const VirtualServerConfig& config, Service* known,
                              const Known& servers, Checks& checks) {
    Service service;
    service.key = VirtualServerKey::of(config);
    service.quorum =
        Quorum(config.quorum, config.hysteresis, known == nullptr || known->quorum.up());
    if (ramps(config.lvs_sched)) service.slow_start = config.slow_start;
    service.flap_limits = {config.flap_limit, config.flap_window, config.flap_hold};
    service.init_notifies = config.rs_init_notifies;
    service.suspended = known != nullptr && known->suspended && config.ha_suspend;
    const auto index = static_cast<std::uint32_t>(services_.size());
    for (const RealServerConfig& server : config.real_server) {
        const auto found = servers.find(ServerKey::of(config, server));
        service.servers.push_back(
            make_server(config, server, found == servers.end() ? nullptr : found->second, checks));
        const auto position = static_cast<std::uint32_t>(service.servers.size() - 1);
        for (const CheckId id : service.servers.back().checks) {
            checks_[id]->users.emplace_back(index, position);
        }
    }
    services_.push_back(std::move(service));
}

// A known server goes on as it is; a check that it did not have before starts as the server is.
HealthBoard::Server HealthBoard::make_server(const VirtualServerConfig& service,
                                             const RealServerConfig& config, const Server* known,
                                             Checks& checks) {
    Server server;
    if (known != nullptr) server = *known;
    server.key = ServerKey::of(service, config);
    server.configured_weight = config.weight;
    server.checks.clear();
    if (service.slow_start <= Duration::zero()) server.ramp_since.reset();
    for (const CheckConfig& check : config.check) {
        const bool may_start_up = known == nullptr ? !check.alpha : known->good;
        server.checks.push_back(take_check(check, may_start_up, checks));
    }
    std::ranges::sort(server.checks);
    server.checks.erase(std::unique(server.checks.begin(), server.checks.end()),
                        server.checks.end());
    if (known == nullptr) {
        server.good = std::ranges::all_of(server.checks,
                                          [this](CheckId id) { return checks_[id]->reading.up; });
        server.alive = server.good;
        server.decided = server.checks.empty();
        if (!server.alive) {
            server.cause = "waits for its first good check";
            states_->servers[server.key].alive = false;
        } else if (const auto entry = states_->servers.find(server.key);
                   entry != states_->servers.end()) {
            entry->second.alive = true;
        }
    }
    return server;
}

CheckId HealthBoard::take_check(const CheckConfig& config, bool may_start_up, Checks& checks) {
    std::string key = check_key(config);
    if (const auto known = check_by_key_.find(key); known != check_by_key_.end()) {
        return known->second;
    }
    CheckId id;
    if (free_checks_.empty()) {
        id = static_cast<CheckId>(checks_.size());
        checks_.emplace_back();
    } else {
        id = free_checks_.back();
        free_checks_.pop_back();
    }
    Check check;
    check.key = key;
    check.reading.up = may_start_up;
    check.reading.cause = describe(config) + ": not tried yet";
    checks_[id] = std::move(check);
    check_by_key_.emplace(std::move(key), id);
    checks.added.push_back({id, config, may_start_up});
    return id;
}

void HealthBoard::forget_gone(const std::vector<Service>& before) {
    std::set<ServerKey> servers;
    std::set<VirtualServerKey> services;
    for (const Service& service : services_) {
        services.insert(service.key);
        for (const Server& server : service.servers) servers.insert(server.key);
    }
    for (const Service& service : before) {
        if (!services.contains(service.key)) states_->without_quorum.erase(service.key);
        for (const Server& server : service.servers) {
            if (!servers.contains(server.key)) states_->servers.erase(server.key);
        }
    }
}

}  // namespace pollux::control
