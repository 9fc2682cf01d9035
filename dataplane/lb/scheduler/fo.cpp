// SPDX-License-Identifier: Apache-2.0

// Weighted failover: the usable server with the highest weight.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_fo(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                      ServerLoads loads) noexcept {
    std::uint32_t best = kNoTarget;
    std::uint32_t best_weight = 0;
    std::uint32_t position = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        const std::uint32_t here = position++;
        if (target.weight <= best_weight || !is_usable(target, loads)) continue;
        best = here;
        best_weight = target.weight;
    }
    return best;
}

}  // namespace pollux::lb
