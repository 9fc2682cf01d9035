// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verb `connects` of pollux-bench: TCP connections a second that a bare loop opens and resets,
// with the system calls of a TCP_CHECK and nothing else. What health checks are measured against.
// Contract of verbs.h.

#include <span>
#include <string_view>

namespace pollux::bench {

int run_connects(std::span<const std::string_view> arguments);

}  // namespace pollux::bench
