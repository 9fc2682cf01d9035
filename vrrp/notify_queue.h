// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which notify command runs next. Per instance or group: in order, one at a time, and a state that
// nobody was told of when the next one came is skipped, so that a slow script never lags behind and
// the last word is always the true state. keepalived starts all at once. Pure. Control thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vrrp/action.h"

namespace pollux::vrrp {

using Argv = std::vector<std::string>;

// Empty: no such command.
struct NotifyPlan {
    Argv on_master, on_backup, on_fault, on_stop, on_deleted;
    Argv any;    // notify: after the specific one, with four more arguments
    Argv fence;  // another master does not yield; with the four arguments
};

struct NotifySubject {
    bool is_group = false;
    std::string name;
    auto operator<=>(const NotifySubject&) const = default;
};

struct NotifyRun {
    NotifySubject subject;
    Notice notice{};
    Argv argv;
};

// "INSTANCE|GROUP", name, state, priority: what keepalived appends to `notify`.
[[nodiscard]] Argv notify_arguments(const NotifySubject& subject, Notice notice,
                                    std::uint8_t priority);

// `INSTANCE "VI_1" MASTER 100` and a line feed, as keepalived writes to a notify FIFO.
[[nodiscard]] std::string fifo_line(const NotifySubject& subject, Notice notice,
                                    std::uint8_t priority);

class NotifyQueue {
  public:
    // Replaces the plan for what is queued from now on.
    void set_plan(const NotifySubject& subject, NotifyPlan plan);
    // Forgets the plan once everything queued has run.
    void retire(const NotifySubject& subject);

    void push(const NotifySubject& subject, Notice notice, std::uint8_t priority);
    // A command that may start now; its subject is busy until `finished`.
    std::optional<NotifyRun> next();
    void finished(const NotifySubject& subject);
    // The daemon stops and will not hear of ends any more: everything that is left, to be started
    // at once in this order.
    std::vector<NotifyRun> flush();

    [[nodiscard]] bool is_idle() const;
    // States that were superseded before their commands started.
    [[nodiscard]] std::uint64_t coalesced() const noexcept { return coalesced_; }

  private:
    struct Event {
        Notice notice{};
        std::uint8_t priority = 0;
    };
    struct Entry {
        NotifyPlan plan;
        bool retired = false;
        bool busy = false;
        std::vector<Argv> commands;  // of `current`, in reverse order
        std::optional<Event> current;
        std::optional<Event> pending;  // a state
        std::optional<Notice> told;    // the last state that commands were started for
        std::optional<Event> fence;    // after the pending state, while that is MASTER
    };

    static std::vector<Argv> commands_for(const NotifySubject& subject, const NotifyPlan& plan,
                                          const Event& event);
    static void load(const NotifySubject& subject, Entry& entry);

    std::map<NotifySubject, Entry> entries_;
    std::uint64_t coalesced_ = 0;
};

}  // namespace pollux::vrrp
