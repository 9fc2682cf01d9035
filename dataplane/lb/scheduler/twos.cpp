// SPDX-License-Identifier: Apache-2.0

// The power of two choices: two servers at random in proportion to their weights, and of these the
// less loaded one. The numbers come from a counter that is mixed (splitmix64), not from a device:
// runs are repeatable, and one fetch-and-add serves all workers.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/scheduler_state.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

std::uint64_t mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31U);
}

// A number below `limit` from 32 random bits.
std::uint64_t below(std::uint64_t limit, std::uint64_t random) noexcept {
    return (limit * (random & 0xffffffffU)) >> 32U;
}

// The usable server into whose share of the total weight `ticket` falls.
std::uint32_t holder(const ServiceScheduler& scheduler, std::uint64_t ticket,
                     ServerLoads loads) noexcept {
    std::uint32_t last = kNoTarget;
    std::uint32_t position = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        const std::uint32_t here = position++;
        if (!is_usable(target, loads)) continue;
        if (ticket < target.weight) return here;
        ticket -= target.weight;
        last = here;
    }
    return last;  // only when a server became overloaded since the weights were added up
}

}  // namespace

std::uint32_t pick_twos(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                        ServerLoads loads) noexcept {
    std::uint64_t total = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        if (is_usable(target, loads)) total += target.weight;
    }
    if (total == 0) return kNoTarget;
    const std::uint64_t sequence =
        scheduler.state->word.fetch_add(0x9e3779b97f4a7c15ULL, std::memory_order_relaxed);
    const std::uint64_t random = mix(sequence);
    const std::uint32_t first = holder(scheduler, below(total, random), loads);
    const std::uint32_t second = holder(scheduler, below(total, random >> 32U), loads);
    if (first == kNoTarget || second == kNoTarget) return kNoTarget;
    const SchedulerTarget& one = scheduler.targets[first];
    const SchedulerTarget& other = scheduler.targets[second];
    const std::uint64_t one_cost = connection_cost(load_of(loads, one.id)) * other.weight;
    const std::uint64_t other_cost = connection_cost(load_of(loads, other.id)) * one.weight;
    return one_cost > other_cost ? second : first;
}

}  // namespace pollux::lb
