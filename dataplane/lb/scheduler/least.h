// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the schedulers share: which servers may be chosen, what a server costs, and the walk that
// finds the cheapest. Ties go to the first in walk order, which is the last added. Any thread.

#include <cstdint>

#include "dataplane/lb/scheduler.h"

namespace pollux::lb {

inline bool is_overloaded(const ServerLoad& load) noexcept {
    return load.overloaded.load(std::memory_order_relaxed);
}

inline bool is_usable(const SchedulerTarget& target, ServerLoads loads) noexcept {
    return target.weight != 0 && !is_overloaded(load_of(loads, target.id));
}

inline std::uint64_t active_connections(const ServerLoad& load) noexcept {
    return load.active.load(std::memory_order_relaxed);
}

// The cost of lc, wlc, lblc, lblcr: an active connection counts 257 times an inactive one. (The
// kernel since 6.1.183: 256 times the active ones plus all.)
inline std::uint64_t connection_cost(const ServerLoad& load) noexcept {
    const std::uint64_t active = active_connections(load);
    return 256 * active + active + load.inactive.load(std::memory_order_relaxed);
}

// The cost of sed and nq: the delay that one connection more would expect.
inline std::uint64_t expected_delay(const ServerLoad& load) noexcept {
    return active_connections(load) + 1;
}

// The usable server with the least cost in proportion to its weight, or kNoTarget.
template <typename Cost>
std::uint32_t least_loaded(const ServiceScheduler& scheduler, ServerLoads loads,
                           Cost cost) noexcept {
    std::uint32_t best = kNoTarget;
    std::uint64_t best_cost = 0;
    std::uint64_t best_weight = 0;
    std::uint32_t position = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        const std::uint32_t here = position++;
        const ServerLoad& load = load_of(loads, target.id);
        if (target.weight == 0 || is_overloaded(load)) continue;
        const std::uint64_t here_cost = cost(load);
        if (best == kNoTarget || best_cost * target.weight > here_cost * best_weight) {
            best = here;
            best_cost = here_cost;
            best_weight = target.weight;
        }
    }
    return best;
}

}  // namespace pollux::lb
