// SPDX-License-Identifier: Apache-2.0
#include "control/loop/event_loop.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

namespace pollux::control {

namespace asio = boost::asio;
using boost::system::error_code;

// Keeps the greatest value of all time and of the current and the last window, and lets urgent
// timers in between callbacks.
class LoopMeter {
  public:
    using Clock = std::chrono::steady_clock;

    // Runs the callback and takes its time.
    template <typename Callback>
    void run(const Callback& callback) {
        const Clock::time_point start = Clock::now();
        callback();
        const Clock::time_point end = Clock::now();
        ++callbacks_;
        turn_window(end);
        callback_.add(end - start);
        for (std::size_t i = 0; i < longer_.size(); ++i) {
            longer_[i] += end - start > kLongCallbacks[i] ? 1 : 0;
        }
        if (end >= urgent_due_ && !in_urgent_) run_urgent(end);
    }
    void add(UrgentTimer& timer) { urgent_.push_back(&timer); }
    void remove(const UrgentTimer& timer) {
        std::erase(urgent_, &timer);
        find_urgent_due();
    }
    void find_urgent_due() {
        urgent_due_ = Clock::time_point::max();
        for (const UrgentTimer* timer : urgent_) urgent_due_ = std::min(urgent_due_, timer->due_);
    }
    void timer_fired(Clock::time_point due, Clock::time_point now) {
        turn_window(now);
        if (now > due) timer_.add(now - due);
    }
    [[nodiscard]] LoopStats stats() {
        turn_window(Clock::now());
        return {callback_.ever, std::max(callback_.current, callback_.last),
                timer_.ever,    std::max(timer_.current, timer_.last),
                callbacks_,     longer_};
    }

  private:
    static constexpr auto kWindow = std::chrono::minutes(1);
    struct Greatest {
        std::chrono::nanoseconds ever{}, current{}, last{};
        void add(std::chrono::nanoseconds value) {
            ever = std::max(ever, value);
            current = std::max(current, value);
        }
        void turn(bool gap) {
            last = gap ? std::chrono::nanoseconds{} : current;
            current = {};
        }
    };

    // Those that are due at `now`, each once, the earliest first. They may come, go and be started
    // meanwhile.
    void run_urgent(Clock::time_point now) {
        in_urgent_ = true;
        while (urgent_due_ <= now) {
            const auto first = std::ranges::min_element(urgent_, {}, &UrgentTimer::due_);
            timer_fired((*first)->due_, Clock::now());
            (*first)->fire();
        }
        in_urgent_ = false;
    }

    void turn_window(Clock::time_point now) {
        if (now - window_start_ < kWindow) return;
        const bool gap = now - window_start_ >= 2 * kWindow;
        callback_.turn(gap);
        timer_.turn(gap);
        window_start_ = now;
    }

    Greatest callback_, timer_;
    std::uint64_t callbacks_ = 0;
    decltype(LoopStats::longer) longer_{};
    std::vector<UrgentTimer*> urgent_;
    Clock::time_point urgent_due_ = Clock::time_point::max();
    bool in_urgent_ = false;
    Clock::time_point window_start_ = Clock::now();
};

struct EventLoop::Impl {
    std::shared_ptr<LoopMeter> meter = std::make_shared<LoopMeter>();
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
    asio::post(impl_->context,
               [meter = impl_->meter, call = std::move(callback)] { meter->run(call); });
}
LoopStats EventLoop::stats() const {
    return impl_->meter->stats();
}
const std::shared_ptr<LoopMeter>& EventLoop::meter() const {
    return impl_->meter;
}
asio::io_context& EventLoop::context() {
    return impl_->context;
}

// Completion handlers may still be queued when their object dies: each holds a shared_ptr to the
// Impl and looks at `generation`, which every change of plan increments.
struct Timer::Impl : std::enable_shared_from_this<Timer::Impl> {
    Impl(EventLoop& loop, EventLoop::Callback on_fire)
        : timer(loop.context()), callback(std::move(on_fire)), meter(loop.meter()) {}

    void wait() {
        timer.async_wait([self = shared_from_this(), turn = generation](error_code error) {
            if (!error) self->fire(turn);
        });
    }

    void fire(unsigned turn) {
        if (turn != generation) return;
        meter->timer_fired(timer.expiry(), std::chrono::steady_clock::now());
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
        meter->run(call);
    }

    asio::steady_timer timer;
    EventLoop::Callback callback;
    std::shared_ptr<LoopMeter> meter;
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
    impl_->timer.expires_after(std::max(delay, std::chrono::nanoseconds::zero()));
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

UrgentTimer::UrgentTimer(EventLoop& loop, EventLoop::Callback callback)
    : meter_(loop.meter()), callback_(std::move(callback)), timer_(loop, [this] { fire(); }) {
    meter_->add(*this);
}

UrgentTimer::~UrgentTimer() {
    meter_->remove(*this);
}

void UrgentTimer::start_once(std::chrono::nanoseconds delay) {
    due_ = std::chrono::steady_clock::now() + std::max(delay, std::chrono::nanoseconds::zero());
    timer_.start_once(delay);
    meter_->find_urgent_due();
}

void UrgentTimer::cancel() {
    due_ = std::chrono::steady_clock::time_point::max();
    timer_.cancel();
    meter_->find_urgent_due();
}

// From the meter between two callbacks, or from the loop by timer_.
void UrgentTimer::fire() {
    cancel();
    // A copy, because the callback may destroy the timer and with it the stored function.
    const auto call = callback_;
    meter_->run(call);
}

struct FdWatch::Impl : std::enable_shared_from_this<FdWatch::Impl> {
    struct Direction {
        asio::posix::descriptor_base::wait_type type;
        EventLoop::Callback callback;
        bool waiting = false;
    };

    Impl(EventLoop& loop, int fd) : descriptor(loop.context(), fd), meter(loop.meter()) {}

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
                                  self->meter->run(call);
                                  if (self->closed || direction.waiting) return;
                                  if (direction.callback) self->wait(direction);
                              });
    }

    asio::posix::stream_descriptor descriptor;
    std::shared_ptr<LoopMeter> meter;
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
