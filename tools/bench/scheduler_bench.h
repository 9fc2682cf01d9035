// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a choice costs with each scheduler, what building its tables costs the control core, and how
// many clients change their server when one leaves or joins.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/sampler.h"

namespace pollux::bench {

struct SchedulerFigure {
    std::string name;
    unsigned servers = 0;
    Measured choice;                  // cycles
    double build_us = 0;              // a whole service's scheduler, median
    double moved_by_leave = 0;        // share of the clients of other servers that changed theirs
    double moved_by_join = 0;         // share of the clients that changed to another old server
    bool is_bound_to_client = false;  // only then is `moved_` meaningful: a client has one server
};

// All of them, in the order of the table of schedulers.
[[nodiscard]] std::vector<SchedulerFigure> measure_schedulers(unsigned servers, unsigned samples);

[[nodiscard]] std::string scheduler_text(std::span<const SchedulerFigure> figures);
[[nodiscard]] std::string scheduler_json(std::span<const SchedulerFigure> figures);

int run_scheduler(std::span<const std::string_view> arguments);

}  // namespace pollux::bench
