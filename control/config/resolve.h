// SPDX-License-Identifier: Apache-2.0
#pragma once

// Draft -> Config: fills in what is inherited, derived or read from secret files. Control thread.

#include <string>

#include "control/config/draft.h"
#include "control/config/report.h"
#include "control/config/secrets.h"

namespace pollux::control {

// `host_name`: this host's, for what is named after it.
Config resolve(Draft draft, const std::string& host_name, const SecretOptions& secrets,
               Reporter& reporter);

}  // namespace pollux::control
