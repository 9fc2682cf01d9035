// SPDX-License-Identifier: Apache-2.0

#include "vrrp/announce_queue.h"

#include <algorithm>
#include <utility>

namespace pollux::vrrp {

void AnnounceQueue::set_pace(AnnouncePace arp, AnnouncePace neighbour) {
    arp_ = arp;
    neighbour_ = neighbour;
}

void AnnounceQueue::announce(InstanceId id, AnnounceReason reason, const AnnouncePolicy& policy,
                             std::vector<AnnounceTarget> targets, TimePoint now) {
    Entry& entry = entries_[id];
    if (entry.targets != targets) entry.cursor = 0;
    entry.policy = policy;
    entry.targets = std::move(targets);
    entry.added.clear();
    const bool other = reason == AnnounceReason::OtherMaster;
    const unsigned repeat = other ? policy.lower_prio_repeat : policy.master_repeat;
    const Duration delay = other ? policy.lower_prio_delay : policy.master_delay;
    begin_block(entry, std::max(repeat, 1U));
    entry.second_block = delay > Duration::zero() ? now + delay : kNever;
    entry.second_repeat = repeat;
    if (policy.refresh > Duration::zero() && entry.refresh == kNever) {
        entry.refresh = now + policy.refresh;
    }
}

void AnnounceQueue::change_targets(InstanceId id, std::vector<AnnounceTarget> targets,
                                   const std::vector<AnnounceTarget>& added, TimePoint now) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    start_due_blocks(entry, now);
    entry.targets = std::move(targets);
    entry.cursor = 0;
    // A running block starts over with the new list; a finished one stays finished.
    if (entry.frames_left != 0) begin_block(entry, std::max(entry.policy.master_repeat, 1U));
    for (unsigned i = 0; i < std::max(entry.policy.master_repeat, 1U); ++i) {
        entry.added.insert(entry.added.end(), added.rbegin(), added.rend());
    }
}

void AnnounceQueue::cancel(InstanceId id) {
    entries_.erase(id);
}

// Among those that have something due and may send, who is in the earliest pass; then by turns.
std::optional<Announcement> AnnounceQueue::next(TimePoint now) {
    std::pair<const InstanceId, Entry>* best = nullptr;
    for (auto& candidate : entries_) {
        Entry& entry = candidate.second;
        start_due_blocks(entry, now);
        if (entry.frames_left == 0 && entry.added.empty()) continue;
        if (ready_at(front(entry)) > now) continue;
        const auto rank = [](const Entry& each) { return std::pair(pass_of(each), each.served); };
        if (best == nullptr || rank(entry) < rank(best->second)) best = &candidate;
    }
    if (best == nullptr) return std::nullopt;
    auto& [id, entry] = *best;
    const Announcement result{id, front(entry)};
    pop(entry);
    entry.served = ++turn_;
    consume(result.target, now);
    return result;
}

TimePoint AnnounceQueue::next_deadline() const {
    TimePoint next = kNever;
    for (const auto& [id, entry] : entries_) {
        if (entry.frames_left != 0 || !entry.added.empty()) {
            next = std::min(next, ready_at(front(entry)));
        }
        next = std::min({next, entry.second_block, entry.refresh});
    }
    return next;
}

// --- one instance -----------------------------------------------------------------------------

void AnnounceQueue::begin_block(Entry& entry, unsigned repeat) {
    entry.frames_done = 0;
    entry.frames_left = repeat * entry.targets.size();
}

void AnnounceQueue::start_due_blocks(Entry& entry, TimePoint now) {
    if (now >= entry.second_block) {
        entry.second_block = kNever;
        begin_block(entry, entry.second_repeat);
    }
    if (now >= entry.refresh) {
        entry.refresh = now + entry.policy.refresh;
        if (entry.frames_left == 0) begin_block(entry, entry.policy.refresh_repeat);
    }
}

const AnnounceTarget& AnnounceQueue::front(const Entry& entry) {
    return entry.added.empty() ? entry.targets[entry.cursor] : entry.added.back();
}

void AnnounceQueue::pop(Entry& entry) {
    if (!entry.added.empty()) {
        entry.added.pop_back();
        return;
    }
    entry.cursor = (entry.cursor + 1) % entry.targets.size();
    ++entry.frames_done;
    --entry.frames_left;
}

std::size_t AnnounceQueue::pass_of(const Entry& entry) {
    if (!entry.added.empty() || entry.targets.empty()) return 0;
    return entry.frames_done / entry.targets.size();
}

// --- pacing -----------------------------------------------------------------------------------

const AnnouncePace& AnnounceQueue::pace_of(net::Family family) const {
    return family == net::Family::V4 ? arp_ : neighbour_;
}

TimePoint AnnounceQueue::ready_at(const AnnounceTarget& target) const {
    const AnnouncePace& pace = pace_of(target.address.family);
    const auto found = allowance_.find({target.interface, target.address.family});
    if (pace.interval == Duration::zero() || found == allowance_.end()) return TimePoint::min();
    return found->second - pace.interval * (std::max(pace.burst, 1U) - 1);
}

void AnnounceQueue::consume(const AnnounceTarget& target, TimePoint now) {
    const AnnouncePace& pace = pace_of(target.address.family);
    if (pace.interval == Duration::zero()) return;
    TimePoint& allowance = allowance_[{target.interface, target.address.family}];
    allowance = std::max(allowance, now) + pace.interval;
}

}  // namespace pollux::vrrp
