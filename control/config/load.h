// SPDX-License-Identifier: Apache-2.0
#pragma once

// load_config: file -> Config or the list of what is wrong with it. Reads the file, its includes
// and its secret files, nothing else of the host; needs no root, hugepages or NIC. Control thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"
#include "control/config/diagnostic.h"

namespace pollux::control {

struct LoadOptions {
    std::string node;  // for `when = { node = ... }`; empty: global.router_id, else the host name
    // Value of ${CREDENTIALS_DIRECTORY}; empty: from the environment.
    std::string credentials_directory;
    // A secret file that cannot be read is an error; false to check a file on another machine.
    bool require_secrets = true;
    // 0600 files hold the secrets: off only for text that is not in a file.
    bool check_secret_permissions = true;
    // The file must be one that has an end, as includes must. False: a pipe or /dev/stdin will do,
    // and is waited for.
    bool only_regular = false;
};

struct LoadResult {
    std::optional<Config> config;  // set if there is no error
    std::vector<Diagnostic>
        diagnostics;         // errors and warnings, by file and line; at most 20 errors
    std::size_t errors = 0;  // also those beyond the 20
    std::size_t warnings = 0;
    bool unreadable = false;         // the file itself could not be read
    std::vector<std::string> files;  // read, in order
};

LoadResult load_config(const std::string& path, const LoadOptions& options = {});

// The same for text; `name` stands for the path in messages. Includes are relative to the current
// directory.
LoadResult load_config_text(std::string_view text, const std::string& name,
                            const LoadOptions& options = {});

// What only this host can tell: devices, users, groups, scripts (present, executable, path safe),
// hugepages, CPUs. At start and with `check --online`.
std::vector<Diagnostic> check_online(const Config& config);

}  // namespace pollux::control
