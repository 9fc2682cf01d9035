// SPDX-License-Identifier: Apache-2.0
#pragma once

// What lblc and lblcr share: when a server counts as overloaded, and where in this version of the
// service a remembered server stands. Any thread.

#include <algorithm>
#include <cstdint>

#include "dataplane/lb/scheduler/least.h"

namespace pollux::lb {

// LVS: more active connections than weight, while some server has less than half of its weight.
inline bool exceeds_weight(const ServiceScheduler& scheduler, const SchedulerTarget& target,
                           ServerLoads loads) noexcept {
    if (active_connections(load_of(loads, target.id)) <= target.weight) return false;
    return std::any_of(scheduler.targets.begin(), scheduler.targets.end(),
                       [loads](const SchedulerTarget& other) {
                           return 2 * active_connections(load_of(loads, other.id)) < other.weight;
                       });
}

// The position of a server, or kNoTarget when it does not belong to this version of the service.
inline std::uint32_t position_of(const ServiceScheduler& scheduler, RealServerId id) noexcept {
    const auto found = std::lower_bound(scheduler.by_id.begin(), scheduler.by_id.end(), id,
                                        [&scheduler](std::uint32_t position, RealServerId wanted) {
                                            return scheduler.targets[position].id < wanted;
                                        });
    if (found == scheduler.by_id.end() || scheduler.targets[*found].id != id) return kNoTarget;
    return *found;
}

// Fills ServiceScheduler::by_id. Control thread.
void order_by_id(ServiceScheduler& scheduler);

}  // namespace pollux::lb
