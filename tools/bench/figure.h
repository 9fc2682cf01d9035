// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Figure is one measured cost with what is needed to judge it; a Report is the figures of one run
// and the machine that they come from. Text and JSON forms.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/lb/stages.h"
#include "dataplane/net/result.h"
#include "tools/bench/options.h"
#include "tools/bench/sampler.h"

namespace pollux::bench {

struct Figure {
    std::string what;    // "pipeline", "connect", "life"
    std::string method;  // "dr", "nat", "fnat", "tun"
    std::string direction;
    std::string family;
    std::uint64_t connections = 0;
    Measured cost;  // cycles per packet, connection or life
    // Tenth percentile of the cycles of one multiplication in the samples' neighbourhood, and the
    // fewest that this process has seen. Their ratio tells how disturbed the run was.
    double multiplication = 0;
    double best_multiplication = 0;
    std::optional<double> goal;  // cycles
    // With --stages: tenth percentiles by stage, in the order of lb::Stage; else empty. Reading the
    // clock costs a packet some cycles, so they add up to more than the cost without.
    std::vector<double> stages;
    std::string pages;
};

struct Machine {
    std::string processor;
    double counter_ghz = 0;  // of the time-stamp counter
    double load_average = 0;
    unsigned cores = 0;
};

struct Report {
    Machine machine;
    std::vector<Figure> figures;
};

// Looks at this machine; takes 20 ms.
[[nodiscard]] Machine describe_machine();

// The goal of docs/benchmarking.md in cycles; nothing where it has none.
[[nodiscard]] std::optional<double> goal_of(std::string_view what, const Options& options);

[[nodiscard]] std::string to_text(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);
// Errors: not readable, not a report of pollux-bench.
[[nodiscard]] Result<Report> read_report(const std::string& file);
// The figures that both have, side by side.
[[nodiscard]] std::string compare_text(const Report& before, const Report& after);

}  // namespace pollux::bench
