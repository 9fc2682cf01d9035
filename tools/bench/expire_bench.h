// SPDX-License-Identifier: Apache-2.0
#pragma once

// What connections that nobody uses cost a worker: those that expire, all in one second, and those
// that are merely there. A control thread does its rounds beside the worker as in polluxd.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/bench/options.h"
#include "tools/bench/sampler.h"

namespace pollux::bench {

// The iterations of a worker in one phase; an iteration is a burst, filled and processed.
struct IterationFigure {
    std::uint64_t count = 0;
    double median_us = 0, p999_us = 0, p99999_us = 0, longest_us = 0;
    std::uint64_t over_goal = 0;  // longer than the goal
};

struct ExpireFigure {
    std::string method, family;
    std::uint64_t active = 0;    // connections that the worker's packets belong to
    std::uint64_t expiring = 0;  // others, which expire within one second
    std::uint64_t removed = 0;   // of these, when the last phase was over
    IterationFigure before;      // the second before: what the machine alone does to the worker
    IterationFigure during;      // the second in which they expire
    IterationFigure after;       // the two seconds that a round of the table may take
    double longest_turn_us = 0;  // of the control thread

    std::uint64_t idle = 0;     // connections that are there
    Measured alone, with_idle;  // cycles per packet of 1,000 active ones, before and with them
    std::string pages;

    [[nodiscard]] double idle_cost() const { return with_idle.p10 / alone.p10 - 1; }
};

inline constexpr double kIterationGoalUs = 50;
inline constexpr double kIdleGoal = 0.01;

// options.flows connections expire; options.idle are idle. Errors: memory, packets that were not
// forwarded.
[[nodiscard]] Result<ExpireFigure> measure_expire(const Options& options);

// Sorts the durations of a phase's iterations, in cycles, into a figure.
[[nodiscard]] IterationFigure summarize_iterations(std::vector<std::uint32_t> cycles,
                                                   double cycles_per_us);

[[nodiscard]] std::string expire_text(const ExpireFigure& figure);
[[nodiscard]] std::string expire_json(const ExpireFigure& figure);

}  // namespace pollux::bench
