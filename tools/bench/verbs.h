// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verbs of pollux-bench but `table`. Each takes the arguments behind its name and returns the
// exit status: 0, 1 (nothing measured), 2 (not understood).

#include <span>
#include <string_view>

namespace pollux::bench {

int run_pipeline(std::span<const std::string_view> arguments);
int run_connect(std::span<const std::string_view> arguments);
int run_report(std::span<const std::string_view> arguments);
int run_compare(std::span<const std::string_view> arguments);

}  // namespace pollux::bench
