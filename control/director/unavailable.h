// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a configuration may say and this version does not do yet. Control thread.

#include "control/config/config.h"
#include "dataplane/net/result.h"

namespace pollux::control {

// An error that names the first key whose feature is missing: a configuration is run as it is
// written or not at all. Asked at start and at reload; `check` accepts such a file.
[[nodiscard]] Status check_available(const Config& config);

}  // namespace pollux::control
