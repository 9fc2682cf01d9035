// SPDX-License-Identifier: Apache-2.0
#include "control/config/check.h"

#include <iostream>
#include <iterator>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "control/config/load.h"
#include "control/config/memory.h"
#include "control/config/render.h"

namespace pollux::control {

namespace {

constexpr int kGood = 0;
constexpr int kErrors = 1;
constexpr int kWarnings = 2;
constexpr int kUnreadable = 3;

constexpr std::string_view kUsage =
    "usage: check [--strict] [--online] [--json] [--node NAME] FILE\n"
    "  --strict     warnings count: exit status 2\n"
    "  --online     also check against this host: devices, users, scripts, hugepages\n"
    "  --json       messages as JSON\n"
    "  --node NAME  read the file as node NAME does (default: global.router_id, the host name)\n"
    "exit status: 0 good, 1 errors, 2 warnings with --strict, 3 file not readable\n";

struct Arguments {
    bool strict = false;
    bool online = false;
    bool json = false;
    std::string node;
    std::string file;
};

// An empty text, or what is wrong with the arguments.
std::string parse(std::span<const std::string> args, Arguments& result) {
    for (std::size_t i = 0; i < args.size(); ++i) {
        const std::string& arg = args[i];
        if (arg == "--strict") {
            result.strict = true;
        } else if (arg == "--online") {
            result.online = true;
        } else if (arg == "--json") {
            result.json = true;
        } else if (arg == "--node") {
            if (++i == args.size()) return "--node needs a name";
            result.node = args[i];
        } else if (arg.starts_with('-') && arg.size() > 1) {
            return "unknown option " + arg;
        } else if (!result.file.empty()) {
            return "only one file can be checked";
        } else {
            result.file = arg;
        }
    }
    return result.file.empty() ? "which file?" : "";
}

int exit_status(const LoadResult& result, bool strict) {
    if (result.unreadable) return kUnreadable;
    if (result.errors > 0) return kErrors;
    return strict && result.warnings > 0 ? kWarnings : kGood;
}

void add_online(LoadResult& result) {
    std::vector<Diagnostic> found = check_online(*result.config);
    for (const Diagnostic& diagnostic : found) {
        ++(diagnostic.severity == Severity::Error ? result.errors : result.warnings);
    }
    result.diagnostics.insert(result.diagnostics.end(), std::make_move_iterator(found.begin()),
                              std::make_move_iterator(found.end()));
}

}  // namespace

int run_check(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
    Arguments arguments;
    if (const std::string problem = parse(args, arguments); !problem.empty()) {
        err << "check: " << problem << "\n" << kUsage;
        return kErrors;
    }
    LoadOptions options;
    options.node = arguments.node;
    options.require_secrets = arguments.online;
    LoadResult result = load_config(arguments.file, options);
    if (arguments.online && result.config) add_online(result);
    if (arguments.json) {
        out << render_json(result);
    } else {
        const bool terminal = &out == &std::cout && ::isatty(STDOUT_FILENO) == 1;
        out << render_all(result, {terminal});
        if (result.config) out << memory_estimate(*result.config);
    }
    return exit_status(result, arguments.strict);
}

}  // namespace pollux::control
