// SPDX-License-Identifier: Apache-2.0

#include "vrrp/notify_queue.h"

#include <algorithm>
#include <utility>

namespace pollux::vrrp {
namespace {

const Argv& specific_command(const NotifyPlan& plan, Notice notice) {
    switch (notice) {
        case Notice::Master:
            return plan.on_master;
        case Notice::Backup:
            return plan.on_backup;
        case Notice::Fault:
            return plan.on_fault;
        case Notice::Stop:
            return plan.on_stop;
        case Notice::Deleted:
            return plan.on_deleted;
        case Notice::MasterRxLowerPriority:
            break;
    }
    return plan.fence;
}

Argv with_arguments(Argv argv, const Argv& more) {
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
}

}  // namespace

Argv notify_arguments(const NotifySubject& subject, Notice notice, std::uint8_t priority) {
    return {subject.is_group ? "GROUP" : "INSTANCE", subject.name, std::string(to_string(notice)),
            std::to_string(priority)};
}

std::string fifo_line(const NotifySubject& subject, Notice notice, std::uint8_t priority) {
    std::string line = subject.is_group ? "GROUP \"" : "INSTANCE \"";
    line += subject.name;
    line += "\" ";
    line += to_string(notice);
    line += ' ';
    line += std::to_string(priority);
    line += '\n';
    return line;
}

void NotifyQueue::set_plan(const NotifySubject& subject, NotifyPlan plan) {
    Entry& entry = entries_[subject];
    entry.plan = std::move(plan);
    entry.retired = false;
}

void NotifyQueue::retire(const NotifySubject& subject) {
    const auto found = entries_.find(subject);
    if (found == entries_.end()) return;
    found->second.retired = true;
    if (!found->second.current && !found->second.pending) entries_.erase(found);
}

void NotifyQueue::push(const NotifySubject& subject, Notice notice, std::uint8_t priority) {
    const auto found = entries_.find(subject);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    const Event event{notice, priority};
    if (notice == Notice::MasterRxLowerPriority) {
        entry.fence = event;
        return;
    }
    entry.fence.reset();
    if (entry.pending) {
        ++coalesced_;
        // Back to what was told last: there is nothing to tell.
        if (entry.told == notice) {
            ++coalesced_;
            entry.pending.reset();
            return;
        }
    }
    entry.pending = event;
}

std::vector<Argv> NotifyQueue::commands_for(const NotifySubject& subject, const NotifyPlan& plan,
                                            const Event& event) {
    const Argv arguments = notify_arguments(subject, event.notice, event.priority);
    std::vector<Argv> commands;
    const Argv& specific = specific_command(plan, event.notice);
    if (event.notice == Notice::MasterRxLowerPriority) {
        if (!specific.empty()) commands.push_back(with_arguments(specific, arguments));
        return commands;
    }
    // In reverse: `notify` is called after the specific one.
    if (!plan.any.empty()) commands.push_back(with_arguments(plan.any, arguments));
    if (!specific.empty()) commands.push_back(specific);
    return commands;
}

// Moves on to the next event that has a command.
void NotifyQueue::load(const NotifySubject& subject, Entry& entry) {
    while (entry.commands.empty()) {
        entry.current.reset();
        std::optional<Event>& source = entry.pending ? entry.pending : entry.fence;
        if (!source) return;
        entry.current = std::exchange(source, std::nullopt);
        if (entry.current->notice != Notice::MasterRxLowerPriority) {
            entry.told = entry.current->notice;
        }
        entry.commands = commands_for(subject, entry.plan, *entry.current);
    }
}

std::optional<NotifyRun> NotifyQueue::next() {
    for (auto found = entries_.begin(); found != entries_.end();) {
        auto& [subject, entry] = *found;
        if (entry.busy) {
            ++found;
            continue;
        }
        load(subject, entry);
        if (entry.commands.empty()) {
            found = entry.retired ? entries_.erase(found) : std::next(found);
            continue;
        }
        NotifyRun run{subject, entry.current->notice, std::move(entry.commands.back())};
        entry.commands.pop_back();
        entry.busy = true;
        return run;
    }
    return std::nullopt;
}

void NotifyQueue::finished(const NotifySubject& subject) {
    const auto found = entries_.find(subject);
    if (found != entries_.end()) found->second.busy = false;
}

std::vector<NotifyRun> NotifyQueue::flush() {
    std::vector<NotifyRun> runs;
    for (auto& [subject, entry] : entries_) {
        entry.fence.reset();
        for (load(subject, entry); !entry.commands.empty(); load(subject, entry)) {
            runs.push_back({subject, entry.current->notice, std::move(entry.commands.back())});
            entry.commands.pop_back();
        }
    }
    return runs;
}

bool NotifyQueue::is_idle() const {
    return std::ranges::all_of(entries_, [](const auto& item) {
        const Entry& entry = item.second;
        return !entry.busy && entry.commands.empty() && !entry.pending && !entry.fence;
    });
}

}  // namespace pollux::vrrp
