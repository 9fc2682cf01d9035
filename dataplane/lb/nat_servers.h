// SPDX-License-Identifier: Apache-2.0
#pragma once

// NatServers: the addresses and ports of all NAT real servers, for nat_icmp_send: a packet of one
// of them that belongs to no connection is answered. Immutable, read by all workers; filled only
// while the option is on.

#include <vector>

#include "dataplane/lb/service_lookup.h"

namespace pollux::lb {

class NatServers {
  public:
    NatServers() = default;
    // `servers`: address and port are the server's, the protocol its service's; None: any.
    explicit NatServers(std::vector<ServiceKey> servers);

    [[nodiscard]] bool empty() const noexcept { return servers_.empty(); }
    // `port` in host order.
    [[nodiscard]] bool contains(const net::IpAddress& address, Protocol protocol,
                                std::uint16_t port) const noexcept;

  private:
    std::vector<ServiceKey> servers_;  // sorted
};

}  // namespace pollux::lb
