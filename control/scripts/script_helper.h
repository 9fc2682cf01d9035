// SPDX-License-Identifier: Apache-2.0
#pragma once

// The script helper: a small process, forked before EAL takes its memory and pins its threads, that
// runs every script. It enforces the time limits, kills whole process groups and reports each end.
// When the daemon is gone it ends checks and services at once, lets notifications finish in their
// time, and goes.

#include <sys/types.h>

#include "dataplane/net/result.h"

namespace pollux::control {

struct ScriptHelper {
    pid_t pid = -1;
    int socket = -1;  // SOCK_SEQPACKET, the daemon's end; the owner closes it
};

// Forks the helper. Call while the process has one thread.
[[nodiscard]] Result<ScriptHelper> fork_script_helper();

// The helper's life, until the other end of `socket` closes and all jobs are done.
void run_script_helper(int socket);

}  // namespace pollux::control
