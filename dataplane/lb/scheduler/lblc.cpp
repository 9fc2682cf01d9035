// SPDX-License-Identifier: Apache-2.0

// Locality-based least connection: a destination address keeps its server (a cache that holds the
// object) until that server is gone, quiesced or exceeds its weight; then as wlc.

#include <numeric>

#include "dataplane/lb/scheduler/affinity_cache.h"
#include "dataplane/lb/scheduler/locality.h"
#include "dataplane/lb/scheduler_state.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

std::uint32_t pick_lblc(const ServiceScheduler& scheduler, const ScheduleInput& input,
                        ServerLoads loads) noexcept {
    AffinityCache& cache = *scheduler.state->affinity;
    const CoarseTime now = coarse(input.now);
    const auto remembered = cache.find(input.destination, now, coarse(scheduler.expiration));
    if (remembered) {
        const std::uint32_t position = position_of(scheduler, *remembered);
        // The overload mark of a threshold does not end an affinity: LVS asks for it only below.
        if (position != kNoTarget && scheduler.targets[position].weight != 0 &&
            !exceeds_weight(scheduler, scheduler.targets[position], loads)) {
            return position;
        }
    }
    const std::uint32_t chosen = least_loaded(scheduler, loads, connection_cost);
    if (chosen != kNoTarget) cache.store(input.destination, scheduler.targets[chosen].id, now);
    return chosen;
}

void order_by_id(ServiceScheduler& scheduler) {
    scheduler.by_id.resize(scheduler.targets.size());
    std::iota(scheduler.by_id.begin(), scheduler.by_id.end(), 0U);
    std::sort(scheduler.by_id.begin(), scheduler.by_id.end(),
              [&scheduler](std::uint32_t a, std::uint32_t b) {
                  return scheduler.targets[a].id < scheduler.targets[b].id;
              });
}

void prepare_affinity(ServiceScheduler& next, const ServiceScheduler* /*previous*/) {
    order_by_id(next);
    if (next.state->affinity == nullptr) next.state->affinity = std::make_unique<AffinityCache>();
}

}  // namespace pollux::lb
