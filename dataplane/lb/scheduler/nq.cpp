// SPDX-License-Identifier: Apache-2.0

// Never queue: the first idle server in walk order, whatever its weight; without one as sed.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_nq(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                      ServerLoads loads) noexcept {
    std::uint32_t position = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        if (is_usable(target, loads) && active_connections(load_of(loads, target.id)) == 0) {
            return position;
        }
        ++position;
    }
    return least_loaded(scheduler, loads, expected_delay);
}

}  // namespace pollux::lb
