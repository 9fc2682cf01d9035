// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an address is to this node: its own, or none that a host can have. Pure.

#include <map>
#include <string>
#include <string_view>

#include "control/config/config.h"
#include "control/config/sources.h"

namespace pollux::control {

// What keeps the address from being that of a host on a network: "a loopback address"; or "".
std::string_view unusable(const net::IpAddress& address);

// "the network address" or "the broadcast address" if `address` is that of the IPv4 network, which
// must have room for both (at most /30); or "".
std::string_view edge_of(const net::IpPrefix& network, const net::IpAddress& address);

// The addresses of ports, instances and [[local_address]].
class OwnAddresses {
  public:
    struct Own {
        std::string what;  // "an address of port \"wan\""
        Place place;
    };

    OwnAddresses(const Config& config, const Sources& sources);

    // Null: the address is not this node's.
    [[nodiscard]] const Own* find(const net::IpAddress& address) const;

  private:
    std::map<net::IpAddress, Own> own_;
};

}  // namespace pollux::control
