// SPDX-License-Identifier: Apache-2.0
#pragma once

// What health checks and the operator decided about real servers, beside the configuration: the
// health runner and the control commands write it, the spec builder reads it. Pure values; control
// thread.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/config/config_service.h"
#include "dataplane/net/endpoint.h"

namespace pollux::control {

using net::endpoint;

// Names a [[virtual_server]] for as long as it means the same service.
struct VirtualServerKey {
    std::string group;  // or
    net::IpAddress address;
    std::uint16_t port = 0;
    lb::Protocol protocol = lb::Protocol::None;
    std::uint32_t fwmark = 0;
    net::Family family = net::Family::V4;
    auto operator<=>(const VirtualServerKey&) const = default;

    static VirtualServerKey of(const VirtualServerConfig& config) {
        return {config.group,    config.address, config.port,
                config.protocol, config.fwmark,  config.family};
    }
};

struct ServerKey {
    VirtualServerKey service;
    net::IpAddress address;
    std::uint16_t port = 0;
    auto operator<=>(const ServerKey&) const = default;

    static ServerKey of(const VirtualServerConfig& service, const RealServerConfig& server) {
        return {VirtualServerKey::of(service), server.address, server.port};
    }
};

struct ServerState {
    bool alive = true;
    // Set by a check (misc_dynamic, file); replaces the configured weight.
    std::optional<std::uint16_t> checked_weight;
    // Set by `pollux server drain|weight`; replaces both.
    std::optional<std::uint16_t> operator_weight;
    // While a server of the service ramps up (slow_start): what the schedulers share by. Follows
    // from the others.
    std::optional<std::uint16_t> ramped_weight;

    // The weight that the server has by itself, and the one that goes into the snapshot.
    [[nodiscard]] std::uint16_t own_weight(std::uint16_t configured) const {
        return operator_weight.value_or(checked_weight.value_or(configured));
    }
    [[nodiscard]] std::uint16_t weight(std::uint16_t configured) const {
        return ramped_weight.value_or(own_weight(configured));
    }
};

struct ServerStates {
    std::map<ServerKey, ServerState> servers;   // absent: alive, configured weight
    std::set<VirtualServerKey> without_quorum;  // the sorry server serves

    [[nodiscard]] ServerState of(const ServerKey& key) const {
        const auto known = servers.find(key);
        return known == servers.end() ? ServerState{} : known->second;
    }
};

// The states of one service's servers: what a loop over them asks. It compares no service keys, and
// costs next to nothing for a service of which no server has a state. `states` must not change
// meanwhile.
class ServiceStates {
  public:
    ServiceStates(const ServerStates& states, const VirtualServerKey& service);

    [[nodiscard]] ServerState of(const RealServerConfig& server) const;
    // The sorry server serves.
    [[nodiscard]] bool without_quorum() const { return without_quorum_; }

  private:
    using Entry = const std::pair<const ServerKey, ServerState>*;
    std::vector<Entry> known_;  // in order of address and port
    bool without_quorum_;
};

// The servers that a reload removes. What was decided about them is to be forgotten: one that comes
// back is a new one.
[[nodiscard]] std::vector<ServerKey> removed_servers(std::span<const VirtualServerConfig> before,
                                                     std::span<const VirtualServerConfig> after);

// "TCP 10.0.0.1:80", "UDP [2001:db8::1]:53", "fwmark 3", "group web TCP".
[[nodiscard]] std::string to_string(const VirtualServerKey& key);
// "TCP", "UDP", "SCTP", "".
[[nodiscard]] std::string_view to_string(lb::Protocol protocol);

}  // namespace pollux::control
