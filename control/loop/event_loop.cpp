// SPDX-License-Identifier: Apache-2.0
#include "control/loop/event_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace pollux::control {

namespace asio = boost::asio;
using boost::system::error_code;

struct EventLoop::Impl {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work =
        asio::make_work_guard(context);
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
    impl_->context.restart();
    impl_->context.run();
}

void EventLoop::run_ready() {
    impl_->context.restart();
    impl_->context.poll();
}

void EventLoop::stop() {
    impl_->context.stop();
}
void EventLoop::post(Callback callback) {
    asio::post(impl_->context, std::move(callback));
}
asio::io_context& EventLoop::context() {
    return impl_->context;
}

// Completion handlers may still be queued when their object dies: each holds a shared_ptr to the
// Impl and looks at `generation`, which every change of plan increments.
struct Timer::Impl : std::enable_shared_from_this<Timer::Impl> {
    Impl(EventLoop& loop, EventLoop::Callback on_fire)
        : timer(loop.context()), callback(std::move(on_fire)) {}

    void wait() {
        timer.async_wait([self = shared_from_this(), turn = generation](error_code error) {
            if (!error) self->fire(turn);
        });
    }

    void fire(unsigned turn) {
        if (turn != generation) return;
        if (interval > std::chrono::nanoseconds::zero()) {
            const auto now = std::chrono::steady_clock::now();
            auto next = timer.expiry() + interval;
            if (next <= now) next = now + interval;
            timer.expires_at(next);
            wait();
        } else {
            active = false;
        }
        // A copy, because the callback may destroy the timer and with it the stored function.
        const auto call = callback;
        call();
    }

    asio::steady_timer timer;
    EventLoop::Callback callback;
    std::chrono::nanoseconds interval{};
    unsigned generation = 0;
    bool active = false;
};

Timer::Timer(EventLoop& loop, EventLoop::Callback callback)
    : impl_(std::make_shared<Impl>(loop, std::move(callback))) {}
Timer::~Timer() {
    cancel();
}

void Timer::start_once(std::chrono::nanoseconds delay) {
    cancel();
    impl_->active = true;
    impl_->timer.expires_after(delay);
    impl_->wait();
}

void Timer::start_every(std::chrono::nanoseconds interval) {
    cancel();
    impl_->active = true;
    impl_->interval = interval;
    impl_->timer.expires_after(interval);
    impl_->wait();
}

void Timer::cancel() {
    ++impl_->generation;
    impl_->interval = {};
    impl_->active = false;
    impl_->timer.cancel();
}

bool Timer::active() const {
    return impl_->active;
}

struct FdWatch::Impl : std::enable_shared_from_this<FdWatch::Impl> {
    struct Direction {
        asio::posix::descriptor_base::wait_type type;
        EventLoop::Callback callback;
        bool waiting = false;
    };

    Impl(EventLoop& loop, int fd) : descriptor(loop.context(), fd) {}

    void set(Direction& direction, EventLoop::Callback callback) {
        direction.callback = std::move(callback);
        if (direction.callback && !direction.waiting) wait(direction);
    }

    void wait(Direction& direction) {
        direction.waiting = true;
        descriptor.async_wait(direction.type,
                              [self = shared_from_this(), &direction](error_code error) {
                                  direction.waiting = false;
                                  if (error || self->closed || !direction.callback) return;
                                  const auto call = direction.callback;
                                  call();
                                  if (self->closed || direction.waiting) return;
                                  if (direction.callback) self->wait(direction);
                              });
    }

    asio::posix::stream_descriptor descriptor;
    Direction read{asio::posix::descriptor_base::wait_read, {}, false};
    Direction write{asio::posix::descriptor_base::wait_write, {}, false};
    bool closed = false;
};

FdWatch::FdWatch(EventLoop& loop, int fd) : impl_(std::make_shared<Impl>(loop, fd)) {}

FdWatch::~FdWatch() {
    impl_->closed = true;
    impl_->read.callback = nullptr;
    impl_->write.callback = nullptr;
    impl_->descriptor.release();
}

void FdWatch::on_readable(EventLoop::Callback callback) {
    impl_->set(impl_->read, std::move(callback));
}

void FdWatch::on_writable(EventLoop::Callback callback) {
    impl_->set(impl_->write, std::move(callback));
}

struct SignalWatch::Impl : std::enable_shared_from_this<SignalWatch::Impl> {
    Impl(EventLoop& loop, std::function<void(int)> on_signal)
        : set(loop.context()), callback(std::move(on_signal)) {}

    void wait() {
        set.async_wait([self = shared_from_this()](error_code error, int signal) {
            if (error || !self->callback) return;
            self->wait();
            self->callback(signal);
        });
    }

    asio::signal_set set;
    std::function<void(int)> callback;
};

SignalWatch::SignalWatch(EventLoop& loop, std::initializer_list<int> signals,
                         std::function<void(int)> callback)
    : impl_(std::make_shared<Impl>(loop, std::move(callback))) {
    for (const int signal : signals) impl_->set.add(signal);
    impl_->wait();
}

SignalWatch::~SignalWatch() {
    impl_->callback = nullptr;
    impl_->set.cancel();
}

}  // namespace pollux::control
