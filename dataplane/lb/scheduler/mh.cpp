// SPDX-License-Identifier: Apache-2.0

// Maglev hashing (Eisenbud et al., NSDI 2016): each server fills a table of 4093 slots along its
// own permutation, so that a change of servers moves few clients. As in the kernel the table is
// made of the last weights other than 0: quiescing a server moves nobody else.

#include <algorithm>
#include <bit>
#include <numeric>

#include "dataplane/lb/scheduler/hashing.h"
#include "dataplane/lb/scheduler/least.h"
#include "dataplane/lb/schedulers.h"

namespace pollux::lb {

namespace {

constexpr std::uint32_t kSlots = 4093;
constexpr std::uint64_t kFirstKey = 2654435761;
constexpr std::uint64_t kSecondKey = 2654446892;
// Turns of one server in a round have at most this many bits: half the table's index width.
constexpr std::uint32_t kTurnBits = 6;

struct Permutation {
    std::uint32_t slot = 0;  // where the server looks next
    std::uint32_t skip = 0;
    std::uint32_t turns = 0;  // slots that it takes in each round
};

// Weights in proportion to the smallest, cut to kTurnBits.
std::vector<Permutation> permutations_of(const ServiceScheduler& scheduler) {
    std::uint32_t divisor = 0;
    std::uint32_t largest = 0;
    for (const SchedulerServer& server : scheduler.servers) {
        divisor = std::gcd(divisor, std::uint32_t{server.last_weight});
        largest = std::max(largest, std::uint32_t{server.last_weight});
    }
    if (largest == 0) return {};
    const auto bits = static_cast<std::uint32_t>(std::bit_width(largest / divisor));
    const std::uint32_t shift = bits > kTurnBits ? bits - kTurnBits : 0;
    std::vector<Permutation> permutations;
    permutations.reserve(scheduler.servers.size());
    for (const SchedulerServer& server : scheduler.servers) {
        const std::uint32_t key = fold(server.address) + server.port;
        const std::uint32_t turns = (server.last_weight / divisor) >> shift;
        permutations.push_back({sip_hash13(key, kFirstKey) % kSlots,
                                sip_hash13(key, kSecondKey) % (kSlots - 1) + 1,
                                server.last_weight == 0 ? 0 : std::max(turns, 1U)});
    }
    return permutations;
}

std::uint32_t slot_of(std::uint32_t key, std::uint32_t offset) noexcept {
    return sip_hash13(key + offset, kFirstKey) % kSlots;
}

bool any_usable(const ServiceScheduler& scheduler, ServerLoads loads) noexcept {
    return std::any_of(scheduler.targets.begin(), scheduler.targets.end(),
                       [loads](const SchedulerTarget& target) { return is_usable(target, loads); });
}

}  // namespace

std::uint32_t pick_mh(const ServiceScheduler& scheduler, const ScheduleInput& input,
                      ServerLoads loads) noexcept {
    if (scheduler.slots.empty()) return kNoTarget;
    const std::uint32_t key =
        fold(input.client) + (scheduler.flags.port ? std::uint32_t{input.client_port} : 0);
    const std::uint32_t first = slot_of(key, 0);
    const std::uint32_t position = scheduler.slots[first];
    if (is_usable(scheduler.targets[position], loads)) return position;
    // Without the second test a dead service would cost 4093 hashes for each new connection.
    if (!scheduler.flags.fallback || !any_usable(scheduler, loads)) return kNoTarget;
    for (std::uint32_t offset = 0; offset < kSlots; ++offset) {
        const std::uint32_t next = scheduler.slots[slot_of(key, (offset + first) % kSlots)];
        if (is_usable(scheduler.targets[next], loads)) return next;
    }
    return kNoTarget;
}

void prepare_mh(ServiceScheduler& next, const ServiceScheduler* /*previous*/) {
    std::vector<Permutation> permutations = permutations_of(next);
    if (permutations.empty()) return;
    next.slots.assign(kSlots, kEmptySlot);
    std::uint32_t filled = 0;
    for (;;) {
        for (std::size_t position = 0; position < permutations.size(); ++position) {
            Permutation& permutation = permutations[position];
            for (std::uint32_t turn = 0; turn < permutation.turns; ++turn) {
                while (next.slots[permutation.slot] != kEmptySlot) {
                    permutation.slot = (permutation.slot + permutation.skip) % kSlots;
                }
                next.slots[permutation.slot] = static_cast<std::uint16_t>(position);
                if (++filled == kSlots) return;
            }
        }
    }
}

}  // namespace pollux::lb
