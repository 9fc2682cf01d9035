// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last thing that a program does with its standard output: find out whether everything that
// std::cout got has been written. Main thread.

#include <string_view>

namespace pollux::control {

// Returns `code`, or 1 instead of 0 when something could not be written (a full disk); a message on
// standard error says so. A reader that has gone (`| head`) is no failure.
[[nodiscard]] int finish_output(std::string_view program, int code);

}  // namespace pollux::control
