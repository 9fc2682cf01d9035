// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loads a snippet of TOML and says what the loader found, one short line per message.

#include <string>
#include <string_view>
#include <vector>

#include "control/config/load.h"

namespace pollux::control::testing {

// The smallest good configuration; appended to snippets, so that their lines keep their numbers.
inline constexpr std::string_view kPorts = R"(
[dpdk]
idle = "adaptive"
[[dpdk.port]]
name = "wan"
vdev = "net_null0"
address = ["198.51.100.2/24", "10.0.0.1/24", "2001:db8::1/64"]
)";

// "E0107 4:1 title | label" for each message of `toml` + kPorts, in the order shown.
std::vector<std::string> judge(std::string_view toml);

// The same without kPorts.
std::vector<std::string> judge_alone(std::string_view toml);

// The configuration of `toml` + kPorts; fails the test if there is an error.
Config good(std::string_view toml, const std::string& node = "");

}  // namespace pollux::control::testing
