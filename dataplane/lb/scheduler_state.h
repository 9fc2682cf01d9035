// SPDX-License-Identifier: Apache-2.0
#pragma once

// What changes with each choice of a scheduler: one record per service and scheduler, shared by the
// successive snapshots of the service. Workers write it with relaxed atomics: each word stands
// alone, nothing else is published through it.

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/lb/scheduler.h"

namespace pollux::lb {

class AffinityCache;
class ReplicaCache;

struct alignas(64) SchedulerState {
    SchedulerState();
    ~SchedulerState();
    SchedulerState(const SchedulerState&) = delete;
    SchedulerState& operator=(const SchedulerState&) = delete;

    std::atomic<std::uint64_t> word{0};       // rr, wrr: a packed Position; twos: its sequence
    std::unique_ptr<AffinityCache> affinity;  // lblc only
    std::unique_ptr<ReplicaCache> replicas;   // lblcr only
};

// Where rr and wrr stand. Packed into one word so that a choice is one compare-and-swap:
//
//    63         40 39         16 15         0
//   +-------------+-------------+------------+
//   |    epoch    |    place    |   weight   |
//   +-------------+-------------+------------+
//
// The epoch tells which version of the service a word was written for. A worker that finds a word
// of another version starts from its own ServiceScheduler::initial_position, which the control
// thread has translated from the word that was current when it built the version.
struct Position {
    std::uint32_t epoch = 0;
    std::uint32_t place = 0;   // 0: the head of the list; n: the server at position n - 1
    std::uint32_t weight = 0;  // wrr: the weight that a server must have to be chosen now

    [[nodiscard]] static constexpr Position unpack(std::uint64_t word) noexcept {
        return {static_cast<std::uint32_t>(word >> 40U),
                static_cast<std::uint32_t>(word >> 16U) & kMask,
                static_cast<std::uint32_t>(word & 0xffffU)};
    }
    [[nodiscard]] constexpr std::uint64_t pack() const noexcept {
        return (std::uint64_t{epoch & kMask} << 40U) | (std::uint64_t{place} << 16U) | weight;
    }

    static constexpr std::uint32_t kMask = 0xffffff;
};

// The position from which this version of the service goes on.
inline Position current_position(const ServiceScheduler& scheduler, std::uint64_t word) noexcept {
    const Position initial = Position::unpack(scheduler.initial_position);
    const Position stored = Position::unpack(word);
    return stored.epoch == initial.epoch ? stored : initial;
}

// Stores `next` if nobody was faster. False: `word` is reloaded and the choice is to be made again.
// A word of a later version stays as it is: this worker is about to leave its old snapshot.
inline bool advance(SchedulerState& state, std::uint64_t& word, const Position& next) noexcept {
    const std::uint32_t behind = (Position::unpack(word).epoch - next.epoch) & Position::kMask;
    if (behind != 0 && behind <= Position::kMask / 2) return true;
    return state.word.compare_exchange_weak(word, next.pack(), std::memory_order_relaxed);
}

}  // namespace pollux::lb
