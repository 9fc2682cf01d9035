// SPDX-License-Identifier: Apache-2.0
#pragma once

// The warnings of a configuration that is taken all the same, as one line of the log.

#include <cstddef>
#include <string>

#include "control/config/load.h"

namespace pollux::control {

struct WarningSummary {
    std::size_t count = 0;
    std::string text;  // the first 20, rendered
};

// Any thread.
[[nodiscard]] WarningSummary summarize_warnings(const LoadResult& loaded);

// Logs nothing if there are none. Control thread.
void log_warnings(const WarningSummary& warnings);

}  // namespace pollux::control
