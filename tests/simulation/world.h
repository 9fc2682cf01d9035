// SPDX-License-Identifier: Apache-2.0
#pragma once

// The whole simulation: nodes, LANs, faults, and an agenda in virtual time. Single-threaded and
// free of every clock: one seed, one history.

#include <iosfwd>
#include <optional>

#include "tests/simulation/invariants.h"
#include "tests/simulation/scenario.h"

namespace pollux::vrrp::simulation {

struct Outcome {
    std::optional<Violation> violation;
    std::uint64_t events = 0;
    std::uint64_t frames = 0;
    std::uint64_t transitions = 0;
};

// Stops at the first violation. `trace`: nullptr, or where to tell what happens.
[[nodiscard]] Outcome simulate(const Scenario& scenario, Mutant mutant, std::ostream* trace);

}  // namespace pollux::vrrp::simulation
