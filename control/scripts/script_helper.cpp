// SPDX-License-Identifier: Apache-2.0
#include "control/scripts/script_helper.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/scripts/script_child.h"
#include "control/scripts/script_job.h"

namespace pollux::control {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMaxOutput = 4096;
constexpr auto kKillGrace = 1s;     // from SIGTERM to SIGKILL
constexpr auto kOrphanLimit = 30s;  // notifications after the daemon has gone

struct Job {
    ScriptJob what;
    ScriptChild child;
    std::string output;
    Clock::time_point deadline = Clock::time_point::max();
    bool terminated = false;
    bool killed = false;
};

class Helper {
  public:
    Helper(int socket, int signals) : socket_(socket), signals_(signals) {}
    void run();

  private:
    void wait_for_events();
    void read_jobs();
    void start(const ScriptJob& job);
    void read_output(Job& job);
    void reap();
    void enforce_limits();
    void finish(std::map<pid_t, Job>::iterator found, ScriptEnd end, int code);
    void report(const ScriptResult& result) const;
    void daemon_gone();
    [[nodiscard]] int poll_timeout() const;

    int socket_;
    int signals_;
    bool orphaned_ = false;
    std::map<pid_t, Job> jobs_;
};

void Helper::run() {
    while (!orphaned_ || !jobs_.empty()) {
        wait_for_events();
        reap();
        enforce_limits();
    }
}

int Helper::poll_timeout() const {
    Clock::time_point next = Clock::time_point::max();
    for (const auto& [pid, job] : jobs_) next = std::min(next, job.deadline);
    if (next == Clock::time_point::max()) return -1;
    const auto wait =
        std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now()).count() + 1;
    return static_cast<int>(std::max<std::int64_t>(wait, 0));
}

void Helper::wait_for_events() {
    std::vector<pollfd> descriptors;
    descriptors.push_back({signals_, POLLIN, 0});
    descriptors.push_back({orphaned_ ? -1 : socket_, POLLIN, 0});
    std::vector<pid_t> owners;
    for (const auto& [pid, job] : jobs_) {
        if (job.child.output < 0) continue;
        descriptors.push_back({job.child.output, POLLIN, 0});
        owners.push_back(pid);
    }
    if (poll(descriptors.data(), descriptors.size(), poll_timeout()) <= 0) return;
    signalfd_siginfo info{};
    while (descriptors[0].revents != 0 && read(signals_, &info, sizeof info) > 0) {
    }
    for (std::size_t i = 0; i < owners.size(); ++i) {
        if (descriptors[i + 2].revents != 0) read_output(jobs_.at(owners[i]));
    }
    if (descriptors[1].revents != 0) read_jobs();
}

void Helper::read_jobs() {
    std::array<char, kMaxScriptMessage> buffer{};
    while (true) {
        const ssize_t length = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (length <= 0) return daemon_gone();
        const std::string_view message(buffer.data(), static_cast<std::size_t>(length));
        if (const auto job = decode_job(message)) start(*job);
    }
}

void Helper::start(const ScriptJob& job) {
    auto child = start_child(job);
    if (!child) {
        const Error& error = child.error();
        const std::string remedy = error.remedy.empty() ? "" : " (" + error.remedy + ")";
        return report({job.id, ScriptEnd::Refused, 0, error.message + remedy});
    }
    Job& entry = jobs_[child->pid];
    entry.what = job;
    entry.child = *child;
    if (job.timeout > 0ns) entry.deadline = Clock::now() + job.timeout;
}

// Whatever is beyond the limit is read and forgotten, so that the script does not block.
void Helper::read_output(Job& job) {
    std::array<char, kMaxOutput> buffer{};
    while (job.child.output >= 0) {
        const ssize_t length = read(job.child.output, buffer.data(), buffer.size());
        if (length < 0 && errno == EAGAIN) return;
        if (length <= 0) {
            close(job.child.output);
            job.child.output = -1;
            return;
        }
        const std::size_t room = kMaxOutput - job.output.size();
        job.output.append(buffer.data(), std::min(room, static_cast<std::size_t>(length)));
    }
}

void Helper::reap() {
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
        const auto found = jobs_.find(pid);
        if (found == jobs_.end()) continue;
        read_output(found->second);
        if (found->second.terminated) {
            finish(found, ScriptEnd::TimedOut, 0);
        } else if (WIFSIGNALED(status)) {
            finish(found, ScriptEnd::Signalled, WTERMSIG(status));
        } else {
            finish(found, ScriptEnd::Exited, WEXITSTATUS(status));
        }
    }
}

void Helper::finish(std::map<pid_t, Job>::iterator found, ScriptEnd end, int code) {
    Job& job = found->second;
    if (job.child.output >= 0) close(job.child.output);
    report({job.what.id, end, code, std::move(job.output)});
    jobs_.erase(found);
}

// First asked, then forced: the whole group, so that nothing that the script started remains.
void Helper::enforce_limits() {
    const Clock::time_point now = Clock::now();
    std::vector<pid_t> lost;
    for (auto& [pid, job] : jobs_) {
        if (now < job.deadline) continue;
        if (!job.terminated) {
            job.terminated = true;
            kill(-pid, SIGTERM);
            job.deadline = now + kKillGrace;
        } else if (!job.killed) {
            job.killed = true;
            kill(-pid, SIGKILL);
            job.deadline = now + kKillGrace;
        } else {
            lost.push_back(pid);  // not even that helped: it hangs in the kernel
        }
    }
    for (const pid_t pid : lost) finish(jobs_.find(pid), ScriptEnd::TimedOut, 0);
}

void Helper::report(const ScriptResult& result) const {
    if (orphaned_) return;
    const std::string message = encode(result);
    // The daemon reads whenever its loop turns; a full socket makes the helper wait, not lose.
    while (send(socket_, message.data(), message.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

void Helper::daemon_gone() {
    orphaned_ = true;
    const Clock::time_point now = Clock::now();
    for (auto& [pid, job] : jobs_) {
        const bool stays = job.what.kind == ScriptKind::Notify;
        job.deadline = std::min(job.deadline, stays ? now + kOrphanLimit : now);
    }
}

// Signals meant for the daemon's terminal are the daemon's: it tells us by closing the socket.
int watch_children() {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    for (const int signal :
         {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM}) {
        std::signal(signal, SIG_IGN);
    }
    // Not what the daemon holds back meanwhile: ignored signals shall not pile up.
    sigprocmask(SIG_SETMASK, &children, nullptr);
    return signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

void run_script_helper(int socket) {
    const int signals = watch_children();
    if (signals < 0) return;
    Helper(socket, signals).run();
    close(signals);
}

Result<ScriptHelper> fork_script_helper() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return Error{std::string("no socket for the script helper: ") + std::strerror(errno), ""};
    }
    const pid_t pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return Error{std::string("no process for the script helper: ") + std::strerror(errno), ""};
    }
    if (pid == 0) {
        close(ends[0]);
        prctl(PR_SET_NAME, "pollux-scripts", 0, 0, 0);
        run_script_helper(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    return ScriptHelper{pid, ends[0]};
}

}  // namespace pollux::control
