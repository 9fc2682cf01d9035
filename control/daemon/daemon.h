// SPDX-License-Identifier: Apache-2.0
#pragma once

// The life of polluxd: start in an order in which each failure leaves nothing behind, run, stop.

#include "control/daemon/options.h"

namespace pollux::control {

enum ExitCode : int {
    kExitGood = 0,
    kExitBadConfiguration = 1,  // also a misused command line
    kExitCannotStart = 3,       // the host lacks something, or the configuration is not readable
};

// Returns the exit code.
int run_daemon(const DaemonOptions& options);

}  // namespace pollux::control
