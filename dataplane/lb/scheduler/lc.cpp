// SPDX-License-Identifier: Apache-2.0

// Least connection: the usable server with the fewest connections, whatever its weight.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_lc(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                      ServerLoads loads) noexcept {
    std::uint32_t best = kNoTarget;
    std::uint64_t best_cost = 0;
    std::uint32_t position = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        const std::uint32_t here = position++;
        if (!is_usable(target, loads)) continue;
        const std::uint64_t cost = connection_cost(load_of(loads, target.id));
        if (best == kNoTarget || cost < best_cost) {
            best = here;
            best_cost = cost;
        }
    }
    return best;
}

}  // namespace pollux::lb
