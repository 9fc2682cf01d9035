// SPDX-License-Identifier: Apache-2.0
// polluxd: the daemon.

#include <iostream>
#include <string>
#include <vector>

#include "control/config/check.h"
#include "control/config/standard_output.h"
#include "control/daemon/daemon.h"
#include "control/daemon/options.h"

int main(int argc, char** argv) {
    namespace control = pollux::control;
    const control::ParsedOptions parsed = control::parse_options(argc, argv);
    if (parsed.exit) {
        (parsed.exit->code == 0 ? std::cout : std::cerr) << parsed.exit->text;
        return control::finish_output("polluxd", parsed.exit->code);
    }
    if (parsed.options.check) {
        std::vector<std::string> args;
        if (!parsed.options.node.empty()) args = {"--node", parsed.options.node};
        args.push_back(parsed.options.config);
        const int code = control::run_check(args, std::cout, std::cerr);
        return control::finish_output("polluxd", code);
    }
    return control::run_daemon(parsed.options);
}
