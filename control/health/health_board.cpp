// SPDX-License-Identifier: Apache-2.0

// Events of control/health/health_board.h; health_board_config.cpp has the configuration.

#include "control/health/health_board.h"

#include <algorithm>

#include "control/health/slow_start.h"

namespace pollux::control {

namespace {

// Weights that FILE_CHECK reaches; keepalived's are 1..253 with IPVS taking up to 65535.
constexpr std::int64_t kMaxWeight = 65535;

}  // namespace

HealthChanges HealthBoard::read(CheckId check, const CheckReading& reading, lb::TimePoint now) {
    HealthChanges changes;
    Check& entry = checks_.at(check).value();
    const bool same = entry.reading.up == reading.up && entry.reading.decided == reading.decided &&
                      entry.reading.weight == reading.weight &&
                      entry.reading.weight_change == reading.weight_change;
    entry.reading = reading;
    if (same) return changes;
    for (const auto& [service, position] : entry.users) {
        judge(*service, service->servers[position], now, changes);
        settle(*service, now, changes);
    }
    return changes;
}

HealthChanges HealthBoard::tick(lb::TimePoint now) {
    HealthChanges changes;
    if (!earliest_ || *earliest_ > now) return changes;
    earliest_.reset();
    for (const auto& service : services_) {
        bool due = service->next_step && *service->next_step <= now;
        for (Server& server : service->servers) {
            if (server.held_until && *server.held_until <= now) {
                server_up(*service, server, now, changes);
                due = true;
            }
            note_time(server.held_until);
        }
        if (due) settle(*service, now, changes);
        note_time(service->next_step);
    }
    return changes;
}

void HealthBoard::note_time(const std::optional<lb::TimePoint>& time) {
    if (time && (!earliest_ || *time < *earliest_)) earliest_ = time;
}

HealthChanges HealthBoard::reconsider(lb::TimePoint now) {
    HealthChanges changes;
    for (const auto& service : services_) settle(*service, now, changes);
    return changes;
}

bool HealthBoard::wanted(CheckId check) const {
    return std::ranges::any_of(checks_.at(check)->users,
                               [](const auto& user) { return !user.first->suspended; });
}

std::vector<ServerKey> HealthBoard::servers_of(CheckId check) const {
    std::vector<ServerKey> keys;
    for (const auto& [service, server] : checks_.at(check)->users) {
        keys.push_back(service->servers[server].key);
    }
    return keys;
}

void HealthBoard::set_suspended(const VirtualServerKey& key, bool suspended) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        found->second->suspended = suspended;
    }
}

std::string HealthBoard::cause_of(const Server& server) const {
    for (const CheckId id : server.checks) {
        const CheckReading& reading = checks_[id]->reading;
        if (!reading.up) return reading.cause;
    }
    return server.checks.empty() ? "" : checks_[server.checks.front()]->reading.cause;
}

// A server is good when all its checks are; it is decided when all of them have had a verdict, or
// one of them has said no.
void HealthBoard::judge(Service& service, Server& server, lb::TimePoint now,
                        HealthChanges& changes) {
    bool good = true, decided = true;
    for (const CheckId id : server.checks) {
        const CheckReading& reading = checks_[id]->reading;
        good = good && reading.up;
        decided = decided && reading.decided;
    }
    const bool first = decided && !server.decided;
    server.decided = server.decided || decided;
    set_weight(service, server, changes);
    if (good != server.good) {
        server.good = good;
        server.held_until.reset();
        if (!good && server.alive) {
            server_down(service, server, now, changes);
        } else if (good && !server.alive) {
            server.held_until = server.flaps.held_until(service.flap_limits, now);
            note_time(server.held_until);
            if (!server.held_until) {
                server_up(service, server, now, changes);
                changes.back().initial = first;
            } else {
                changes.push_back({HealthChangeKind::ServerHeld, server.key, false, 0,
                                   "it went down too often, see flap_limit"});
            }
        }
    } else if (first && good && server.alive && service.init_notifies) {
        changes.push_back({HealthChangeKind::ServerUp, server.key, true, 0, cause_of(server)});
    }
}

