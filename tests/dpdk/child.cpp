// SPDX-License-Identifier: Apache-2.0
#include "tests/dpdk/child.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pollux::test {
namespace {

constexpr auto kChildLimit = std::chrono::seconds(60);
constexpr auto kConditionLimit = std::chrono::seconds(10);
constexpr auto kPause = std::chrono::milliseconds(1);

[[noreturn]] void run_child(const std::function<void()>& body) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // sysfs shows the network namespace of its mount: drivers look for interfaces there.
    const bool isolated = unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
                          mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                          mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0;
    EXPECT_TRUE(isolated) << "these tests need root";
    if (isolated) body();
    std::fflush(stdout);
    std::fflush(stderr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
}

}  // namespace

bool passes_in_child(const std::function<void()>& body) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) run_child(body);
    const auto deadline = std::chrono::steady_clock::now() + kChildLimit;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > deadline) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            ADD_FAILURE() << "the child did not end in time";
            return false;
        }
        std::this_thread::sleep_for(kPause);
    }
    if (WIFSIGNALED(status)) {
        ADD_FAILURE() << "the child died of signal " << WTERMSIG(status);
        return false;
    }
    return WEXITSTATUS(status) == 0;
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kConditionLimit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(kPause);
    }
    return true;
}

void run_command(const char* command) {
    EXPECT_EQ(std::system(command), 0) << command;
}

}  // namespace pollux::test
