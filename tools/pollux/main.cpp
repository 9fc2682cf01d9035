// SPDX-License-Identifier: Apache-2.0
// pollux: the operator's command. Under the name "ipvsadm" it is `pollux ipvs`.

#include <filesystem>
#include <iostream>

#include "control/config/standard_output.h"
#include "tools/pollux/cli.h"

int main(int argc, char** argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    const bool is_ipvsadm = argc > 0 && std::filesystem::path(argv[0]).filename() == "ipvsadm";
    const int code = is_ipvsadm ? pollux::cli::run_as_ipvsadm(args, std::cout, std::cerr)
                                : pollux::cli::run(args, std::cout, std::cerr);
    return pollux::control::finish_output(is_ipvsadm ? "ipvsadm" : "pollux", code);
}
