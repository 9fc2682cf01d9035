// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short ways to write services, servers and checks in tests of the health checks.

#include <string>

#include "control/health/health_board.h"
#include "tests/unit/control/builders.h"

namespace pollux::control::testing {

using namespace std::chrono_literals;

inline CheckConfig tcp_check(const std::string& address = "10.0.0.2") {
    CheckConfig check;
    check.connect_ip = ip(address);
    check.connect_port = 80;
    check.delay_loop = 6s;
    check.warmup = 6s;
    check.connect_timeout = 2s;
    check.retry = 1;
    check.delay_before_retry = 1s;
    return check;
}

inline RealServerConfig server(const std::string& address, std::uint16_t weight = 1) {
    RealServerConfig config;
    config.address = ip(address);
    config.port = 80;
    config.weight = weight;
    config.check = {tcp_check(address)};
    return config;
}

inline VirtualServerConfig service(std::vector<RealServerConfig> servers,
                                   const std::string& address = "10.0.0.1") {
    VirtualServerConfig config;
    config.address = ip(address);
    config.port = 80;
    config.protocol = lb::Protocol::Tcp;
    config.lvs_sched = lb::SchedulerKind::Wrr;
    config.real_server = std::move(servers);
    return config;
}

// A board with one configuration, and its checks by the server's address.
class BoardFixture {
  public:
    explicit BoardFixture(Config initial) : config(std::move(initial)), board(states) {
        configure(config, at(0s));
    }

    HealthChanges configure(const Config& next, lb::TimePoint now) {
        HealthChanges changes;
        const auto checks = board.configure(next, now, changes);
        for (const auto& check : checks.added) {
            ids[check.config.connect_ip.to_string()] = check.id;
            started_up[check.id] = check.up;
        }
        removed = checks.removed;
        added = checks.added.size();
        config = next;
        return changes;
    }

    // The check of the server at `address` came to a verdict.
    HealthChanges verdict(const std::string& address, bool up, lb::TimePoint now,
                          std::optional<std::uint16_t> weight = {}) {
        CheckReading reading;
        reading.up = up;
        reading.decided = true;
        reading.weight = weight;
        reading.cause = up ? "connected" : "connection refused";
        return board.read(ids.at(address), reading, now);
    }

    [[nodiscard]] ServerState state(std::size_t service, std::size_t server) const {
        return states.of(ServerKey::of(config.virtual_servers.at(service),
                                       config.virtual_servers[service].real_server.at(server)));
    }
    [[nodiscard]] bool quorum_lost(std::size_t service = 0) const {
        return states.without_quorum.contains(
            VirtualServerKey::of(config.virtual_servers.at(service)));
    }

    Config config;
    ServerStates states;
    HealthBoard board;
    std::map<std::string, CheckId> ids;
    std::map<CheckId, bool> started_up;
    std::vector<CheckId> removed;
    std::size_t added = 0;
};

inline Config with_services(std::vector<VirtualServerConfig> services) {
    Config config;
    config.virtual_servers = std::move(services);
    return config;
}

inline std::vector<HealthChangeKind> kinds(const HealthChanges& changes) {
    std::vector<HealthChangeKind> list;
    for (const HealthChange& change : changes) list.push_back(change.kind);
    return list;
}

}  // namespace pollux::control::testing
