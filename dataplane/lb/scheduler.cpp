// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/scheduler.h"

#include <algorithm>

#include "dataplane/lb/scheduler/affinity_cache.h"
#include "dataplane/lb/scheduler/replica_cache.h"
#include "dataplane/lb/scheduler_state.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

SchedulerState::SchedulerState() = default;
SchedulerState::~SchedulerState() = default;

ServiceScheduler build_scheduler(const SchedulerConfig& config, const ServiceScheduler* previous) {
    const bool same_kind = previous != nullptr && previous->kind == config.kind;
    if (same_kind && std::equal(config.servers.begin(), config.servers.end(),
                                previous->servers.begin(), previous->servers.end())) {
        ServiceScheduler unchanged = *previous;
        unchanged.flags = config.flags;
        unchanged.expiration = config.expiration;
        return unchanged;
    }
    const SchedulerRow& row = row_of(config.kind);
    ServiceScheduler next;
    next.pick = row.pick;
    next.kind = config.kind;
    next.flags = config.flags;
    next.expiration = config.expiration;
    next.servers.assign(config.servers.begin(), config.servers.end());
    next.targets.reserve(next.servers.size());
    for (const SchedulerServer& server : next.servers) {
        next.targets.push_back({server.id, server.weight});
    }
    next.state = same_kind ? previous->state : std::make_shared<SchedulerState>();
    if (row.prepare != nullptr) row.prepare(next, previous);
    return next;
}

}  // namespace pollux::lb
