// SPDX-License-Identifier: Apache-2.0
#pragma once

// An address with its port, as people write it. For messages and tables, not for the packet path.

#include <cstdint>
#include <string>

#include "dataplane/net/ip_address.h"

namespace pollux::net {

// "10.0.0.1:80" or "[2001:db8::1]:80" (RFC 3986 section 3.2.2). `port` in host order.
[[nodiscard]] std::string endpoint(const IpAddress& address, std::uint16_t port);

}  // namespace pollux::net
