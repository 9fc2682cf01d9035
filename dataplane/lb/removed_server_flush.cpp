// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/removed_server_flush.h"

namespace pollux::lb {
namespace {

bool is_gone(const SharedState& shared, RealServerId id) noexcept {
    const RealServer* server = shared.snapshot.read()->find_server(id);
    return server == nullptr || !server->present;
}

std::uint32_t flush_connections(SharedState& shared, std::uint32_t cursor, std::uint32_t budget) {
    return shared.connections.visit(
        cursor, budget,
        [&shared](ConnectionIndex index, const Connection& connection, ConnectionState) {
            if (!is_gone(shared, connection.server())) return;
            shared.connections.remove(shared.control(), index);
        });
}

// Their connections have gone before.
std::uint32_t flush_templates(SharedState& shared, std::uint32_t cursor, Tick now,
                              std::uint32_t budget) {
    return shared.templates.visit(cursor, budget, now, [&shared](const TemplateView& view) {
        if (!is_gone(shared, view.server)) return;
        shared.templates.remove_unused(shared.control(), view.index);
    });
}

}  // namespace

void RemovedServerFlush::request(std::uint64_t generation) noexcept {
    requested_ = generation;
    stage_ = Stage::Connections;
    cursor_ = 0;
}

void RemovedServerFlush::run(SharedState& shared, std::uint64_t oldest, Tick now,
                             std::uint32_t budget) {
    if (stage_ == Stage::Idle || oldest < requested_ || budget == 0) return;
    if (stage_ == Stage::Connections) {
        cursor_ = flush_connections(shared, cursor_, budget);
        if (cursor_ == 0) stage_ = Stage::Templates;
        return;
    }
    cursor_ = flush_templates(shared, cursor_, now, budget);
    if (cursor_ == 0) stage_ = Stage::Idle;
}

}  // namespace pollux::lb
