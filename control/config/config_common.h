// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small values that several parts of the configuration share. Control thread.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "control/config/origin.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

using Duration = std::chrono::nanoseconds;

// A program and its arguments; no shell. Empty: none configured.
struct Command {
    std::vector<std::string> argv;

    [[nodiscard]] bool empty() const { return argv.empty(); }
    bool operator==(const Command&) const = default;
};

// Both ends are part of the range.
struct NumberRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;

    bool operator==(const NumberRange&) const = default;
};

// `lvs_method = "TUN"`: how the packet is wrapped.
struct TunnelConfig {
    Origin origin;
    lb::TunnelKind type = lb::TunnelKind::Ipip;
    std::uint16_t port = 6080;   // GUE: UDP destination port, 1..65535
    bool checksum = false;       // GUE: UDP checksum; GRE: checksum word
    bool spread_source = false;  // outer source varies by flow, for receive-side scaling

    bool operator==(const TunnelConfig&) const = default;
};

// A static route ([[route]], or a virtual_route that lives while the instance is MASTER).
struct RouteConfig {
    Origin origin;
    net::IpPrefix to;    // "default" and "default6" are 0.0.0.0/0 and ::/0
    net::IpAddress via;  // family None: on-link
    std::string dev;     // port name; empty: the port whose address contains `via`
    net::IpAddress src;  // preferred source; family None: none
    std::uint32_t metric = 0;
    std::uint32_t table = 0;  // 0 = main; other tables only in virtual_route
    std::uint16_t mtu = 0;    // bytes of IP; 0 = the port's

    bool operator==(const RouteConfig&) const = default;
};

}  // namespace pollux::control
