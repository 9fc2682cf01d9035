// SPDX-License-Identifier: Apache-2.0

// Round robin: the next usable server after the last chosen one. Weights only matter as zero or
// not.

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/scheduler_state.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

// The first usable server after `place`, going round once; the last chosen one comes last.
std::uint32_t next_usable(const ServiceScheduler& scheduler, std::uint32_t place,
                          ServerLoads loads) noexcept {
    const auto size = static_cast<std::uint32_t>(scheduler.targets.size());
    for (std::uint32_t position = place; position < size; ++position) {
        if (is_usable(scheduler.targets[position], loads)) return position;
    }
    for (std::uint32_t position = 0; position < place; ++position) {
        if (is_usable(scheduler.targets[position], loads)) return position;
    }
    return kNoTarget;
}

std::uint32_t place_of(const ServiceScheduler& scheduler, RealServerId id) {
    for (std::uint32_t position = 0; position < scheduler.targets.size(); ++position) {
        if (scheduler.targets[position].id == id) return position + 1;
    }
    return 0;
}

// LVS: the position stays on its server; when that is deleted it moves to the one before it.
std::uint32_t translate(const ServiceScheduler& next, const ServiceScheduler& previous,
                        std::uint32_t place) {
    for (; place != 0; --place) {
        const std::uint32_t found = place_of(next, previous.targets[place - 1].id);
        if (found != 0) return found;
    }
    return 0;
}

}  // namespace

std::uint32_t pick_rr(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                      ServerLoads loads) noexcept {
    std::uint64_t word = scheduler.state->word.load(std::memory_order_relaxed);
    for (;;) {
        Position position = current_position(scheduler, word);
        const std::uint32_t chosen = next_usable(scheduler, position.place, loads);
        if (chosen == kNoTarget) return kNoTarget;
        position.place = chosen + 1;
        if (advance(*scheduler.state, word, position)) return chosen;
    }
}

void prepare_rr(ServiceScheduler& next, const ServiceScheduler* previous) {
    if (previous == nullptr || previous->kind != next.kind) return;
    const std::uint64_t word = next.state->word.load(std::memory_order_relaxed);
    Position position = current_position(*previous, word);
    position.place = translate(next, *previous, position.place);
    position.epoch = (position.epoch + 1) & Position::kMask;
    next.initial_position = position.pack();
}

}  // namespace pollux::lb
