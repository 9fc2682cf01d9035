// SPDX-License-Identifier: Apache-2.0
#include "control/director/reload_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "control/director/unavailable.h"
#include "control/spec/spec_builder.h"

namespace pollux::control {
namespace {

using Services = std::vector<VirtualServerConfig>;
using ServicesByKey = std::map<VirtualServerKey, const VirtualServerConfig*>;

bool starts_down(const RealServerConfig& server) {
    return std::ranges::any_of(server.check, [](const CheckConfig& check) { return check.alpha; });
}

void find_unproven(const VirtualServerConfig* before, const VirtualServerConfig& after,
                   std::vector<ServerKey>& unproven) {
    std::set<ServerKey> known;
    if (before != nullptr) {
        for (const RealServerConfig& server : before->real_server) {
            known.insert(ServerKey::of(*before, server));
        }
    }
    for (const RealServerConfig& server : after.real_server) {
        if (!starts_down(server)) continue;
        ServerKey key = ServerKey::of(after, server);
        if (!known.contains(key)) unproven.push_back(std::move(key));
    }
}

void compare_services(const Services& before, const Services& after, ReloadPlan& plan) {
    ServicesByKey old;
    for (const VirtualServerConfig& service : before) old[VirtualServerKey::of(service)] = &service;
    for (const VirtualServerConfig& service : after) {
        const auto found = old.find(VirtualServerKey::of(service));
        const VirtualServerConfig* known = found == old.end() ? nullptr : found->second;
        plan.kept.push_back(known != nullptr && *known == service);
        if (!plan.kept.back()) find_unproven(known, service, plan.unproven);
    }
}

}  // namespace

ReloadPlan plan_reload(const Config& before, std::shared_ptr<const Config> next) {
    ReloadPlan plan;
    plan.diff = diff_configs(before, *next);
    plan.available = check_available(*next);
    if (auto addresses = server_addresses(*next); addresses != server_addresses(before)) {
        plan.server_addresses = std::move(addresses);
    }
    plan.removed = removed_servers(before.virtual_servers, next->virtual_servers);
    compare_services(before.virtual_servers, next->virtual_servers, plan);
    plan.config = std::move(next);
    return plan;
}

}  // namespace pollux::control
