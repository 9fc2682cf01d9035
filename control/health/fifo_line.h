// SPDX-License-Identifier: Apache-2.0
#pragma once

// The lines of lvs_notify_fifo, as keepalived writes them:
//   VS [10.0.0.1]:tcp:80 UP
//   RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN
// With a mark "FWM 3" stands for the service. Pure.

#include <string>

#include "control/health/health_board.h"

namespace pollux::control {

// With its newline; empty for changes that have no line (weight, held).
[[nodiscard]] std::string fifo_line(const HealthChange& change);

}  // namespace pollux::control
