// SPDX-License-Identifier: Apache-2.0
#pragma once

// A decision as one line of JSON (schema: docs/operating.md).

#include <span>
#include <string>
#include <vector>

#include "tools/replay/replay.h"

namespace pollux::replay {

// `names` of the ports by PortId.
[[nodiscard]] std::string to_json_line(const Decision& decision, const InputFrame& input,
                                       std::span<const std::string> names);

}  // namespace pollux::replay
