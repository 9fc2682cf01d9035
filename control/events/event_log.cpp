// SPDX-License-Identifier: Apache-2.0
#include "control/events/event_log.h"

#include <utility>

namespace pollux::control {
namespace {

// A cause may quote a peer; the ring must stay small whatever it sent.
constexpr std::size_t kMaxCause = 1024;

}  // namespace

std::string_view to_string(EventKind kind) {
    switch (kind) {
        case EventKind::Server:
            return "server";
        case EventKind::Service:
            return "service";
        case EventKind::Vrrp:
            return "vrrp";
        case EventKind::Operator:
            return "operator";
        case EventKind::Daemon:
            return "daemon";
    }
    return "";
}

void EventLog::add(Event event) {
    event.number = next_++;
    event.time = std::chrono::system_clock::now();
    if (event.cause.size() > kMaxCause) event.cause.resize(kMaxCause);
    events_.push_back(std::move(event));
    if (events_.size() > kCapacity) events_.pop_front();
    const Event copy = events_.back();
    for (const auto& listener : listeners_) listener(copy);
}

void EventLog::listen(std::function<void(const Event&)> listener) {
    listeners_.push_back(std::move(listener));
}

}  // namespace pollux::control
