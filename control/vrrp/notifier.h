// SPDX-License-Identifier: Apache-2.0
#pragma once

// Notifier: tells the outside world of changes of state: notify commands through the script helper,
// one line each into the notify FIFOs. Control thread; never blocks.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/loop/event_loop.h"
#include "control/scripts/script_runner.h"
#include "vrrp/notify_queue.h"

namespace pollux::control {

class Notifier {
  public:
    explicit Notifier(ScriptRunner& scripts) : scripts_(&scripts) {}
    ~Notifier();

    void configure(const Config& config);
    // An instance or group of the configuration is gone: its last event is told with its old plan.
    void retire(const vrrp::NotifySubject& subject) { queue_.retire(subject); }

    void notify(const vrrp::NotifySubject& subject, vrrp::Notice notice, std::uint8_t priority);
    // Another master does not yield: its instance's fence command.
    void fence(const vrrp::NotifySubject& subject, std::uint8_t priority);
    // keepalived's MASTER_PRIORITY and BACKUP_PRIORITY lines, when they are wanted.
    void priority_changed(const vrrp::NotifySubject& subject, bool is_master,
                          std::uint8_t priority);

    // A line about real servers or services, for notify_fifo and lvs_notify_fifo.
    void server_line(const std::string& line);

    // The daemon stops: what is left to tell starts at once.
    void flush();

    [[nodiscard]] bool has_deleted_command(const std::string& instance) const;
    [[nodiscard]] std::uint64_t coalesced() const { return queue_.coalesced(); }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    [[nodiscard]] std::uint64_t fifo_drops() const { return fifo_drops_; }

  private:
    struct Fifo {
        std::string path;
        Command script;
        int fd = -1;
        bool made = false;         // by us: removed again
        std::uint64_t reader = 0;  // the job of its script; 0: none
    };

    void configure_fifo(Fifo& fifo, const std::string& path, const Command& script);
    void close_fifo(Fifo& fifo);
    void write_line(Fifo& fifo, const std::string& line);
    void pump();
    [[nodiscard]] ScriptJob make_job(const vrrp::Argv& argv) const;

    ScriptRunner* scripts_;
    ScriptsConfig settings_;
    bool priority_lines_ = false;
    vrrp::NotifyQueue queue_;
    std::map<std::string, bool> deleted_commands_;
    Fifo common_;
    Fifo vrrp_;
    Fifo lvs_;
    std::uint64_t failures_ = 0;
    std::uint64_t fifo_drops_ = 0;
};

}  // namespace pollux::control
