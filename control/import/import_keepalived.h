// SPDX-License-Identifier: Apache-2.0
#pragma once

// keepalived.conf -> TOML. Never a guess: what keepalived would silently change is an error that
// states both readings. The rules are in docs/migration.md.

#include <string>
#include <vector>

#include "control/import/import_types.h"

namespace pollux::control {

// Reads the files through `host`, as one configuration. Does not judge the result by the rules of
// the configuration: that is `pollux check`.
ImportResult import_keepalived(const std::vector<std::string>& paths, const ImportOptions& options,
                               const ImportHost& host);

}  // namespace pollux::control
