// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/nat_servers.h"

#include <algorithm>
#include <utility>

namespace pollux::lb {

NatServers::NatServers(std::vector<ServiceKey> servers) : servers_(std::move(servers)) {
    std::sort(servers_.begin(), servers_.end());
}

bool NatServers::contains(const net::IpAddress& address, Protocol protocol,
                          std::uint16_t port) const noexcept {
    const auto has = [this](const ServiceKey& key) {
        return std::binary_search(servers_.begin(), servers_.end(), key);
    };
    return has({address, protocol, port, 0}) || has({address, Protocol::None, port, 0});
}

}  // namespace pollux::lb
