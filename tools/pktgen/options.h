// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of pollux-pktgen. Every key of [traffic], [search], [service] and [dpdk] is an
// option of the same name, which wins over the file. Main thread.

#include <span>
#include <string>

#include "dataplane/net/result.h"
#include "tools/pktgen/campaign.h"
#include "tools/pktgen/plan.h"

namespace pollux::pktgen {

enum class Verb : std::uint8_t { Run, Search, Check, Help };

struct CommandLine {
    Verb verb = Verb::Help;
    Plan plan;
    std::string json_file;  // "-": standard output; empty: none
    std::string notices;    // what the file's reading had to say, errors among it
};

// Reads the words behind the program's name, and the file that they name. Errors: what is not
// understood; a file with errors (messages in the error, ready to print).
[[nodiscard]] Result<CommandLine> parse_command_line(std::span<const std::string> words);

[[nodiscard]] std::string usage_text();

}  // namespace pollux::pktgen
