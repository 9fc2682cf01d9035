// SPDX-License-Identifier: Apache-2.0

// Weighted overflow: the usable server with the highest weight that has at most as many active
// connections as its weight (so that it ends with one more).

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_ovf(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                       ServerLoads loads) noexcept {
    std::uint32_t best = kNoTarget;
    std::uint32_t best_weight = 0;
    std::uint32_t position = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        const std::uint32_t here = position++;
        if (target.weight <= best_weight || !is_usable(target, loads)) continue;
        if (active_connections(load_of(loads, target.id)) > target.weight) continue;
        best = here;
        best_weight = target.weight;
    }
    return best;
}

}  // namespace pollux::lb
