// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Plan from a TOML file: the schema, the reading with messages as the balancer's own
// configuration gives them, and what keys must hold together. Main thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/schema.h"
#include "dataplane/net/result.h"
#include "tools/pktgen/plan.h"

namespace pollux::pktgen {

// The file's schema; the object of its root is a Plan.
[[nodiscard]] const control::TableSchema& plan_schema();

struct PlanResult {
    std::optional<Plan> plan;  // set if there is no error
    std::string messages;      // for the terminal
};
[[nodiscard]] PlanResult load_plan(const std::string& path);
[[nodiscard]] PlanResult load_plan_text(std::string_view text, const std::string& name);

// What must hold between the keys, also after options changed them.
[[nodiscard]] Status check_plan(const Plan& plan);

// Frames a second: "14.88M", "250k", "1000". Nothing for other texts and out of range.
[[nodiscard]] std::optional<double> parse_rate(std::string_view text);

// Frame lengths (with frame check sequence) in the order of sending: {64}, or for "imix" 7 of 64, 4
// of 594 and 1 of 1518 bytes. Empty: not understood, or too small for the tag of a frame.
[[nodiscard]] std::vector<std::uint16_t> frame_lengths(const Plan& plan);

}  // namespace pollux::pktgen
