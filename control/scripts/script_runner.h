// SPDX-License-Identifier: Apache-2.0
#pragma once

// ScriptRunner: the daemon's side of the script helper. Never blocks; a bounded number of checks
// runs at once, notifications do not wait for checks. Control thread.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/loop/event_loop.h"
#include "control/scripts/script_helper.h"
#include "control/scripts/script_job.h"

namespace pollux::control {

class ScriptRunner {
  public:
    using Done = std::function<void(const ScriptResult&)>;

    // Takes the helper's socket over.
    ScriptRunner(EventLoop& loop, ScriptHelper helper);
    ~ScriptRunner();
    ScriptRunner(const ScriptRunner&) = delete;
    ScriptRunner& operator=(const ScriptRunner&) = delete;

    // `checks`: at once, 1..1024. As many notifications may run besides.
    void set_limit(unsigned checks) { limit_ = checks; }

    // `job.id` is set here. `done` comes later from the loop, once; a job that the helper cannot
    // take any more, or does not answer for in time, ends as Refused.
    std::uint64_t run(ScriptJob job, Done done);
    // `done` will not be called; the script itself goes on.
    void forget(std::uint64_t id);

    [[nodiscard]] std::size_t running() const { return running_.size(); }
    [[nodiscard]] std::size_t waiting() const { return checks_.size() + notifications_.size(); }
    // False: the helper died; scripts do not run any more.
    [[nodiscard]] bool alive() const { return alive_; }

  private:
    struct Waiting {
        ScriptJob job;
        Done done;
    };
    using Clock = std::chrono::steady_clock;
    struct Running {
        ScriptKind kind{};
        Clock::time_point due;  // when the helper ought to have answered; max: it need not
        Done done;
    };

    void pump();
    void pump_queue(std::deque<Waiting>& queue, ScriptKind kind);
    bool send(const ScriptJob& job);
    void receive();
    void finish(const ScriptResult& result);
    void helper_died();
    void look_for_answers();
    void helper_is_silent();
    void refuse(Waiting job);
    [[nodiscard]] bool refuses(const ScriptJob& job) const;
    [[nodiscard]] std::size_t running(ScriptKind kind) const;

    EventLoop* loop_;
    ScriptHelper helper_;
    std::unique_ptr<FdWatch> watch_;
    Timer retry_;
    Timer patience_;  // while a job has a time limit
    unsigned limit_ = 32;
    bool alive_ = true;
    bool silent_ = false;  // it lives, but has let a job's time pass by far: stopped, for example
    unsigned late_looks_ = 0;
    std::uint64_t next_id_ = 1;
    std::deque<Waiting> checks_;
    std::deque<Waiting> notifications_;
    std::map<std::uint64_t, Running> running_;
};

}  // namespace pollux::control
