// SPDX-License-Identifier: Apache-2.0
#include "control/director/reload_plan.h"

#include <utility>

#include "control/director/unavailable.h"
#include "control/spec/spec_builder.h"

namespace pollux::control {

ReloadPlan plan_reload(const Config& before, std::shared_ptr<const Config> next) {
    ReloadPlan plan;
    plan.diff = diff_configs(before, *next);
    plan.available = check_available(*next);
    plan.server_addresses = server_addresses(*next);
    plan.removed = removed_servers(before.virtual_servers, next->virtual_servers);
    plan.config = std::move(next);
    return plan;
}

}  // namespace pollux::control
