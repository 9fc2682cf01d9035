// SPDX-License-Identifier: Apache-2.0
// pollux: the operator's command.

#include <iostream>

#include "tools/pollux/cli.h"

int main(int argc, char** argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    return pollux::cli::run(args, std::cout, std::cerr);
}
