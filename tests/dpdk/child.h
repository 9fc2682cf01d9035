// SPDX-License-Identifier: Apache-2.0
#pragma once

// EAL starts once in a process and has threads: each test that starts it runs in a child of its
// own, inside a network namespace of its own that vanishes with the child, also after a crash.

#include <functional>

namespace pollux::test {

// Runs `body` in a child; expectations in it print there. True when all held and the child ended
// within the time limit. After a signal or time-out it says so.
bool passes_in_child(const std::function<void()>& body);

// True when `condition` becomes true before the deadline of 10 s.
bool eventually(const std::function<bool()>& condition);

// A command line for the shell, for example "ip link add ..."; must succeed.
void run_command(const char* command);

}  // namespace pollux::test
