// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starts one job as a process of its own: own process group, own user, nothing inherited. Script
// helper only (single-threaded, so that fork is safe).

#include <sys/types.h>

#include "control/scripts/script_job.h"
#include "dataplane/net/result.h"

namespace pollux::control {

struct ScriptChild {
    pid_t pid = -1;
    int output = -1;  // read end of its stdout and stderr; -1: they go to /dev/null
};

// Errors: no such user, not executable, changeable by others, no process.
[[nodiscard]] Result<ScriptChild> start_child(const ScriptJob& job);

}  // namespace pollux::control
