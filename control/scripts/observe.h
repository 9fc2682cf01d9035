// SPDX-License-Identifier: Apache-2.0
#pragma once

// Looking at processes and files for track_process and track_file. Runs in a child of the script
// helper, because /proc may be large and a file may lie on a dead network mount. Any process.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pollux::control {

struct ProcessQuery {
    std::string name;                    // /proc/PID/comm, or the whole first argument
    std::vector<std::string> arguments;  // all of them must follow it, in order
    bool full_command = false;           // compare /proc/PID/cmdline instead
};

struct Observation {
    std::vector<std::uint32_t> processes;            // running, by query
    std::vector<std::optional<std::int64_t>> files;  // nothing: not readable or not a number
};

// The arguments of an Observe job and back. Nothing: malformed.
struct ObserveQuery {
    std::vector<ProcessQuery> processes;
    std::vector<std::string> files;
};
[[nodiscard]] std::vector<std::string> to_arguments(const ObserveQuery& query);
[[nodiscard]] ObserveQuery from_arguments(const std::vector<std::string>& arguments);

// `proc` is the mount point of procfs. A shell's `echo 0 >file` empties the file before it writes:
// files without a number are read a second time after `wait_for_writers`, which blocks a moment
// and is not called when every file holds a number.
[[nodiscard]] Observation observe(const ObserveQuery& query, const std::string& proc,
                                  const std::function<void()>& wait_for_writers);

// One line per entry: what the child writes and the control core reads.
[[nodiscard]] std::string to_text(const Observation& observation);
[[nodiscard]] std::optional<Observation> parse_observation(const std::string& text,
                                                           const ObserveQuery& query);

}  // namespace pollux::control
