// SPDX-License-Identifier: Apache-2.0
#include "control/scripts/script_child.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/scripts/observe.h"
#include "control/scripts/script_path.h"

namespace pollux::control {
namespace {

constexpr int kExitNotRun = 127;                              // as a shell says it
constexpr auto kWriterTime = std::chrono::milliseconds(200);  // from emptying a file to its number

struct Account {
    uid_t user = 0;
    gid_t group = 0;
};

// "user" with its own group, or "user:group". Numbers are taken as such.
Result<Account> find_account(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string user = text.substr(0, colon);
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) {
        return Error{"no user " + user, "create it, or name another in script_user"};
    }
    Account account{entry->pw_uid, entry->pw_gid};
    if (colon == std::string::npos) return account;
    const std::string group_name = text.substr(colon + 1);
    const group* group_entry = getgrnam(group_name.c_str());
    if (group_entry == nullptr) return Error{"no group " + group_name, "create it"};
    account.group = group_entry->gr_gid;
    return account;
}

void reset_signals() {
    for (int signal = 1; signal < NSIG; ++signal) {
        if (signal != SIGKILL && signal != SIGSTOP) std::signal(signal, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Standard input and output only; every other descriptor of the helper is closed.
bool set_descriptors(int output) {
    const int null = open("/dev/null", O_RDWR);
    if (null < 0) return false;
    const int sink = output >= 0 ? output : null;
    if (dup2(null, 0) < 0 || dup2(sink, 1) < 0 || dup2(sink, 2) < 0) return false;
    return close_range(3, ~0U, 0) == 0;
}

bool become(const Account& account) {
    if (setgroups(1, &account.group) != 0) return false;
    if (setresgid(account.group, account.group, account.group) != 0) return false;
    if (setresuid(account.user, account.user, account.user) != 0) return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

[[noreturn]] void complain(const char* what) {
    dprintf(2, "%s: %s\n", what, std::strerror(errno));
    _exit(kExitNotRun);
}

[[noreturn]] void run_program(const ScriptJob& job) {
    std::vector<char*> argv;
    for (const std::string& argument : job.argv) {
        argv.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: execve does not write
    }
    argv.push_back(nullptr);
    std::array<const char*, 4> environment = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
        "HOME=/", nullptr};
    execve(argv[0], argv.data(), const_cast<char* const*>(environment.data()));  // NOLINT: likewise
    complain(argv[0]);
}

[[noreturn]] void run_observation(const ScriptJob& job) {
    const auto wait_for_writers = [] { std::this_thread::sleep_for(kWriterTime); };
    const std::string text = to_text(observe(from_arguments(job.argv), "/proc", wait_for_writers));
    const ssize_t written = write(1, text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? 0 : kExitNotRun);
}

[[noreturn]] void run_in_child(const ScriptJob& job, const std::optional<Account>& account,
                               int output) {
    setpgid(0, 0);
    reset_signals();
    if (!set_descriptors(output)) _exit(kExitNotRun);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (chdir("/") != 0) complain("/");
    if (job.kind == ScriptKind::Observe) run_observation(job);
    if (account && !become(*account)) complain("cannot become the script's user");
    run_program(job);
}

}  // namespace

Result<ScriptChild> start_child(const ScriptJob& job) {
    std::optional<Account> account;
    if (job.kind != ScriptKind::Observe) {
        if (job.secure) {
            if (const Status safe = check_script_path(job.argv.front()); !safe) {
                return safe.error();
            }
        }
        // Without root there is no other user to become.
        if (geteuid() == 0) {
            auto found = find_account(job.user);
            if (!found) return found.error();
            account = *found;
        }
    }
    std::array<int, 2> pipe_ends{-1, -1};
    const bool keeps_output = job.kind == ScriptKind::Check || job.kind == ScriptKind::Observe;
    if (keeps_output && pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return Error{std::string("no pipe: ") + std::strerror(errno), ""};
    }
    const pid_t pid = fork();
    if (pid == 0) {
        if (pipe_ends[1] >= 0) fcntl(pipe_ends[1], F_SETFL, 0);
        run_in_child(job, account, pipe_ends[1]);
    }
    if (pipe_ends[1] >= 0) close(pipe_ends[1]);
    if (pid < 0) {
        if (pipe_ends[0] >= 0) close(pipe_ends[0]);
        return Error{std::string("no process: ") + std::strerror(errno), ""};
    }
    // Here too, so that the group exists before anybody can want to kill it.
    setpgid(pid, pid);
    return ScriptChild{pid, pipe_ends[0]};
}

}  // namespace pollux::control
