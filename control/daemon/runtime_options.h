// SPDX-License-Identifier: Apache-2.0
#pragma once

// [dpdk] and [[dpdk.port]] of the configuration as the runtime's own options. Pure.

#include "control/config/config.h"
#include "dataplane/dpdk/runtime.h"

namespace pollux::control {

[[nodiscard]] dpdk::RuntimeOptions to_runtime_options(const Config& config);

}  // namespace pollux::control
