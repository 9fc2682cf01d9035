// SPDX-License-Identifier: Apache-2.0
#include "control/health/fifo_line.h"

#include <cctype>

namespace pollux::control {
namespace {

std::string endpoint_word(const std::string& host, lb::Protocol protocol, std::uint16_t port) {
    std::string name(to_string(protocol));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return "[" + host + "]:" + name + ":" + std::to_string(port);
}

// A group's name comes from the file and may hold anything but a line end here.
std::string service_word(const VirtualServerKey& key) {
    if (key.fwmark != 0) return "FWM " + std::to_string(key.fwmark);
    std::string host = key.group.empty() ? key.address.to_string() : key.group;
    for (char& c : host) {
        if (std::iscntrl(static_cast<unsigned char>(c)) != 0) c = '?';
    }
    return endpoint_word(host, key.protocol, key.port);
}

}  // namespace

std::string fifo_line(const HealthChange& change) {
    const VirtualServerKey& service = change.server.service;
    const std::string server =
        "RS " +
        endpoint_word(change.server.address.to_string(), service.protocol, change.server.port) +
        " " + service_word(service);
    switch (change.kind) {
        case HealthChangeKind::ServerUp:
            return server + " UP\n";
        case HealthChangeKind::ServerDown:
            return server + " DOWN\n";
        case HealthChangeKind::QuorumUp:
            return "VS " + service_word(service) + " UP\n";
        case HealthChangeKind::QuorumLost:
            return "VS " + service_word(service) + " DOWN\n";
        case HealthChangeKind::ServerHeld:
        case HealthChangeKind::ServerWeight:
            return "";
    }
    return "";
}

}  // namespace pollux::control
