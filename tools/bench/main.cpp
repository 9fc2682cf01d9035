// SPDX-License-Identifier: Apache-2.0
// pollux-bench: the instrument for cycles per packet and per table operation.
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/connect_floor.h"
#include "tools/bench/more_verbs.h"
#include "tools/bench/scheduler_bench.h"
#include "tools/bench/table_bench.h"
#include "tools/bench/verbs.h"

namespace {

struct Verb {
    std::string_view name;
    std::string_view help;
    int (*run)(std::span<const std::string_view> arguments);
};

constexpr Verb kVerbs[] = {
    {"report", "every method and size beside its goal: [--json FILE] [--large]",
     pollux::bench::run_report},
    {"pipeline", "cost of a packet of an established connection", pollux::bench::run_pipeline},
    {"connect", "cost of a new connection, or with --life of its whole life",
     pollux::bench::run_connect},
    {"connects", "TCP connections a second of a bare loop: ADDRESS COUNT SECONDS",
     pollux::bench::run_connects},
    {"compare", "two reports side by side: BEFORE.json AFTER.json", pollux::bench::run_compare},
    {"table", "cost of the connection table: lookup, insert, remove, sweep",
     pollux::bench::run_table},
    {"scheduler", "cost of a choice with each scheduler, disruption of the hashing ones",
     pollux::bench::run_scheduler},
    {"flood", "a SYN flood beside established traffic: cost and survival",
     pollux::bench::run_flood},
    {"expire", "what connections cost that expire (--flows) or are idle: the worker's iterations",
     pollux::bench::run_expire},
    {"scale", "several workers on one table", pollux::bench::run_scale},
    {"plot", "draw results: RESULT.json... [--html FILE] [--svg FOLDER]", pollux::bench::run_plot},
};

void print_usage(std::FILE* stream) {
    std::fprintf(stream, "usage: pollux-bench VERB [options]\n");
    for (const Verb& verb : kVerbs) {
        std::fprintf(stream, "  %-10s %s\n", std::string(verb.name).c_str(),
                     std::string(verb.help).c_str());
    }
}

int misuse() {
    print_usage(stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (arguments.empty()) return misuse();
    if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
        print_usage(stdout);
        return 0;
    }
    for (const Verb& verb : kVerbs) {
        if (verb.name == arguments[0]) return verb.run(std::span(arguments).subspan(1));
    }
    return misuse();
}
