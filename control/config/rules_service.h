// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts of the service rules. Pure but for the reporter.

#include "control/config/config.h"
#include "control/config/report.h"

namespace pollux::control {

// Quorum and hysteresis against the weights of the servers.
void check_quorum(const VirtualServerConfig& service, Reporter& reporter);

// Members of each group.
void check_service_groups(const Config& config, Reporter& reporter);

// Each (family, protocol, address, port) and (family, fwmark) belongs to one service only.
void check_services_once(const Config& config, Reporter& reporter);

}  // namespace pollux::control
