// SPDX-License-Identifier: Apache-2.0
#pragma once

// ReloadPlan: a new configuration with all that follows from it and the one in force alone. Made
// beside the control loop, for which tens of thousands of servers are too much at once. Pure.

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "control/config/config.h"
#include "control/director/config_diff.h"
#include "control/spec/server_states.h"
#include "dataplane/net/result.h"

namespace pollux::control {

struct ReloadPlan {
    std::shared_ptr<const Config> config;
    ConfigDiff diff;                 // from the one in force
    Status available = ok_status();  // of this version of polluxd
    // Of config; nothing: they are as before.
    std::optional<std::set<net::IpAddress>> server_addresses;
    std::vector<ServerKey> removed;   // servers that config does not have any more
    std::vector<ServerKey> unproven;  // new ones that start DOWN (alpha)
    std::vector<bool> kept;           // by service of config: as before, word for word
};

// Any thread. `before` is what is in force, and must still be when the plan is carried out.
[[nodiscard]] ReloadPlan plan_reload(const Config& before, std::shared_ptr<const Config> next);

}  // namespace pollux::control
