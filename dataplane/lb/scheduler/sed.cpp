// SPDX-License-Identifier: Apache-2.0

// Shortest expected delay: the least (active connections + 1) / weight.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_sed(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                       ServerLoads loads) noexcept {
    return least_loaded(scheduler, loads, expected_delay);
}

}  // namespace pollux::lb
