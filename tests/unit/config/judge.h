// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loads a snippet of TOML and says what the loader found, one short line per message.

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

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

// A row of a table of snippets.
struct Case {
    std::string name;
    std::string toml;
    std::vector<std::string> expected;  // as judge() says it
};
std::ostream& operator<<(std::ostream& out, const Case& value);
std::string case_name(const ::testing::TestParamInfo<Case>& parameter);

// A snippet with a [dpdk] of its own is judged alone.
std::vector<std::string> judge_case(const Case& row);

// The configuration of `toml` + kPorts; fails the test if there is an error.
Config good(std::string_view toml, const std::string& node = "");

}  // namespace pollux::control::testing
