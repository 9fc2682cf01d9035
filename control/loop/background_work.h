// SPDX-License-Identifier: Apache-2.0
#pragma once

// BackgroundWork: what would keep the loop from its timers (reading a large file, freeing a large
// configuration) runs on a thread of its own, one piece at a time. The pieces share nothing with
// the control thread but what they were given and what they hand back: no locks. EventLoop::post is
// the one function of the loop that they call. Control thread.

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "control/loop/event_loop.h"

namespace pollux::control {

class BackgroundWork {
  public:
    explicit BackgroundWork(EventLoop& loop);
    // Waits for the piece that runs; pieces that wait are dropped, and nothing calls back.
    ~BackgroundWork();
    BackgroundWork(const BackgroundWork&) = delete;
    BackgroundWork& operator=(const BackgroundWork&) = delete;

    // `work` runs on the thread when those before it are done, then `done` from the loop.
    void start(std::function<void()> work, EventLoop::Callback done);

    // Waits until all pieces are done; their `done` is called from within. For the rare case that
    // something cannot wait for the loop.
    void complete();

    // Pieces that run or wait.
    [[nodiscard]] std::size_t pending() const { return queue_.size() + (running_ ? 1 : 0); }

  private:
    struct Piece {
        std::function<void()> work;
        EventLoop::Callback done;
    };

    void next();
    void finished();

    EventLoop* loop_;
    std::deque<Piece> queue_;
    EventLoop::Callback done_;  // of the piece that runs
    std::thread thread_;
    bool running_ = false;
    std::shared_ptr<bool> current_;  // of the piece that runs: what it posts finds it, or nothing
};

}  // namespace pollux::control
