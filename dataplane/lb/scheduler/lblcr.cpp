// SPDX-License-Identifier: Apache-2.0

// Locality-based least connection with replication: a destination address has a set of servers and
// goes to the least loaded of them. When that one exceeds its weight, the service's least loaded
// server joins the set; a set that has not changed for lblcr_expiration loses its most loaded one.

#include "dataplane/lb/scheduler/locality.h"
#include "dataplane/lb/scheduler/replica_cache.h"
#include "dataplane/lb/scheduler_state.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

using Entry = ReplicaCache::Entry;

// The position of the n-th newest server of a set of `size`, or kNoTarget when it is gone.
std::uint32_t member(const ServiceScheduler& scheduler, const Entry& entry, std::uint32_t size,
                     std::uint32_t n) noexcept {
    const std::uint32_t id = entry.servers[size - 1 - n].load(std::memory_order_relaxed);
    return position_of(scheduler, RealServerId{id});
}

std::uint32_t least_loaded_member(const ServiceScheduler& scheduler, const Entry& entry,
                                  ServerLoads loads) noexcept {
    const std::uint32_t size = entry.size.load(std::memory_order_relaxed);
    std::uint32_t best = kNoTarget;
    std::uint64_t best_cost = 0;
    for (std::uint32_t n = 0; n < size; ++n) {
        const std::uint32_t position = member(scheduler, entry, size, n);
        if (position == kNoTarget || !is_usable(scheduler.targets[position], loads)) continue;
        const SchedulerTarget& target = scheduler.targets[position];
        const std::uint64_t cost = connection_cost(load_of(loads, target.id));
        if (best == kNoTarget ||
            best_cost * target.weight > cost * scheduler.targets[best].weight) {
            best = position;
            best_cost = cost;
        }
    }
    return best;
}

// A set that stayed the same for long shrinks: a server that is gone leaves first, else the one
// with the most connections in proportion to its weight.
void shrink(const ServiceScheduler& scheduler, Entry& entry, ServerLoads loads,
            CoarseTime now) noexcept {
    const std::uint32_t size = entry.size.load(std::memory_order_relaxed);
    const CoarseTime changed = entry.changed.load(std::memory_order_relaxed);
    if (size < 2 || now - changed <= coarse(scheduler.expiration)) return;
    std::uint32_t most = kNoTarget;
    std::uint64_t most_cost = 0;
    for (std::uint32_t n = 0; n < size; ++n) {
        const std::uint32_t position = member(scheduler, entry, size, n);
        if (position == kNoTarget) {
            const std::uint32_t gone = entry.servers[size - 1 - n].load(std::memory_order_relaxed);
            ReplicaCache::remove(entry, RealServerId{gone}, now);
            return;
        }
        const SchedulerTarget& target = scheduler.targets[position];
        if (target.weight == 0) continue;
        const std::uint64_t cost = connection_cost(load_of(loads, target.id));
        if (most == kNoTarget ||
            most_cost * target.weight < cost * scheduler.targets[most].weight) {
            most = position;
            most_cost = cost;
        }
    }
    if (most != kNoTarget) ReplicaCache::remove(entry, scheduler.targets[most].id, now);
}

}  // namespace

std::uint32_t pick_lblcr(const ServiceScheduler& scheduler, const ScheduleInput& input,
                         ServerLoads loads) noexcept {
    ReplicaCache& cache = *scheduler.state->replicas;
    const CoarseTime now = coarse(input.now);
    Entry* entry = cache.find(input.destination, now, coarse(scheduler.expiration));
    if (entry != nullptr) {
        const std::uint32_t member = least_loaded_member(scheduler, *entry, loads);
        shrink(scheduler, *entry, loads, now);
        if (member != kNoTarget && !exceeds_weight(scheduler, scheduler.targets[member], loads)) {
            return member;
        }
    }
    const std::uint32_t chosen = least_loaded(scheduler, loads, connection_cost);
    if (chosen == kNoTarget) return kNoTarget;
    const RealServerId id = scheduler.targets[chosen].id;
    if (entry != nullptr) {
        ReplicaCache::insert(*entry, id, now);
    } else {
        cache.create(input.destination, id, now);
    }
    return chosen;
}

void prepare_replicas(ServiceScheduler& next, const ServiceScheduler* /*previous*/) {
    order_by_id(next);
    if (next.state->replicas == nullptr) next.state->replicas = std::make_unique<ReplicaCache>();
}

}  // namespace pollux::lb
