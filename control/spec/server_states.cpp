// SPDX-License-Identifier: Apache-2.0
#include "control/spec/server_states.h"

namespace pollux::control {

void forget_removed(ServerStates& states, std::span<const VirtualServerConfig> before,
                    std::span<const VirtualServerConfig> after) {
    std::set<ServerKey> present;
    for (const VirtualServerConfig& service : after) {
        for (const RealServerConfig& server : service.real_server) {
            present.insert(ServerKey::of(service, server));
        }
    }
    for (const VirtualServerConfig& service : before) {
        for (const RealServerConfig& server : service.real_server) {
            const ServerKey key = ServerKey::of(service, server);
            if (!present.contains(key)) states.servers.erase(key);
        }
    }
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

std::string endpoint(const net::IpAddress& address, std::uint16_t port) {
    const std::string host =
        address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    return host + ":" + std::to_string(port);
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
