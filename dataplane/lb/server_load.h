// SPDX-License-Identifier: Apache-2.0
#pragma once

// The shared figures of one real server that scheduling depends on: connection counts, thresholds
// and the overload mark. One array for the whole data plane, indexed by RealServerId. Workers and
// the sweep write the counts, the control thread writes the thresholds; everybody reads. All
// accesses are relaxed: a count that is late by one connection changes a choice, never safety.

#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/lb/ids.h"

namespace pollux::lb {

struct alignas(64) ServerLoad {
    std::atomic<std::uint32_t> active{0};      // connections in an active state
    std::atomic<std::uint32_t> inactive{0};    // all other connections, templates excepted
    std::atomic<std::uint32_t> persistent{0};  // persistence templates
    std::atomic<std::uint32_t> upper{0};       // connections; 0 = no limit
    std::atomic<std::uint32_t> lower{0};       // connections; 0 = three quarters of `upper`
    std::atomic<bool> overloaded{false};

    [[nodiscard]] std::uint32_t total() const noexcept {
        return active.load(std::memory_order_relaxed) + inactive.load(std::memory_order_relaxed);
    }
};
static_assert(sizeof(ServerLoad) == 64);

using ServerLoads = std::span<const ServerLoad>;

inline const ServerLoad& load_of(ServerLoads loads, RealServerId id) noexcept {
    return loads[index(id)];
}

// To be called after a connection or template was counted in: marks the server overloaded when its
// upper threshold is reached.
void note_connection_added(ServerLoad& load) noexcept;

// To be called after a connection or template was counted out: clears the mark below the lower
// threshold, or below three quarters of the upper one when there is no lower.
void note_connection_removed(ServerLoad& load) noexcept;

// Control thread: sets new thresholds and evaluates the mark at once, as IPVS does since 6.1.183.
void set_thresholds(ServerLoad& load, std::uint32_t upper, std::uint32_t lower) noexcept;

}  // namespace pollux::lb
