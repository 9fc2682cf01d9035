// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names in a command line become numbers, so that whoever runs the command needs no name service.
// Any thread; the resolver may wait.

#include <span>
#include <string>
#include <vector>

#include "control/ipvs/command.h"

namespace pollux::control::ipvs {

// The same command line with hosts and ports of -t, -u, --sctp-service and -r as numbers. What the
// resolver does not know, and a line that is wrong, stays for parse_command to refuse.
[[nodiscard]] std::vector<std::string> numeric_arguments(std::span<const std::string> arguments,
                                                         const NameResolver& resolver);

// The same for each line of what -R reads.
[[nodiscard]] std::string numeric_lines(const std::string& input, const NameResolver& resolver);

}  // namespace pollux::control::ipvs
