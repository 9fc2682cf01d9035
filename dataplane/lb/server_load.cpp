// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/server_load.h"

namespace pollux::lb {

namespace {

// The rule of IPVS since 6.1.183: set at the upper threshold, cleared below the lower one (three
// quarters of the upper, rounded up, when there is none), kept in between.
void update_overload(ServerLoad& load) noexcept {
    const std::uint32_t upper = load.upper.load(std::memory_order_relaxed);
    bool overloaded = false;
    if (upper != 0) {
        const std::uint32_t total = load.total();
        const std::uint32_t configured = load.lower.load(std::memory_order_relaxed);
        const std::uint32_t lower = configured != 0 ? configured : upper - upper / 4;
        if (total < upper && total >= lower) return;
        overloaded = total >= upper;
    }
    // Most calls change nothing: the line stays shared unless they do.
    if (load.overloaded.load(std::memory_order_relaxed) != overloaded) {
        load.overloaded.store(overloaded, std::memory_order_relaxed);
    }
}

}  // namespace

void note_connection_added(ServerLoad& load) noexcept {
    update_overload(load);
}

void note_connection_removed(ServerLoad& load) noexcept {
    if (load.overloaded.load(std::memory_order_relaxed)) update_overload(load);
}

void set_thresholds(ServerLoad& load, std::uint32_t upper, std::uint32_t lower) noexcept {
    if (load.upper.load(std::memory_order_relaxed) == upper &&
        load.lower.load(std::memory_order_relaxed) == lower) {
        return;
    }
    load.upper.store(upper, std::memory_order_relaxed);
    load.lower.store(lower, std::memory_order_relaxed);
    update_overload(load);
}

}  // namespace pollux::lb
