// SPDX-License-Identifier: Apache-2.0
#pragma once

// [log] of the configuration as the log's own options. Pure.

#include "control/config/config.h"
#include "control/log/log.h"

namespace pollux::control {

[[nodiscard]] log::Level to_log_level(LogLevel level);
[[nodiscard]] log::Options to_log_options(const LogConfig& config);

}  // namespace pollux::control
