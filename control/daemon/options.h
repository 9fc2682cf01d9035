// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of polluxd.

#include <optional>
#include <string>

#include "control/log/log.h"

namespace pollux::control {

inline constexpr const char* kDefaultConfigPath = "/etc/pollux/pollux.toml";

struct DaemonOptions {
    std::string config = kDefaultConfigPath;
    std::string node;                     // for `when = { node = ... }`
    bool check = false;                   // only look at the file
    std::optional<log::Level> log_level;  // beats [log] level
};

// What to do instead of running: text for stdout or stderr and the exit code.
struct EarlyExit {
    int code = 0;
    std::string text;
};

struct ParsedOptions {
    DaemonOptions options;
    std::optional<EarlyExit> exit;  // --help, --version, misuse
};

[[nodiscard]] ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace pollux::control
