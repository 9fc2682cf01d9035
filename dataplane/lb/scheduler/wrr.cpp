// SPDX-License-Identifier: Apache-2.0

// Weighted round robin: walks the list again and again and chooses the servers whose weight is at
// least the current level; after each walk the level sinks by the greatest common divisor of the
// weights, from the largest weight down to the smallest step, then starts over.

#include <algorithm>
#include <map>
#include <numeric>

#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/scheduler_state.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

// The first server from `place` on whose weight reaches `level`.
std::uint32_t first_reaching(const ServiceScheduler& scheduler, std::uint32_t place,
                             std::uint32_t level, ServerLoads loads) noexcept {
    const auto size = static_cast<std::uint32_t>(scheduler.targets.size());
    for (std::uint32_t position = place; position < size; ++position) {
        const SchedulerTarget& target = scheduler.targets[position];
        if (target.weight >= level && !is_overloaded(load_of(loads, target.id))) return position;
    }
    return kNoTarget;
}

std::uint32_t largest_usable_weight(const ServiceScheduler& scheduler, ServerLoads loads) noexcept {
    std::uint32_t largest = 0;
    for (const SchedulerTarget& target : scheduler.targets) {
        if (target.weight > largest && is_usable(target, loads)) largest = target.weight;
    }
    return largest;
}

// The next level below `level` that a server of weight `largest` reaches; levels that nobody
// reaches are passed over at once, where the kernel walks the list for each of them.
std::uint32_t next_level(const ServiceScheduler& scheduler, std::uint32_t level,
                         std::uint32_t largest) noexcept {
    const std::uint32_t step = scheduler.step;
    std::uint32_t next = level > step ? level - step : scheduler.max_weight;
    if (next > largest) {
        const std::uint32_t walks = (next - largest + step - 1) / step;
        next = next > walks * step ? next - walks * step : scheduler.max_weight;
    }
    return next;
}

struct Choice {
    std::uint32_t chosen = kNoTarget;
    Position position;
};

Choice choose(const ServiceScheduler& scheduler, Position position, ServerLoads loads) noexcept {
    std::uint32_t chosen = first_reaching(scheduler, position.place, position.weight, loads);
    if (chosen == kNoTarget) {
        const std::uint32_t largest = largest_usable_weight(scheduler, loads);
        if (largest == 0) {
            // All overloaded. The kernel's search ends where it began when only the last level was
            // left after a server, and at the start of the whole sequence otherwise.
            if (position.place == 0 || position.weight > scheduler.step) {
                position.place = 0;
                position.weight = scheduler.max_weight;
            }
            return {kNoTarget, position};
        }
        position.weight = next_level(scheduler, position.weight, largest);
        chosen = first_reaching(scheduler, 0, position.weight, loads);
        if (chosen == kNoTarget) {  // overloaded between the two walks by another worker
            position.place = 0;
            return {kNoTarget, position};
        }
    }
    position.place = chosen + 1;
    return {chosen, position};
}

// The ladder of levels that a set of weights gives.
struct Ladder {
    std::uint32_t divisor = 0;
    std::uint32_t largest = 0;

    void include(std::uint32_t weight) noexcept {
        divisor = std::gcd(divisor, weight);
        largest = std::max(largest, weight);
    }
    [[nodiscard]] std::uint32_t step() const noexcept { return divisor == 0 ? 1 : divisor; }
    [[nodiscard]] std::uint32_t top() const noexcept {
        return largest == 0 ? 0 : largest - (step() - 1);
    }
};

using Weights = std::map<RealServerId, std::uint32_t>;

Ladder ladder_of(const Weights& weights) {
    Ladder ladder;
    for (const auto& [id, weight] : weights) ladder.include(weight);
    return ladder;
}

// LVS's rule for each addition, edit and deletion: back to the head of the list, and the level
// stays if it is still valid, brought onto the new ladder.
void server_changed(Position& position, const Ladder& ladder) {
    position.place = 0;
    if (position.weight > ladder.top() || position.weight == 0) {
        position.weight = ladder.top();
    } else if (ladder.step() > 1) {
        position.weight = position.weight / ladder.step() * ladder.step() + 1;
    }
}

// Plays the changes from `previous` to `next` one at a time and keeps `weights` up to date.
void play_changes(Position& position, Weights& weights, const ServiceScheduler& next) {
    Weights wanted;
    for (const SchedulerServer& server : next.servers) wanted.emplace(server.id, server.weight);
    for (auto held = weights.begin(); held != weights.end();) {
        if (wanted.contains(held->first)) {
            ++held;
            continue;
        }
        held = weights.erase(held);
        server_changed(position, ladder_of(weights));
    }
    for (auto& [id, weight] : weights) {
        const std::uint32_t now = wanted.at(id);
        if (now == weight) continue;
        weight = now;
        server_changed(position, ladder_of(weights));
    }
    Ladder ladder = ladder_of(weights);
    for (auto server = next.servers.rbegin(); server != next.servers.rend(); ++server) {
        if (!weights.emplace(server->id, server->weight).second) continue;
        ladder.include(server->weight);
        server_changed(position, ladder);
    }
}

}  // namespace

std::uint32_t pick_wrr(const ServiceScheduler& scheduler, const ScheduleInput& /*input*/,
                       ServerLoads loads) noexcept {
    if (scheduler.max_weight == 0) return kNoTarget;
    std::uint64_t word = scheduler.state->word.load(std::memory_order_relaxed);
    for (;;) {
        const Choice choice = choose(scheduler, current_position(scheduler, word), loads);
        if (advance(*scheduler.state, word, choice.position)) return choice.chosen;
    }
}

void prepare_wrr(ServiceScheduler& next, const ServiceScheduler* previous) {
    Position position;
    Weights weights;
    if (previous != nullptr) {
        for (const SchedulerServer& server : previous->servers) {
            weights.emplace(server.id, server.weight);
        }
        if (previous->kind == next.kind) {
            const std::uint64_t word = next.state->word.load(std::memory_order_relaxed);
            position = current_position(*previous, word);
            position.place = 0;  // also for an edit that leaves the weights alone
        } else {
            position.weight = ladder_of(weights).top();
        }
    }
    play_changes(position, weights, next);
    const Ladder ladder = ladder_of(weights);
    next.step = ladder.step();
    next.max_weight = ladder.top();
    position.epoch = (position.epoch + 1) & Position::kMask;
    next.initial_position = position.pack();
}

}  // namespace pollux::lb
