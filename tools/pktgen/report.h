// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a run found out, for people and for programs. Pure.

#include <string>

#include "tools/pktgen/campaign.h"
#include "tools/pktgen/plan.h"

namespace pollux::pktgen {

// "udp, 1000 flows (random), 64-byte frames, NAT 198.51.100.80:80, forward".
[[nodiscard]] std::string describe_traffic(const Plan& plan);
// The heading of trial_line.
[[nodiscard]] std::string trial_heading();
[[nodiscard]] std::string trial_line(const Trial& trial);
// All behind the trials: verdict, wrong frames by kind, servers' shares, NDR and PDR.
[[nodiscard]] std::string summary_text(const Plan& plan, Mode mode, const Outcome& outcome);
[[nodiscard]] std::string to_json(const Plan& plan, Mode mode, const Outcome& outcome);

}  // namespace pollux::pktgen
