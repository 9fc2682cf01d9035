// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers, addresses and masks as ipvsadm reads them. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>

#include "control/ipvs/command.h"

namespace pollux::control::ipvs {

// A decimal number within bounds, as strtol reads it, with nothing behind it.
[[nodiscard]] std::optional<std::int64_t> parse_number(const std::string& text, std::int64_t min,
                                                       std::int64_t max);

struct Endpoint {
    net::IpAddress address;
    std::optional<std::uint16_t> port;
};

// "host", "host:port", "[v6]:port", "v6"; a "[v6]" without a port is refused, as ipvsadm does.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(const std::string& text, lb::Protocol protocol,
                                                     const NameResolver& resolver);

// The length of a contiguous dotted netmask; "0.0.0.0" gives 0.
[[nodiscard]] std::optional<std::uint8_t> parse_netmask(const std::string& text);

}  // namespace pollux::control::ipvs
