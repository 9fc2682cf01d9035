// SPDX-License-Identifier: Apache-2.0
#include "control/health/smtp_reply.h"

namespace pollux::control {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Of the first line, in messages.
constexpr std::size_t kMaxShown = 200;

}  // namespace

SmtpReply::State SmtpReply::feed(std::span<const char> bytes) {
    for (const char c : bytes) {
        if (++total_ > kMaxBytes) return State::Malformed;
        if (c != '\n') {
            line_ += c;
            continue;
        }
        if (!line_.empty() && line_.back() == '\r') line_.pop_back();
        const State state = take_line();
        line_.clear();
        if (state != State::NeedsMore) return state;
    }
    return State::NeedsMore;
}

// "250-more follows", "250 the last one", "250".
SmtpReply::State SmtpReply::take_line() {
    if (first_line_.empty()) first_line_ = line_.substr(0, kMaxShown);
    const bool digits =
        line_.size() >= 3 && is_digit(line_[0]) && is_digit(line_[1]) && is_digit(line_[2]);
    if (!digits || line_[0] < '2' || line_[0] > '5') return State::Malformed;
    const int code = (line_[0] - '0') * 100 + (line_[1] - '0') * 10 + (line_[2] - '0');
    if (code_ != 0 && code != code_) return State::Malformed;
    code_ = code;
    if (line_.size() == 3 || line_[3] == ' ') return State::Complete;
    return line_[3] == '-' ? State::NeedsMore : State::Malformed;
}

}  // namespace pollux::control
