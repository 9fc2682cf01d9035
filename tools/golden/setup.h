// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a recording says about its director: the "director" object and the "pre" lines.

#include <string>

#include "tools/golden/recording.h"
#include "tools/golden/testbed.h"

namespace pollux::golden {

// Throws Difference for a key that the runner does not know.
[[nodiscard]] TestbedOptions options_of(const Json& recording);

// The two forms of "pre" lines: a local route becomes an owned prefix, an iptables rule that sets a
// mark becomes a [[mark]] rule. Throws Difference for any other line.
void apply_pre_line(const std::string& line, Testbed& bed);

}  // namespace pollux::golden
