// SPDX-License-Identifier: Apache-2.0
#include "control/loop/background_work.h"

#include <csignal>
#include <utility>

#include <pthread.h>
#include <sys/resource.h>

namespace pollux::control {
namespace {

// The thread may share the control core's CPU: the loop goes first.
constexpr int kNice = 10;

// Signals are the control thread's: a thread inherits the mask that is set when it starts.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

}  // namespace

BackgroundWork::BackgroundWork(EventLoop& loop) : loop_(&loop) {}

BackgroundWork::~BackgroundWork() {
    current_.reset();
    if (thread_.joinable()) thread_.join();
}

void BackgroundWork::start(std::function<void()> work, EventLoop::Callback done) {
    queue_.push_back({std::move(work), std::move(done)});
    if (!running_) next();
}

void BackgroundWork::next() {
    Piece piece = std::move(queue_.front());
    queue_.pop_front();
    done_ = std::move(piece.done);
    running_ = true;
    current_ = std::make_shared<bool>(true);
    const SignalsBlocked blocked;
    thread_ = std::thread([this, loop = loop_, still = std::weak_ptr<bool>(current_),
                           work = std::move(piece.work)]() mutable {
        // Linux: of the calling thread alone.
        setpriority(PRIO_PROCESS, 0, kNice);
        work();
        work = nullptr;  // what it held is freed here
        loop->post([this, still] {
            if (!still.expired()) finished();
        });
    });
}

void BackgroundWork::complete() {
    while (running_) finished();
}

void BackgroundWork::finished() {
    thread_.join();
    current_.reset();
    running_ = false;
    const EventLoop::Callback done = std::exchange(done_, {});
    if (!queue_.empty()) next();
    if (done) done();
}

}  // namespace pollux::control
