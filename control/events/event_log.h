// SPDX-License-Identifier: Apache-2.0
#pragma once

// EventLog: the last state changes with their causes, for `pollux show events` and for mail. Who
// changes a state adds a line here beside its log line. Control thread.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pollux::control {

enum class EventKind : std::uint8_t { Server, Service, Vrrp, Operator, Daemon };

struct Event {
    std::uint64_t number = 0;                    // from 1; set by the log
    std::chrono::system_clock::time_point time;  // set by the log
    EventKind kind = EventKind::Daemon;
    std::string subject;  // "10.0.0.2:80 of TCP 10.0.0.1:80", "VI_1"
    std::string before;   // state, for example "UP"; may be empty
    std::string after;
    std::string cause;   // one sentence, may hold what a peer sent
    bool alert = false;  // smtp_alert: somebody wants mail about it
};

[[nodiscard]] std::string_view to_string(EventKind kind);

class EventLog {
  public:
    static constexpr std::size_t kCapacity = 1000;

    // Sets number and time, forgets the oldest when full, then tells the listeners.
    void add(Event event);
    // Lives as long as the log.
    void listen(std::function<void(const Event&)> listener);

    // Oldest first.
    [[nodiscard]] const std::deque<Event>& events() const { return events_; }
    [[nodiscard]] std::uint64_t total() const { return next_ - 1; }

  private:
    std::deque<Event> events_;
    std::vector<std::function<void(const Event&)>> listeners_;
    std::uint64_t next_ = 1;
};

}  // namespace pollux::control
