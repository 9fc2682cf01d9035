// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control core's event loop: timers, file descriptors, signals. A thin callback layer over
// Boost.Asio, so that only one translation unit pays for Asio's headers. Control thread only.

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace pollux::control {

// How long callbacks kept the loop from everything else. An advert that is due meanwhile is late by
// so much at most.
struct LoopStats {
    std::chrono::nanoseconds longest_callback{};         // since the start
    std::chrono::nanoseconds longest_callback_recent{};  // in the last one to two minutes
    std::chrono::nanoseconds latest_timer{};  // greatest time by which a timer fired too late
    std::chrono::nanoseconds latest_timer_recent{};
    std::uint64_t callbacks = 0;
    // Those that took longer than kLongCallbacks[i].
    std::array<std::uint64_t, 4> longer{};
};
inline constexpr std::array kLongCallbacks = {
    std::chrono::milliseconds(2), std::chrono::milliseconds(5), std::chrono::milliseconds(10),
    std::chrono::milliseconds(50)};

class LoopMeter;

class EventLoop {
  public:
    using Callback = std::function<void()>;

    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Returns after stop(); callbacks run inside.
    void run();
    // Runs the callbacks that are ready now without waiting. For tests and start-up.
    void run_ready();
    void stop();
    // Runs the callback soon, from run(), never from within post.
    void post(Callback callback);

    [[nodiscard]] LoopStats stats() const;
    // For timers and watches, which measure their callbacks.
    [[nodiscard]] const std::shared_ptr<LoopMeter>& meter() const;

    // For components that speak Asio themselves (Beast, resolver).
    boost::asio::io_context& context();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Calls back once or repeatedly; destruction or cancel() guarantees that no call follows.
class Timer {
  public:
    Timer(EventLoop& loop, EventLoop::Callback callback);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Replaces whatever was scheduled. A delay <= 0 fires on the next turn of the loop.
    void start_once(std::chrono::nanoseconds delay);
    // Fixed rate; turns missed because the loop was busy are skipped, not made up for.
    void start_every(std::chrono::nanoseconds interval);
    void cancel();
    [[nodiscard]] bool active() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// A timer that goes first: when it is due, it fires after the callback that runs then, whatever
// else waits. For adverts; its callback must be short.
class UrgentTimer {
  public:
    UrgentTimer(EventLoop& loop, EventLoop::Callback callback);
    ~UrgentTimer();
    UrgentTimer(const UrgentTimer&) = delete;
    UrgentTimer& operator=(const UrgentTimer&) = delete;

    // Replaces whatever was scheduled. A delay <= 0 fires after the callback that runs now.
    void start_once(std::chrono::nanoseconds delay);
    void cancel();

  private:
    friend class LoopMeter;
    void fire();

    std::shared_ptr<LoopMeter> meter_;
    EventLoop::Callback callback_;
    Timer timer_;  // wakes a loop that sleeps
    std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::time_point::max();
};

// Waits for a file descriptor that stays the caller's. Level triggered: a callback that leaves data
// unread is called again. The descriptor becomes non-blocking. Destruction ends all callbacks;
// destroy the watch before closing the descriptor.
class FdWatch {
  public:
    FdWatch(EventLoop& loop, int fd);
    ~FdWatch();
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;

    // An empty callback stops watching for that direction.
    void on_readable(EventLoop::Callback callback);
    void on_writable(EventLoop::Callback callback);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// Delivers signals as callbacks while it lives.
class SignalWatch {
  public:
    SignalWatch(EventLoop& loop, std::initializer_list<int> signals,
                std::function<void(int)> callback);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace pollux::control
