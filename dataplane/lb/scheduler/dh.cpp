// SPDX-License-Identifier: Apache-2.0

// Destination hashing: 256 slots dealt out in walk order, one each; the slot follows from the
// destination address. A slot whose server is quiesced or overloaded gives no server.

#include "dataplane/lb/scheduler/hashing.h"
#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

constexpr std::uint32_t kSlots = 256;

}  // namespace

std::uint32_t pick_dh(const ServiceScheduler& scheduler, const ScheduleInput& input,
                      ServerLoads loads) noexcept {
    if (scheduler.slots.empty()) return kNoTarget;
    const std::uint32_t position = scheduler.slots[golden_hash8(fold(input.destination))];
    return is_usable(scheduler.targets[position], loads) ? position : kNoTarget;
}

void prepare_dh(ServiceScheduler& next, const ServiceScheduler* /*previous*/) {
    if (next.targets.empty()) return;
    next.slots.resize(kSlots);
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
        next.slots[slot] = static_cast<std::uint16_t>(slot % next.targets.size());
    }
}

}  // namespace pollux::lb
