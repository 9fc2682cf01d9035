// SPDX-License-Identifier: Apache-2.0
#pragma once

// The schema as text for people: comments of configs/reference.toml and `pollux help TABLE`. Pure.

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "control/config/schema.h"

namespace pollux::control {

// The comment lines above a key, without "# ": what it is for; type and range, default, change.
std::vector<std::string> row_comment(const KeyRow& row);

// args: nothing (lists the tables), a table ("vrrp_instance", "dpdk.port"), or a key, with or
// without its table. Returns 0, or 1 if nothing has that name.
int run_config_help(std::span<const std::string> args, std::ostream& out, std::ostream& err);

}  // namespace pollux::control
