// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/defence_round.h"

#include <algorithm>

namespace pollux::lb {

namespace {

constexpr Duration kInterval = std::chrono::seconds(1);
// Automatic defences come on when fewer than a tenth of the connection records are free.
constexpr std::uint64_t kReserve = 10;

Pressure pressure_on(const ConnectionTable& table) noexcept {
    const std::uint64_t capacity = table.capacity();
    return {capacity - std::min(capacity, table.size()), capacity / kReserve};
}

std::uint32_t share_of(std::uint32_t capacity) noexcept {
    return std::max(capacity / kDropEntryShare, 1U);
}

}  // namespace

void DefenceRound::publish_level(SharedState& shared, const SysctlSpec& sysctl) noexcept {
    shared.defence.publish(defence_level(sysctl, pressure_on(shared.connections)));
}

void DefenceRound::run(SharedState& shared, const SysctlSpec& sysctl, TimePoint now) noexcept {
    if (now < next_) return;
    next_ = now + kInterval;
    publish_level(shared, sysctl);
    if (!shared.defence.read().drop_entry) return;
    drop_connections(shared, to_tick(now));
    drop_templates(shared, to_tick(now));
}

void DefenceRound::drop_connections(SharedState& shared, Tick now) noexcept {
    ConnectionTable& table = shared.connections;
    connection_cursor_ = table.visit(
        connection_cursor_, share_of(table.capacity()),
        [this, &table, &shared, now](ConnectionIndex index, const Connection& connection,
                                     ConnectionState state) {
            if (dropper_.drops(state, elapsed(connection.last_seen(), now))) {
                table.remove(shared.control(), index);
            }
        });
}

// A template that no established connection ever confirmed and on which none hangs.
void DefenceRound::drop_templates(SharedState& shared, Tick now) noexcept {
    PersistenceTable& table = shared.templates;
    template_cursor_ = table.visit(template_cursor_, share_of(table.capacity()), now,
                                   [&table, &shared](const TemplateView& view) {
                                       if (!view.assured && view.connections == 0) {
                                           table.make_unreachable(shared.control(), view.index);
                                       }
                                   });
}

}  // namespace pollux::lb
