// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a reload would change: one line per change for the log and the operator, and the
// restart-only keys that differ, which make the reload impossible. Pure; control thread.

#include <string>
#include <vector>

#include "control/config/config.h"

namespace pollux::control {

struct ConfigDiff {
    // For example `dpdk.worker_lcores`, `dpdk.port "wan" mtu`.
    std::vector<std::string> restart_only;
    // For example `virtual_server TCP 10.0.0.1:80: real_server 10.0.0.2:80 weight 1 -> 2`.
    std::vector<std::string> changes;
};

[[nodiscard]] ConfigDiff diff_configs(const Config& before, const Config& after);

}  // namespace pollux::control
