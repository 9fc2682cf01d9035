// SPDX-License-Identifier: Apache-2.0
#pragma once

// What makes two checks the same: one that several services ask for runs once. Pure.

#include <string>
#include <string_view>

#include "control/config/config_service.h"

namespace pollux::control {

// Equal for equal checks of the same server, whatever service they stand in.
[[nodiscard]] std::string check_key(const CheckConfig& check);

// The file's word: "TCP_CHECK".
[[nodiscard]] std::string_view to_string(CheckType type);

// "TCP_CHECK 10.0.0.2:80", "MISC_CHECK /etc/pollux/check.sh a b", "FILE_CHECK maintenance".
[[nodiscard]] std::string describe(const CheckConfig& check);

}  // namespace pollux::control
