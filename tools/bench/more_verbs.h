// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verbs `flood`, `scale` and `plot` of pollux-bench, with the contract of verbs.h.

#include <span>
#include <string_view>

namespace pollux::bench {

int run_expire(std::span<const std::string_view> arguments);
int run_flood(std::span<const std::string_view> arguments);
int run_scale(std::span<const std::string_view> arguments);
// Draws results that were written before: a report's and pollux-pktgen's.
int run_plot(std::span<const std::string_view> arguments);

}  // namespace pollux::bench
