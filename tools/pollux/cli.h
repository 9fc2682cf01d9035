// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of `pollux`: its sub-commands as rows of a table, and the way from words to a
// request.

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/pollux/render.h"

namespace pollux::cli {

enum ExitCode : int { kOk = 0, kRefused = 1, kNotConnected = 2 };

inline constexpr const char* kDefaultSocket = "/run/pollux/control.sock";

enum class OptionKind : unsigned char {
    Flag,      // true
    Text,      // as it is
    Number,    // an integer
    Seconds,   // "60s", "5m", "1h"
    Endpoint,  // ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT: members KEY and KEY_port
};

struct OptionRow {
    std::string_view name;  // "--limit"; a positional argument has no dashes
    std::string_view key;   // member of the request's arguments
    OptionKind kind;
    std::string_view help;
};

// How many rows a paged command shows without --limit.
inline constexpr std::size_t kDefaultLimit = 100;

// How much of a paged answer is shown.
enum class Extent : unsigned char {
    UntilLimit,   // rows up to --limit
    AllServices,  // whole services, all of one state of the table
};

// A sub-command that the daemon answers.
struct CommandRow {
    std::string_view words;    // "show services"
    std::string_view request;  // the daemon's command
    std::string_view help;
    std::span<const OptionRow> options;
    Renderer render;
    // Arguments that the command itself stands for, as JSON text ("server drain": weight 0).
    std::string_view fixed = "{}";
    // The member of the data that comes in pieces: asked on from `next` until the limit.
    std::string_view paged = "";
    Extent extent = Extent::UntilLimit;
};

[[nodiscard]] std::span<const CommandRow> command_rows();

// The row whose words `args` starts with, the longest first; null: none.
[[nodiscard]] const CommandRow* find_row(const std::vector<std::string>& args);

// The request's arguments from the words after the command's.
Result<Json> parse_arguments(const CommandRow& row, std::span<const std::string> words);

// The whole program; returns the exit code.
int run(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

// The program under the name "ipvsadm": `args` are ipvsadm's, the socket is $POLLUX_SOCKET or the
// usual one.
int run_as_ipvsadm(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

}  // namespace pollux::cli
