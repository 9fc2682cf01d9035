// SPDX-License-Identifier: Apache-2.0
#include "control/health/schedule.h"

namespace pollux::control {
namespace {

// A heap this much larger than the number of checks is built anew.
constexpr std::size_t kMaxOverhead = 3;
constexpr std::size_t kSmall = 64;

}  // namespace

void Schedule::set(CheckId check, lb::TimePoint at) {
    if (check >= turns_.size()) turns_.resize(check + 1U);
    Turn& turn = turns_[check];
    ++turn.number;
    turn.active = true;
    turn.at = at;
    heap_.push({at, check, turn.number});
    if (heap_.size() > kSmall + kMaxOverhead * turns_.size()) rebuild();
}

void Schedule::cancel(CheckId check) {
    if (check < turns_.size()) turns_[check].active = false;
}

std::optional<lb::TimePoint> Schedule::next() {
    drop_replaced();
    if (heap_.empty()) return std::nullopt;
    return heap_.top().at;
}

std::optional<CheckId> Schedule::take_due(lb::TimePoint now) {
    drop_replaced();
    if (heap_.empty() || heap_.top().at > now) return std::nullopt;
    const CheckId check = heap_.top().check;
    turns_[check].active = false;
    heap_.pop();
    return check;
}

void Schedule::drop_replaced() {
    while (!heap_.empty()) {
        const Appointment& top = heap_.top();
        const Turn& turn = turns_[top.check];
        if (turn.active && turn.number == top.turn) return;
        heap_.pop();
    }
}

void Schedule::rebuild() {
    heap_ = {};
    for (CheckId check = 0; check < turns_.size(); ++check) {
        const Turn& turn = turns_[check];
        if (turn.active) heap_.push({turn.at, check, turn.number});
    }
}

}  // namespace pollux::control
