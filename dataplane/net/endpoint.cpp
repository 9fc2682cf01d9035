// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/endpoint.h"

namespace pollux::net {

std::string endpoint(const IpAddress& address, std::uint16_t port) {
    const std::string text = address.to_string();
    return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

}  // namespace pollux::net
