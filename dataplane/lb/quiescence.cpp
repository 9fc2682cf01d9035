// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/quiescence.h"

#include <algorithm>
#include <cassert>

namespace pollux::lb {

// A token is a value of now_ after an increment. A participant whose line holds a value of at least
// the token loaded now_ after that increment (acquire, pairs with the release of the increment), so
// it sees what was unlinked before; and stored its line after its last use of what it had found
// earlier (release, pairs with the acquire in `passed`).

Quiescence::Quiescence(unsigned participants)
    : participants_(participants), lines_(std::make_unique<Line[]>(participants)) {
    assert(participants >= 1 && participants <= kMaxParticipants);
}

void Quiescence::offline(Participant self) noexcept {
    // Release: all uses before.
    lines_[index(self)].seen.store(kOffline, std::memory_order_release);
}

// Going online must not be overtaken by the reads that follow it. The read-modify-write of now_
// settles it: either it comes after the increment of a token, and then it sees what was unlinked;
// or before, and then whoever took the token sees this participant online, with an older value.
void Quiescence::online(Participant self) noexcept {
    std::atomic<std::uint64_t>& seen = lines_[index(self)].seen;
    seen.store(0, std::memory_order_relaxed);
    const std::uint64_t now = now_.fetch_add(0, std::memory_order_acq_rel);
    seen.store(now, std::memory_order_release);
}

bool Quiescence::is_online(Participant self) const noexcept {
    return lines_[index(self)].seen.load(std::memory_order_relaxed) != kOffline;
}

QuiescenceToken Quiescence::advance() noexcept {
    // Release: the unlinking before; acquire: see `online`.
    return QuiescenceToken{now_.fetch_add(1, std::memory_order_acq_rel) + 1};
}

bool Quiescence::passed(QuiescenceToken token) noexcept {
    const auto wanted = static_cast<std::uint64_t>(token);
    // Acquire: whoever raised passed_ had seen the participants' lines.
    if (passed_.load(std::memory_order_acquire) >= wanted) return true;
    // Nothing newer may be concluded from lines that are read one after the other: a participant
    // that was offline when its line was read may since have found what a later token unlinks.
    std::uint64_t oldest = now_.load(std::memory_order_acquire);
    for (unsigned i = 0; i < participants_; ++i) {
        // Acquire: pairs with the release in report, offline and online.
        oldest = std::min(oldest, lines_[i].seen.load(std::memory_order_acquire));
        if (oldest < wanted) return false;
    }
    std::uint64_t known = passed_.load(std::memory_order_relaxed);
    while (known < oldest &&
           !passed_.compare_exchange_weak(known, oldest, std::memory_order_acq_rel,
                                          std::memory_order_relaxed)) {
    }
    return true;
}

OnlineScope::OnlineScope(Quiescence& quiescence, Participant self) noexcept
    : quiescence_(quiescence), self_(self), was_online_(quiescence.is_online(self)) {
    if (!was_online_) quiescence_.online(self_);
}

OnlineScope::~OnlineScope() {
    if (!was_online_) quiescence_.offline(self_);
}

void DeferredFrees::defer(std::function<void()> free) {
    waiting_.push_back({quiescence_.advance(), std::move(free)});
}

std::size_t DeferredFrees::collect() {
    while (!waiting_.empty() && quiescence_.passed(waiting_.front().token)) {
        const std::function<void()> free = std::move(waiting_.front().free);
        waiting_.pop_front();
        free();
    }
    return waiting_.size();
}

}  // namespace pollux::lb
