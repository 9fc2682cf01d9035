// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerNotifier: runs notify_up, notify_down, quorum_up and quorum_down, one at a time for each
// subject. While one runs, only the latest of what comes is kept: a script must never tell an old
// state after a new one. Control thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "control/config/config.h"
#include "control/scripts/script_runner.h"

namespace pollux::control {

class ServerNotifier {
  public:
    explicit ServerNotifier(ScriptRunner& scripts) : scripts_(&scripts) {}

    void configure(const Config& config) { settings_ = config.global.scripts; }

    // An empty command still replaces one that waits.
    void notify(const std::string& subject, const Command& command);
    // The daemon stops: what waits starts at once.
    void flush();

    [[nodiscard]] std::uint64_t runs() const { return runs_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    [[nodiscard]] std::uint64_t replaced() const { return replaced_; }

  private:
    struct Subject {
        bool running = false;
        std::optional<Command> waiting;
    };
    void run(const std::string& subject, const Command& command);

    ScriptRunner* scripts_;
    ScriptsConfig settings_;
    std::map<std::string, Subject> subjects_;  // only those with something to do
    std::uint64_t runs_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t replaced_ = 0;
};

}  // namespace pollux::control
