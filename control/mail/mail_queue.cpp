// SPDX-License-Identifier: Apache-2.0
#include "control/mail/mail_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pollux::control {

void MailQueue::configure(const EmailConfig& config) {
    digest_interval_ = config.digest_interval;
    retry_interval_ = config.retry_interval;
    limit_ = std::max<std::size_t>(config.queue_limit, 1);
    make_room();
}

// An event waits for the digest, or for the pause after the last mail about the same subject.
void MailQueue::add(const Event& event, lb::TimePoint now) {
    forget_old_subjects(now);
    lb::TimePoint ripe = now + digest_interval_;
    const auto mailed = mailed_.find(event.subject);
    if (mailed != mailed_.end()) ripe = std::max(ripe, mailed->second + kSubjectPause);
    waiting_.push_back({event, ripe});
    make_room();
}

// The oldest go: the latest state is what matters.
void MailQueue::make_room() {
    while (!waiting_.empty() && waiting() > limit_) {
        waiting_.pop_front();
        ++lost_;
        ++lost_total_;
    }
}

// With the first ripe event go all that wait: a mail that is sent anyway may tell everything.
std::optional<MailBatch> MailQueue::take(lb::TimePoint now) {
    if (!in_flight_.empty()) return std::nullopt;
    if (blocked_until_ && now < *blocked_until_) return std::nullopt;
    const bool ripe = std::ranges::any_of(
        waiting_, [now](const Waiting& waiting) { return waiting.ripe <= now; });
    if (!ripe) return std::nullopt;
    const std::size_t count = std::min(waiting_.size(), kMaxBatch);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    in_flight_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    MailBatch batch;
    for (const Waiting& waiting : in_flight_) batch.events.push_back(waiting.event);
    batch.lost = lost_;
    return batch;
}

void MailQueue::sent(lb::TimePoint now) {
    for (const Waiting& waiting : in_flight_) mailed_[waiting.event.subject] = now;
    in_flight_.clear();
    lost_ = 0;
    blocked_until_.reset();
}

void MailQueue::failed(lb::TimePoint now) {
    waiting_.insert(waiting_.begin(), std::make_move_iterator(in_flight_.begin()),
                    std::make_move_iterator(in_flight_.end()));
    in_flight_.clear();
    make_room();
    blocked_until_ = now + retry_interval_;
}

void MailQueue::hurry(lb::TimePoint now) {
    for (Waiting& waiting : waiting_) waiting.ripe = std::min(waiting.ripe, now);
    blocked_until_.reset();
}

std::optional<lb::TimePoint> MailQueue::next() const {
    if (!in_flight_.empty() || waiting_.empty()) return std::nullopt;
    const auto earliest = std::ranges::min_element(waiting_, {}, &Waiting::ripe);
    return blocked_until_ ? std::max(*blocked_until_, earliest->ripe) : earliest->ripe;
}

void MailQueue::forget_old_subjects(lb::TimePoint now) {
    std::erase_if(mailed_,
                  [now](const auto& entry) { return entry.second + kSubjectPause <= now; });
}

}  // namespace pollux::control
