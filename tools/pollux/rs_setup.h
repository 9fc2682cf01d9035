// SPDX-License-Identifier: Apache-2.0
#pragma once

// `pollux rs-setup`: the commands that a real server needs for a forwarding method. It only prints.

#include <string>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/result.h"

namespace pollux::cli {

struct RealServerSetup {
    std::string method;                // dr, nat, tun, fnat
    std::vector<net::IpAddress> vips;  // dr, tun
    net::IpAddress director;           // nat: Pollux's address on the servers' side
};

// The options of the command. Errors name what is missing.
Result<RealServerSetup> parse_rs_setup(const std::vector<std::string>& args);
[[nodiscard]] std::string render_rs_setup(const RealServerSetup& setup);

}  // namespace pollux::cli
