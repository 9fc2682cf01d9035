// SPDX-License-Identifier: Apache-2.0
#include "control/vrrp/notifier.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/log/log.h"
#include "control/vrrp/instance_plan.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

// keepalived waits for ever; a command that takes longer than this hangs.
constexpr auto kCommandTimeout = 60s;

// The FIFO's script must be able to open it.
void give_to(int fd, const std::string& account) {
    const passwd* entry = getpwnam(account.substr(0, account.find(':')).c_str());
    if (entry == nullptr || fchown(fd, entry->pw_uid, entry->pw_gid) != 0) {
        log::warning("notify FIFO not given to the script user", {{"user", account}});
    }
}

}  // namespace

Notifier::~Notifier() {
    close_fifo(common_);
    close_fifo(vrrp_);
    close_fifo(lvs_);
}

void Notifier::configure(const Config& config) {
    settings_ = config.global.scripts;
    priority_lines_ = config.global.vrrp_notify_priority_changes;
    deleted_commands_.clear();
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        queue_.set_plan({false, instance.name}, plan_notify(instance.notify));
        deleted_commands_[instance.name] = !instance.notify.notify_deleted.empty();
    }
    for (const VrrpSyncGroupConfig& group : config.vrrp_sync_groups) {
        queue_.set_plan({true, group.name}, plan_notify(group.notify));
    }
    configure_fifo(common_, config.global.notify_fifo, config.global.notify_fifo_script);
    configure_fifo(vrrp_, config.global.vrrp_notify_fifo, config.global.vrrp_notify_fifo_script);
    configure_fifo(lvs_, config.global.lvs_notify_fifo, config.global.lvs_notify_fifo_script);
}

void Notifier::notify(const vrrp::NotifySubject& subject, vrrp::Notice notice,
                      std::uint8_t priority) {
    const std::string line = vrrp::fifo_line(subject, notice, priority);
    write_line(common_, line);
    write_line(vrrp_, line);
    // No command waits for this one: a conflict that lasts has the fence.
    if (notice == vrrp::Notice::MasterRxLowerPriority) return;
    queue_.push(subject, notice, priority);
    pump();
}

void Notifier::fence(const vrrp::NotifySubject& subject, std::uint8_t priority) {
    queue_.push(subject, vrrp::Notice::MasterRxLowerPriority, priority);
    pump();
}

void Notifier::priority_changed(const vrrp::NotifySubject& subject, bool is_master,
                                std::uint8_t priority) {
    if (!priority_lines_) return;
    const std::string line = (subject.is_group ? "GROUP \"" : "INSTANCE \"") + subject.name +
                             (is_master ? "\" MASTER_PRIORITY " : "\" BACKUP_PRIORITY ") +
                             std::to_string(priority) + "\n";
    write_line(common_, line);
    write_line(vrrp_, line);
}

void Notifier::server_line(const std::string& line) {
    write_line(common_, line);
    write_line(lvs_, line);
}

bool Notifier::has_deleted_command(const std::string& instance) const {
    const auto found = deleted_commands_.find(instance);
    return found != deleted_commands_.end() && found->second;
}

// --- commands ---------------------------------------------------------------------------------

void Notifier::pump() {
    while (const auto run = queue_.next()) {
        const auto done = [this, subject = run->subject,
                           command = run->argv.front()](const ScriptResult& result) {
            if (!result.succeeded()) {
                ++failures_;
                log::warning("notify command failed", {{"subject", subject.name},
                                                       {"command", command},
                                                       {"result", describe(result)}});
            }
            queue_.finished(subject);
            pump();
        };
        scripts_->run(make_job(run->argv), done);
    }
}

void Notifier::flush() {
    for (const vrrp::NotifyRun& run : queue_.flush()) scripts_->run(make_job(run.argv), {});
}

ScriptJob Notifier::make_job(const vrrp::Argv& argv) const {
    ScriptJob job;
    job.kind = ScriptKind::Notify;
    job.argv = argv;
    job.user = settings_.user;
    job.timeout = kCommandTimeout;
    job.secure = settings_.enable_script_security;
    return job;
}

// --- FIFOs ------------------------------------------------------------------------------------

void Notifier::configure_fifo(Fifo& fifo, const std::string& path, const Command& script) {
    if (fifo.path == path && fifo.script == script) return;
    close_fifo(fifo);
    fifo.path = path;
    fifo.script = script;
    if (path.empty()) return;
    fifo.made = mkfifo(path.c_str(), 0600) == 0;
    if (!fifo.made && errno != EEXIST) {
        log::error("notify FIFO not made", {{"path", path}, {"cause", std::strerror(errno)}});
        return;
    }
    // Read and write, so that the FIFO opens without a reader and keeps what none has read yet.
    fifo.fd = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    struct stat status {};
    if (fifo.fd < 0 || fstat(fifo.fd, &status) != 0 || !S_ISFIFO(status.st_mode)) {
        log::error(
            "notify FIFO not opened",
            {{"path", path}, {"cause", fifo.fd < 0 ? std::strerror(errno) : "it is not a FIFO"}});
        if (fifo.fd >= 0) close(fifo.fd);
        fifo.fd = -1;
        return;
    }
    if (script.empty()) return;
    give_to(fifo.fd, settings_.user);
    ScriptJob job;
    job.kind = ScriptKind::Service;
    job.argv = script.argv;
    job.argv.push_back(path);
    job.user = settings_.user;
    job.secure = settings_.enable_script_security;
    fifo.reader = scripts_->run(std::move(job), [path](const ScriptResult& result) {
        log::warning("notify FIFO script has ended",
                     {{"path", path}, {"result", describe(result)}});
    });
}

void Notifier::close_fifo(Fifo& fifo) {
    if (fifo.fd >= 0) close(fifo.fd);
    fifo.fd = -1;
    // As keepalived: who made it removes it. A reader that has it open still gets every line.
    if (fifo.made) unlink(fifo.path.c_str());
    fifo.made = false;
    if (fifo.reader != 0) scripts_->forget(fifo.reader);
    fifo.reader = 0;
}

// Lines are far below PIPE_BUF, so each is written whole or not at all.
void Notifier::write_line(Fifo& fifo, const std::string& line) {
    if (fifo.fd < 0) return;
    if (write(fifo.fd, line.data(), line.size()) < 0) ++fifo_drops_;
}

}  // namespace pollux::control
