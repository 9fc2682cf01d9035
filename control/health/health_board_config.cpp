// SPDX-License-Identifier: Apache-2.0

// The configuration of control/health/health_board.h; health_board.cpp has the events.

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "control/health/check_key.h"
#include "control/health/health_board.h"
#include "control/health/slow_start.h"

namespace pollux::control {
void HealthBoard::prepare(const std::vector<ServerKey>& unproven) {
    for (const ServerKey& key : unproven) states_->servers[key].alive = false;
}

HealthBoard::Checks HealthBoard::configure(const Config& config, lb::TimePoint now,
                                           HealthChanges& changes) {
    Checks checks;
    begin(config, {});
    while (take_over(std::numeric_limits<std::size_t>::max(), now, checks, changes)) {
    }
    return checks;
}

// Services get their new places at once, their new contents one after the other.
void HealthBoard::begin(const Config& config, const std::vector<bool>& kept) {
    assert(!taking_over() && "`kept` compares with what is here");
    next_ = &config;
    kept_ = kept;
    position_ = 0;
    std::map<VirtualServerKey, std::unique_ptr<Service>> before;
    for (auto& service : services_) {
        VirtualServerKey key = service->key;
        before.emplace(std::move(key), std::move(service));
    }
    services_.clear();
    by_key_.clear();
    for (const VirtualServerConfig& service : config.virtual_servers) {
        VirtualServerKey key = VirtualServerKey::of(service);
        auto known = before.extract(key);
        if (known) {
            services_.push_back(std::move(known.mapped()));
        } else {
            services_.push_back(std::make_unique<Service>());
            services_.back()->key = key;
        }
        by_key_[std::move(key)] = services_.back().get();
    }
    for (auto& [key, service] : before) leaving_.push_back(std::move(service));
}

bool HealthBoard::take_over(std::size_t budget, lb::TimePoint now, Checks& checks,
                            HealthChanges& changes) {
    if (next_ == nullptr) return false;
    std::size_t done = 0;
    for (; position_ < services_.size() && done < budget; ++position_, ++done) {
        if (position_ < kept_.size() && kept_[position_]) continue;
        const VirtualServerConfig& config = next_->virtual_servers[position_];
        Service& service = *services_[position_];
        take_service(config, service, checks);
        // What a check that is gone said counts no more.
        for (Server& server : service.servers) judge(service, server, now, changes);
        settle(service, now, changes);
        done += config.real_server.size();
    }
    for (; !leaving_.empty() && done < budget; leaving_.pop_back(), ++done) {
        const Service& service = *leaving_.back();
        states_->without_quorum.erase(service.key);
        for (const Server& server : service.servers) leave_checks(service, server);
        forget_servers(service.servers, {});
        done += service.servers.size();
    }
    if (position_ < services_.size() || !leaving_.empty()) return true;
    // Only now is it known which checks nobody wants.
    if (done < budget) drop_suspects(budget - done, checks);
    if (!suspects_.empty()) return true;
    next_ = nullptr;
    dirty_ = true;
    return false;
}

void HealthBoard::take_service(const VirtualServerConfig& config, Service& service,
                               Checks& checks) {
    const bool known = !service.servers.empty() || service.configured;
    const std::vector<Server> before = std::exchange(service.servers, {});
    std::map<std::pair<net::IpAddress, std::uint16_t>, const Server*> known_servers;
    for (const Server& server : before) {
        known_servers[{server.key.address, server.key.port}] = &server;
    }
    service.configured = true;
    service.quorum = Quorum(config.quorum, config.hysteresis, !known || service.quorum.up());
    service.slow_start = ramps(config.lvs_sched) ? config.slow_start : Duration::zero();
    service.flap_limits = {config.flap_limit, config.flap_window, config.flap_hold};
    service.init_notifies = config.rs_init_notifies;
    service.suspended = service.suspended && config.ha_suspend;
    service.next_step.reset();
    for (const RealServerConfig& server : config.real_server) {
        const auto found = known_servers.find({server.address, server.port});
        service.servers.push_back(make_server(
            config, server, found == known_servers.end() ? nullptr : found->second, checks));
    }
    // The old users go after the new ones have asked for their checks, which therefore stay.
    for (const Server& server : before) leave_checks(service, server);
    for (std::uint32_t i = 0; i < service.servers.size(); ++i) {
        for (const CheckId id : service.servers[i].checks) {
            checks_[id]->users.emplace_back(&service, i);
        }
    }
    forget_servers(before, service.servers);
}

void HealthBoard::leave_checks(const Service& service, const Server& server) {
    for (const CheckId id : server.checks) {
        std::erase_if(checks_[id]->users,
                      [&service](const auto& user) { return user.first == &service; });
        suspects_.push_back(id);
    }
}

void HealthBoard::forget_servers(const std::vector<Server>& before,
                                 const std::vector<Server>& now) {
    std::set<ServerKey> present;
    for (const Server& server : now) present.insert(server.key);
    for (const Server& server : before) {
        if (!present.contains(server.key)) states_->servers.erase(server.key);
    }
}

void HealthBoard::drop_suspects(std::size_t budget, Checks& checks) {
    for (; !suspects_.empty() && budget > 0; suspects_.pop_back(), --budget) {
        const CheckId id = suspects_.back();
        if (!checks_[id] || !checks_[id]->users.empty()) continue;
        check_by_key_.erase(checks_[id]->key);
        checks_[id].reset();
        free_checks_.push_back(id);
        checks.removed.push_back(id);
    }
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

}  // namespace pollux::control
