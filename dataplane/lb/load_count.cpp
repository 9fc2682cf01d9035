// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/load_count.h"

namespace pollux::lb {
namespace {

std::atomic<std::uint32_t>& counter_of(ServerLoad& load, ConnectionState state) noexcept {
    return state.has(ConnectionFlag::Active) ? load.active : load.inactive;
}

}  // namespace

void count_added(SharedState& shared, RealServerId server, ConnectionState state) noexcept {
    ServerLoad& load = shared.loads[index(server)];
    // Relaxed: a figure for schedulers and operators; nothing is published through it.
    counter_of(load, state).fetch_add(1, std::memory_order_relaxed);
    note_connection_added(load);
}

void count_removed(SharedState& shared, RealServerId server, ConnectionState last) noexcept {
    ServerLoad& load = shared.loads[index(server)];
    counter_of(load, last).fetch_sub(1, std::memory_order_relaxed);  // relaxed: see count_added
    note_connection_removed(load);
}

void count_change(SharedState& shared, Participant self, RealServerId server,
                  ConnectionState before, ConnectionState after) noexcept {
    if (before.has(ConnectionFlag::Active) != after.has(ConnectionFlag::Active)) {
        ServerLoad& load = shared.loads[index(server)];
        counter_of(load, after).fetch_add(1, std::memory_order_relaxed);  // relaxed: see above
        counter_of(load, before).fetch_sub(1, std::memory_order_relaxed);
    }
    const bool was_embryonic = before.has(ConnectionFlag::Embryonic);
    const bool is_embryonic = after.has(ConnectionFlag::Embryonic);
    if (was_embryonic && !is_embryonic) shared.connections.count_established(self);
    if (!was_embryonic && is_embryonic) shared.connections.count_embryonic(self);
}

void count_template_added(SharedState& shared, RealServerId server) noexcept {
    ServerLoad& load = shared.loads[index(server)];
    load.persistent.fetch_add(1, std::memory_order_relaxed);  // relaxed: see count_added
    note_connection_added(load);
}

void count_template_removed(SharedState& shared, RealServerId server) noexcept {
    ServerLoad& load = shared.loads[index(server)];
    load.persistent.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see count_added
    note_connection_removed(load);
}

}  // namespace pollux::lb
