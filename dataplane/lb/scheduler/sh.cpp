// SPDX-License-Identifier: Apache-2.0

// Source hashing: 256 slots dealt out in walk order, to each server as many in a row as its weight
// (at least one); the slot follows from the client's address, with sh-port also from its port. With
// sh-fallback a client whose server is quiesced or overloaded goes on to other slots.

#include <algorithm>

#include "dataplane/lb/scheduler/hashing.h"
#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

constexpr std::uint32_t kSlots = 256;

}  // namespace

std::uint32_t pick_sh(const ServiceScheduler& scheduler, const ScheduleInput& input,
                      ServerLoads loads) noexcept {
    if (scheduler.slots.empty()) return kNoTarget;
    const std::uint32_t key =
        fold(input.client) + (scheduler.flags.port ? std::uint32_t{input.client_port} : 0);
    const std::uint32_t first = golden_hash8(key);
    const std::uint32_t position = scheduler.slots[first];
    if (is_usable(scheduler.targets[position], loads)) return position;
    if (!scheduler.flags.fallback) return kNoTarget;
    for (std::uint32_t offset = 0; offset < kSlots; ++offset) {
        const std::uint32_t slot = (2 * first + offset) % kSlots;
        if (is_usable(scheduler.targets[scheduler.slots[slot]], loads)) {
            return scheduler.slots[slot];
        }
    }
    return kNoTarget;
}

void prepare_sh(ServiceScheduler& next, const ServiceScheduler* /*previous*/) {
    if (next.targets.empty()) return;
    next.slots.reserve(kSlots);
    std::uint32_t position = 0;
    while (next.slots.size() < kSlots) {
        const std::uint32_t turns = std::max(next.targets[position].weight, 1U);
        const auto room = static_cast<std::uint32_t>(kSlots - next.slots.size());
        next.slots.insert(next.slots.end(), std::min(turns, room),
                          static_cast<std::uint16_t>(position));
        position = (position + 1) % static_cast<std::uint32_t>(next.targets.size());
    }
}

}  // namespace pollux::lb
