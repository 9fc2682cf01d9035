// SPDX-License-Identifier: Apache-2.0
#pragma once

// `pollux-bench table`: what the connection table costs at a number of connections.

#include <span>
#include <string_view>

namespace pollux::bench {

// Arguments after "table". Returns the exit status.
int run_table(std::span<const std::string_view> arguments);

}  // namespace pollux::bench