void HealthBoard::server_down(Service& service, Server& server, lb::TimePoint now,
                              HealthChanges& changes) {
    server.alive = false;
    server.since = now;
    server.cause = cause_of(server);
    server.ramp_since.reset();
    server.flaps.down(service.flap_limits, now);
    ++server.downs;
    server.decided = true;
    states_->servers[server.key].alive = false;
    dirty_ = true;
    changes.push_back({HealthChangeKind::ServerDown, server.key, false, 0, server.cause});
}

void HealthBoard::server_up(Service& service, Server& server, lb::TimePoint now,
                            HealthChanges& changes) {
    server.alive = true;
    server.held_until.reset();
    server.since = now;
    server.cause = cause_of(server);
    if (service.slow_start > Duration::zero()) server.ramp_since = now;
    states_->servers[server.key].alive = true;
    dirty_ = true;
    changes.push_back({HealthChangeKind::ServerUp, server.key, false, 0, server.cause});
}

void HealthBoard::set_weight(Service& /*service*/, Server& server, HealthChanges& changes) {
    std::optional<std::uint16_t> absolute;
    std::int64_t change = 0;
    for (const CheckId id : server.checks) {
        const CheckReading& reading = checks_[id]->reading;
        if (reading.weight) absolute = reading.weight;
        change += reading.weight_change;
    }
    std::optional<std::uint16_t> wanted = absolute;
    if (change != 0) {
        const std::int64_t base = absolute.value_or(server.configured_weight);
        wanted = static_cast<std::uint16_t>(std::clamp<std::int64_t>(base + change, 0, kMaxWeight));
    }
    const std::optional<std::uint16_t> before = states_->of(server.key).checked_weight;
    if (before == wanted) return;
    states_->servers[server.key].checked_weight = wanted;
    dirty_ = true;
    const std::uint16_t old = before.value_or(server.configured_weight);
    const std::uint16_t weight = wanted.value_or(server.configured_weight);
    if (old == weight) return;
    changes.push_back({HealthChangeKind::ServerWeight, server.key, false, weight,
                       "weight " + std::to_string(old) + " -> " + std::to_string(weight)});
}

// Quorum and ramps follow from the servers.
void HealthBoard::settle(Service& service, lb::TimePoint now, HealthChanges& changes) {
    service.living_weight = 0;
    for (const Server& server : service.servers) {
        if (!server.alive) continue;
        service.living_weight += states_->of(server.key).own_weight(server.configured_weight);
    }
    if (service.quorum.update(service.living_weight)) {
        const bool up = service.quorum.up();
        if (up) {
            states_->without_quorum.erase(service.key);
        } else {
            states_->without_quorum.insert(service.key);
        }
        dirty_ = true;
        changes.push_back({up ? HealthChangeKind::QuorumUp : HealthChangeKind::QuorumLost,
                           {service.key, {}, 0},
                           false,
                           service.living_weight,
                           "living weight " + std::to_string(service.living_weight)});
    }
    set_ramps(service, now);
}

void HealthBoard::set_ramps(Service& service, lb::TimePoint now) {
    const bool ramping = std::ranges::any_of(
        service.servers, [](const Server& server) { return server.ramp_since.has_value(); });
    // A step is still planned when the ramping server has died: the others get their weights back.
    if (!ramping && !service.next_step) return;
    std::vector<RampingServer> servers;
    for (const Server& server : service.servers) {
        const std::uint16_t own = states_->of(server.key).own_weight(server.configured_weight);
        // Who is dead takes no part, and shall not make the factor small.
        servers.push_back({server.alive ? own : std::uint16_t{0}, server.ramp_since});
    }
    const RampedWeights ramped = ramp(servers, service.slow_start, now);
    for (std::size_t i = 0; i < service.servers.size(); ++i) {
        Server& server = service.servers[i];
        const auto wanted = server.alive ? ramped.weights[i] : std::nullopt;
        const std::optional<std::uint16_t> before = states_->of(server.key).ramped_weight;
        if (!ramped.next_step) server.ramp_since.reset();
        if (before == wanted) continue;
        states_->servers[server.key].ramped_weight = wanted;
        dirty_ = true;
    }
    service.next_step = ramped.next_step;
    note_time(service.next_step);
}

}  // namespace pollux::control
