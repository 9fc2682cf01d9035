// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short ways to write addresses, ports and kernel tables in tests of the control core.

#include <stdexcept>
#include <string>

#include "control/netlink/kernel_tables.h"
#include "control/tap/port_table.h"
#include "dataplane/lb/time.h"

namespace pollux::control::testing {

inline net::IpAddress ip(const std::string& text) {
    const auto address = net::IpAddress::parse(text);
    if (!address) throw std::invalid_argument(text);
    return *address;
}

inline net::IpPrefix prefix(const std::string& text) {
    const auto parsed = net::IpPrefix::parse(text);
    if (!parsed) throw std::invalid_argument(text);
    return *parsed;
}

inline net::MacAddress mac(const std::string& text) {
    const auto parsed = net::MacAddress::parse(text);
    if (!parsed) throw std::invalid_argument(text);
    return *parsed;
}

inline lb::TimePoint at(std::chrono::milliseconds since_start) {
    return lb::TimePoint(std::chrono::nanoseconds(since_start));
}

inline constexpr InterfaceIndex kWanTap{11};
inline constexpr InterfaceIndex kLanTap{12};
inline constexpr InterfaceIndex kForeign{99};

// Port 0 "wan" on interface 11 and port 1 "lan" on interface 12.
inline PortTable two_ports() {
    PortTable table;
    table.ports.push_back(
        {lb::PortId{0}, "wan", mac("02:00:00:00:00:01"), 1500, "wan", kWanTap, true});
    table.ports.push_back(
        {lb::PortId{1}, "lan", mac("02:00:00:00:00:02"), 1500, "lan", kLanTap, true});
    return table;
}

inline KernelRoute route(const std::string& destination, InterfaceIndex interface,
                         const std::string& gateway = "") {
    KernelRoute result;
    result.destination = prefix(destination);
    result.hops = {{interface, gateway.empty() ? net::IpAddress{} : ip(gateway), true}};
    return result;
}

inline Neighbour neighbour(const std::string& address,
                           NeighbourState state = NeighbourState::Reachable) {
    return {state, mac(address)};
}

}  // namespace pollux::control::testing
