// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ports as the control core sees them: both of their sides, the NIC's and the kernel's.
// Filled at start; only `link_up` changes later. Control thread.

#include <string>
#include <string_view>
#include <vector>

#include "control/netlink/kernel_tables.h"
#include "dataplane/lb/packet.h"
#include "dataplane/net/mac_address.h"

namespace pollux::control {

struct ControlPort {
    lb::PortId id = lb::kNoPort;
    std::string name;
    net::MacAddress mac;
    std::uint16_t mtu = 1500;                 // bytes of IP
    std::string tap;                          // "" without an exception path
    InterfaceIndex interface = kNoInterface;  // the TAP's
    bool link_up = false;                     // carrier of the NIC
};

class PortTable {
  public:
    std::vector<ControlPort> ports;  // position = PortId

    [[nodiscard]] const ControlPort* find(lb::PortId id) const {
        const auto index = static_cast<std::size_t>(id);
        return index < ports.size() ? &ports[index] : nullptr;
    }
    [[nodiscard]] const ControlPort* find(std::string_view name) const {
        for (const ControlPort& port : ports) {
            if (port.name == name) return &port;
        }
        return nullptr;
    }
    [[nodiscard]] const ControlPort* find(InterfaceIndex interface) const {
        if (interface == kNoInterface) return nullptr;
        for (const ControlPort& port : ports) {
            if (port.interface == interface) return &port;
        }
        return nullptr;
    }
};

}  // namespace pollux::control
