// SPDX-License-Identifier: Apache-2.0
#include "control/health/server_notifier.h"

#include <chrono>
#include <utility>

#include "control/log/log.h"

namespace pollux::control {
namespace {

// keepalived waits for ever; a command that takes longer than this hangs.
constexpr auto kCommandTimeout = std::chrono::seconds(60);

}  // namespace

void ServerNotifier::notify(const std::string& subject, const Command& command) {
    const auto known = subjects_.find(subject);
    if (known != subjects_.end() && known->second.running) {
        if (known->second.waiting && !known->second.waiting->empty()) ++replaced_;
        known->second.waiting = command;
        return;
    }
    if (!command.empty()) run(subject, command);
}

void ServerNotifier::run(const std::string& subject, const Command& command) {
    subjects_[subject] = {true, std::nullopt};
    ++runs_;
    ScriptJob job;
    job.kind = ScriptKind::Notify;
    job.argv = command.argv;
    job.user = settings_.user;
    job.timeout = kCommandTimeout;
    job.secure = settings_.enable_script_security;
    const std::string program = command.argv.front();
    scripts_->run(std::move(job), [this, subject, program](const ScriptResult& result) {
        if (!result.succeeded()) {
            ++failures_;
            log::warning(
                "notify command failed",
                {{"subject", subject}, {"command", program}, {"result", describe(result)}});
        }
        const auto done = subjects_.extract(subject);
        if (!done || !done.mapped().waiting || done.mapped().waiting->empty()) return;
        run(subject, *done.mapped().waiting);
    });
}

void ServerNotifier::flush() {
    for (auto& [subject, state] : subjects_) {
        const std::optional<Command> waiting = std::exchange(state.waiting, std::nullopt);
        if (waiting && !waiting->empty()) run(subject, *waiting);
    }
}

}  // namespace pollux::control
