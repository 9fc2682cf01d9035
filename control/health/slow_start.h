// SPDX-License-Identifier: Apache-2.0
#pragma once

// Slow start: a server that comes up gets its share of new connections step by step. Weights are
// whole numbers and mostly 1, so while a server ramps up, the weights of all servers of its service
// are multiplied, which changes no share, and only the ramping one's is lowered. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/config/config_common.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

// A ramp has so many steps; each is a new snapshot.
inline constexpr unsigned kRampSteps = 20;
// What a ramp begins with, in steps.
inline constexpr unsigned kFirstRampStep = 1;

// Whether the scheduler shares by weight. ovf takes the weight as a number of connections.
[[nodiscard]] bool ramps(lb::SchedulerKind scheduler);

struct RampingServer {
    std::uint16_t weight = 1;            // in the end
    std::optional<lb::TimePoint> since;  // came up then; nothing: it does not ramp
};

struct RampedWeights {
    // By server; nothing: the weights are what they are.
    std::vector<std::optional<std::uint16_t>> weights;
    std::optional<lb::TimePoint> next_step;  // nothing: no server ramps any more
};

[[nodiscard]] RampedWeights ramp(std::span<const RampingServer> servers, Duration slow_start,
                                 lb::TimePoint now);

}  // namespace pollux::control
