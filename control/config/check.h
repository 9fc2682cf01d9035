// SPDX-License-Identifier: Apache-2.0
#pragma once

// `pollux check FILE` and `polluxd --check FILE`: the whole command behind both. Control thread.

#include <iosfwd>
#include <span>
#include <string>

namespace pollux::control {

// args: [--strict] [--online] [--json] [--node NAME] FILE. Messages go to `out`, misuse to `err`.
// Returns 0 good, 1 errors (also misuse), 2 warnings with --strict, 3 the file is not readable.
int run_check(std::span<const std::string> args, std::ostream& out, std::ostream& err);

}  // namespace pollux::control
