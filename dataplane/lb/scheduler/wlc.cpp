// SPDX-License-Identifier: Apache-2.0

// Weighted least connection: the fewest connections in proportion to the weight.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_wlc(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                       ServerLoads loads) noexcept {
    return least_loaded(scheduler, loads, connection_cost);
}

}  // namespace pollux::lb
