// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/shared_state.h"

#include <utility>

#include "dataplane/lb/load_count.h"
#include "dataplane/lb/snapshot_builder.h"

namespace pollux::lb {
namespace {

constexpr std::string_view kServerAddresses = "server addresses";
constexpr std::string_view kLocalAddresses = "local addresses";

ConnectionTableLimits connection_limits(const DataPlaneLimits& limits) {
    return {limits.max_connections, limits.workers + 1, limits.embryonic_share, limits.hash_secret};
}

PersistenceTableLimits template_limits(const DataPlaneLimits& limits) {
    return {limits.max_templates, limits.workers + 1, limits.hash_secret};
}

void connection_removed(void* context, Participant by, ConnectionIndex index,
                        const Connection& connection, ConnectionState last) noexcept {
    auto& shared = *static_cast<SharedState*>(context);
    count_removed(shared, connection.server(), last);
    if (connection.persistence() != kNoTemplate) {
        shared.templates.release(connection.persistence(), shared.clock.read());
    }
}

void template_removed(void* context, Participant by, const TemplateView& last) noexcept {
    auto& shared = *static_cast<SharedState*>(context);
    count_template_removed(shared, last.server);
}

}  // namespace

RegionPlan SharedState::plan(const DataPlaneLimits& limits) {
    RegionPlan plan;
    plan.add<AddressRecord>(kServerAddresses, limits.max_servers);
    plan.add<AddressRecord>(kLocalAddresses, kMaxLocalAddresses);
    ConnectionTable::plan(plan, connection_limits(limits));
    PersistenceTable::plan(plan, template_limits(limits));
    return plan;
}

SharedState::SharedState(const DataPlaneLimits& wanted, MemoryRegion&& memory)
    : limits(wanted),
      region(std::move(memory)),
      loads(wanted.max_servers),
      quiescence(wanted.workers + 1),
      server_addresses(region.section<AddressRecord>(kServerAddresses)),
      local_addresses(region.section<AddressRecord>(kLocalAddresses)),
      templates(template_limits(wanted), region, quiescence),
      connections(connection_limits(wanted), region, quiescence, server_addresses, local_addresses),
      path_mtu_reports(wanted.max_servers) {
    connections.set_removal_hook({this, connection_removed});
    templates.set_removal_hook({this, template_removed});
}

}  // namespace pollux::lb
