// SPDX-License-Identifier: Apache-2.0
#include "control/config/rules_address.h"
#include "control/import/convert.h"

namespace pollux::control {

void ImportOwn::add(std::string_view text, bool port) {
    const auto prefix = net::IpPrefix::parse(text);
    if (!prefix) return;
    addresses.insert(prefix->address);
    if (port) ports.push_back(*prefix);
}

std::string why_no_server(const ImportOwn& own, const net::IpAddress& address,
                          const net::IpAddress& service) {
    if (address.is_loopback() || address == service || own.addresses.contains(address)) {
        return "is this machine itself: LVS hands it to a program here, behind Pollux there is "
               "none";
    }
    if (const auto kind = unusable(address); !kind.empty()) return "is " + std::string(kind);
    for (const net::IpPrefix& port : own.ports) {
        const std::string_view edge = edge_of(port, address);
        if (!edge.empty()) return "is " + std::string(edge) + " of " + port.network().to_string();
    }
    return "";
}

std::string_view no_server_remedy() {
    return "name another machine that runs the server, or leave it out";
}

}  // namespace pollux::control
