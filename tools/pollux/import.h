// SPDX-License-Identifier: Apache-2.0
#pragma once

// `pollux import keepalived|ipvsadm FILE`, `pollux import keywords`: the command around
// control/import.

#include <iosfwd>
#include <string>
#include <vector>

namespace pollux::cli {

inline constexpr const char* kImportUsage =
    "keepalived|ipvsadm|keywords [--port NAME=DEVICE]... [--address NAME=ADDRESS/LENGTH]... "
    "[--config-id ID] [--lenient] [--verbose] [-o FILE] FILE...";

// Returns 0 imported, 1 refused, 3 a file is not readable. The TOML goes to `out` or to -o, notes
// go to `err`.
int run_import(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

}  // namespace pollux::cli
