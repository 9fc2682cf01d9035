// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reloader: SIGHUP and `pollux reload`. Reads the file again and hands a good configuration to the
// Director; can take the last reload back, also by itself when nobody confirms it. Reading, judging
// and comparing happen on a thread of their own: a large file delays no advertisement. Control
// thread.

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/config/load.h"
#include "control/director/director.h"
#include "control/director/log_warnings.h"
#include "control/director/reload_plan.h"
#include "control/loop/background_work.h"

namespace pollux::control {

class Reloader {
  public:
    struct Outcome {
        bool accepted = false;
        std::string messages;  // the configuration's errors and warnings, rendered
        WarningSummary warnings;
        Error error;  // if not accepted
        ConfigDiff diff;
    };

    using Done = std::function<void(const Outcome&)>;

    Reloader(Director& director, std::string path, LoadOptions options);

    // `done` is called from the loop with what came of it. With `confirm` > 0 the old configuration
    // comes back after that time unless confirm() is called or nothing has changed.
    void reload(std::chrono::seconds confirm, RuntimeChanges fate, Done done);
    // As a signal asks for it: the outcome is logged. One that waits already will read the same
    // file.
    void reload_unasked();
    // What reload() would do.
    void preview(RuntimeChanges fate, Done done);
    // Error: nothing waits for it.
    Status confirm();
    // Back to the configuration before the last reload. Refused: there is none.
    void rollback(Done done);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] bool waits_for_confirmation() const { return confirm_timer_.active(); }

  private:
    // What the thread makes.
    struct Candidate {
        std::optional<ReloadPlan> plan;         // not set: refused
        std::shared_ptr<const Config> against;  // that the plan starts from
        Outcome outcome;
    };
    using Job = std::function<void()>;

    // One at a time: each job ends with next_job(), so that none starts from a configuration that
    // another is about to replace.
    void enqueue(Job job);
    void next_job();
    // Makes a candidate of the file on the thread, then calls back.
    void read(std::function<void(Candidate&)> then);
    void plan(std::shared_ptr<const Config> config, std::function<void(Candidate&)> then);
    void apply(Candidate& candidate, RuntimeChanges fate, Done done);
    void keep_previous(std::shared_ptr<const Config> before);
    // Frees it on the thread: tens of thousands of servers take a while.
    template <typename Large>
    void discard(Large large) {
        background_.start([dead = std::move(large)] {}, {});
    }

    Director* director_;
    std::string path_;
    LoadOptions options_;
    std::shared_ptr<const Config> previous_;
    unsigned reloads_waiting_ = 0;  // of reload_unasked(), the running one counted
    std::deque<Job> jobs_;          // the first one runs
    Timer confirm_timer_;
    BackgroundWork background_;
};

}  // namespace pollux::control
