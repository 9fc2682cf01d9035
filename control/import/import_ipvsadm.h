// SPDX-License-Identifier: Apache-2.0
#pragma once

// The output of `ipvsadm -S -n` (or a script of ipvsadm commands) -> TOML.

#include <string>
#include <string_view>

#include "control/import/import_types.h"

namespace pollux::control {

// `name` stands for the file in messages. What ipvsadm would refuse is refused here too.
ImportResult import_ipvsadm(std::string_view text, const std::string& name,
                            const ImportOptions& options);

}  // namespace pollux::control
