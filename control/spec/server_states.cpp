// SPDX-License-Identifier: Apache-2.0
#include "control/spec/server_states.h"

#include <algorithm>
#include <tuple>

namespace pollux::control {

ServiceStates::ServiceStates(const ServerStates& states, const VirtualServerKey& service)
    : without_quorum_(states.without_quorum.contains(service)) {
    for (auto at = states.servers.lower_bound({service, {}, 0});
         at != states.servers.end() && at->first.service == service; ++at) {
        known_.push_back(&*at);
    }
}

ServerState ServiceStates::of(const RealServerConfig& server) const {
    const auto place = [](const auto& named) { return std::tie(named.address, named.port); };
    const auto found = std::ranges::lower_bound(
        known_, place(server), {}, [&place](Entry entry) { return place(entry->first); });
    const bool known = found != known_.end() && place((*found)->first) == place(server);
    return known ? (*found)->second : ServerState{};
}

std::vector<ServerKey> removed_servers(std::span<const VirtualServerConfig> before,
                                       std::span<const VirtualServerConfig> after) {
    std::set<ServerKey> present;
    for (const VirtualServerConfig& service : after) {
        for (const RealServerConfig& server : service.real_server) {
            present.insert(ServerKey::of(service, server));
        }
    }
    std::vector<ServerKey> removed;
    for (const VirtualServerConfig& service : before) {
        for (const RealServerConfig& server : service.real_server) {
            ServerKey key = ServerKey::of(service, server);
            if (!present.contains(key)) removed.push_back(std::move(key));
        }
    }
    return removed;
}

std::string_view to_string(lb::Protocol protocol) {
    switch (protocol) {
        case lb::Protocol::Tcp:
            return "TCP";
        case lb::Protocol::Udp:
            return "UDP";
        case lb::Protocol::Sctp:
            return "SCTP";
        case lb::Protocol::None:
            return "";
    }
    return "";
}

std::string to_string(const VirtualServerKey& key) {
    if (key.fwmark != 0) {
        const std::string mark = "fwmark " + std::to_string(key.fwmark);
        return key.family == net::Family::V6 ? mark + " IPv6" : mark;
    }
    const std::string protocol(to_string(key.protocol));
    if (!key.group.empty()) return "group " + key.group + " " + protocol;
    return protocol + " " + endpoint(key.address, key.port);
}

}  // namespace pollux::control
