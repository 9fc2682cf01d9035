// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the control core asks the script helper to run, and what it hears back: plain values and
// their form on the socket between the two. Any process.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pollux::control {

enum class ScriptKind : std::uint8_t {
    Check,    // its exit status counts; the first 4 KiB of its output are kept
    Notify,   // told of something; outlives the daemon until its time is up
    Service,  // runs as long as the daemon (reads a FIFO)
    Observe,  // not a program: the helper looks at processes and files itself
};

struct ScriptJob {
    std::uint64_t id = 0;
    ScriptKind kind = ScriptKind::Check;
    std::vector<std::string> argv;       // argv[0] is an absolute path; Observe: see observe.h
    std::string user;                    // "user" or "user:group"
    std::chrono::nanoseconds timeout{};  // 0: none (Service)
    bool secure = true;                  // refuse what others than root could change
};

enum class ScriptEnd : std::uint8_t {
    Exited,     // `code` is the exit status
    Signalled,  // `code` is the signal
    TimedOut,   // killed
    Refused,    // never started: `output` says why
};

struct ScriptResult {
    std::uint64_t id = 0;
    ScriptEnd end = ScriptEnd::Refused;
    int code = 0;
    std::string output;

    [[nodiscard]] bool succeeded() const { return end == ScriptEnd::Exited && code == 0; }
};

// "exit status 1", "killed by signal 9", "timed out", "not run: ...".
[[nodiscard]] std::string describe(const ScriptResult& result);

// One message each. A message that does not decode is nullopt.
inline constexpr std::size_t kMaxScriptMessage = 60000;
[[nodiscard]] std::string encode(const ScriptJob& job);
[[nodiscard]] std::string encode(const ScriptResult& result);
[[nodiscard]] std::optional<ScriptJob> decode_job(std::string_view message);
[[nodiscard]] std::optional<ScriptResult> decode_result(std::string_view message);

}  // namespace pollux::control
