// SPDX-License-Identifier: Apache-2.0
#pragma once

// Script security: a program that the daemon runs must not be changeable by others than root, along
// its whole path. Checked when it is run, on what is opened then. Script helper.

#include <string>

#include "dataplane/net/result.h"

namespace pollux::control {

// Each directory on the way and the file itself belong to root and are writable by nobody else
// (sticky directories and root's own group excepted); symbolic links belong to root, too. Because
// no one but root can then exchange any part of the path, it may be executed by its name.
[[nodiscard]] Status check_script_path(const std::string& path);

}  // namespace pollux::control
