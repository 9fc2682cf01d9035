// SPDX-License-Identifier: Apache-2.0
// Starting and ending: errors with their remedies, and nothing left behind.
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

namespace fs = std::filesystem;

std::string directory_of(const dpdk::RuntimeOptions& options) {
    return "/var/run/dpdk/" + options.file_prefix;
}

bool interface_exists(const char* name) {
    return if_nametoindex(name) != 0;
}

// Starts and expects an error with both texts, and no trace of the attempt.
void expect_error(const dpdk::RuntimeOptions& options, const char* message, const char* remedy) {
    const auto runtime = dpdk::Runtime::start(options);
    ASSERT_FALSE(runtime);
    EXPECT_NE(runtime.error().message.find(message), std::string::npos) << runtime.error().message;
    EXPECT_NE(runtime.error().remedy.find(remedy), std::string::npos) << runtime.error().remedy;
    EXPECT_FALSE(fs::exists(directory_of(options)));
}

// Another process that runs with these options until the end of the test.
class OtherProcess {
  public:
    explicit OtherProcess(const dpdk::RuntimeOptions& options) : directory_(directory_of(options)) {
        std::array<int, 2> ready{};
        EXPECT_EQ(pipe(ready.data()), 0);
        pid_ = fork();
        if (pid_ == 0) {
            const auto runtime = dpdk::Runtime::start(options);
            const char answer = runtime ? 'y' : 'n';
            if (write(ready[1], &answer, 1) != 1) _exit(1);
            for (;;) pause();  // signals of net_tap interrupt it
        }
        char answer = 0;
        EXPECT_EQ(read(ready[0], &answer, 1), 1);
        EXPECT_EQ(answer, 'y');
    }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;
    ~OtherProcess() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        if (tidy_) fs::remove_all(directory_);
    }
    void leave_its_files() { tidy_ = false; }
    [[nodiscard]] std::string pid() const { return std::to_string(pid_); }

  private:
    std::string directory_;
    bool tidy_ = true;
    pid_t pid_ = 0;
};

TEST(Start, LeavesAPrivateSocketWhileItRunsAndNothingAfterwards) {
    EXPECT_TRUE(passes_in_child([] {
        const dpdk::RuntimeOptions options = small_options({"net_tap0,iface=ptap0"}, 1);
        {
            const auto runtime = dpdk::Runtime::start(options);
            ASSERT_TRUE(runtime) << runtime.error().message;
            EXPECT_TRUE(interface_exists("ptap0"));
            struct stat status {};
            const std::string socket = directory_of(options) + "/dpdk_telemetry.v2";
            ASSERT_EQ(stat(socket.c_str(), &status), 0) << socket;
            EXPECT_EQ(status.st_mode & 0777U, 0600U);
            EXPECT_FALSE(fs::exists(directory_of(options) + "/mp_socket"));
        }
        EXPECT_FALSE(interface_exists("ptap0"));
        EXPECT_FALSE(fs::exists(directory_of(options)));
    }));
}

TEST(Start, OpensNoTelemetrySocketWhenItIsOff) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
        options.telemetry = false;
        const auto runtime = dpdk::Runtime::start(options);
        ASSERT_TRUE(runtime);
        EXPECT_FALSE(fs::exists(directory_of(options) + "/dpdk_telemetry.v2"));
    }));
}

// What DPDK writes to both outputs while `body` runs.
off_t printed_by(const std::function<void()>& body) {
    const int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    std::fflush(stdout);
    const std::array before{dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    body();
    std::fflush(stdout);
    dup2(before[0], STDOUT_FILENO);
    dup2(before[1], STDERR_FILENO);
    return lseek(file, 0, SEEK_END);
}

TEST(Start, IsQuiet) {
    EXPECT_TRUE(passes_in_child([] {
        bool started = false;
        EXPECT_EQ(printed_by([&started] {
                      started = dpdk::Runtime::start(small_options({"net_tap0"}, 1)).ok();
                  }),
                  0);
        EXPECT_TRUE(started);
    }));
}

TEST(Start, NamesTheHugepagesThatAreMissing) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
        options.hugepages = true;
        options.memory_mib = 8U << 20U;
        expect_error(options, "8388608 MiB of hugepages are needed", "sysctl -w vm.nr_hugepages=4");
    }));
}

TEST(Start, RefusesAFilePrefixInUse) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
        const OtherProcess other(options);
        const auto runtime = dpdk::Runtime::start(options);
        ASSERT_FALSE(runtime);
        EXPECT_EQ(runtime.error().message,
                  "file prefix '" + options.file_prefix + "' is in use by process " + other.pid());
        EXPECT_NE(runtime.error().remedy.find("dpdk.file_prefix"), std::string::npos);
    }));
}

TEST(Start, TakesOverAFilePrefixFromAKilledProcess) {
    EXPECT_TRUE(passes_in_child([] {
        const dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
        {
            OtherProcess killed(options);
            killed.leave_its_files();
        }
        EXPECT_TRUE(fs::exists(directory_of(options)));
        {
            const auto runtime = dpdk::Runtime::start(options);
            EXPECT_TRUE(runtime) << runtime.error().message;
        }
        EXPECT_FALSE(fs::exists(directory_of(options)));
    }));
}

TEST(Start, RefusesATapInUseAndNamesTheHolder) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions theirs = small_options({"net_tap0,iface=ptap0"}, 1);
        theirs.file_prefix += "-other";
        const OtherProcess other(theirs);
        const std::string message = "TAP ptap0 is in use by";
        expect_error(small_options({"net_tap0,iface=ptap0"}, 1), message.c_str(),
                     "stop that process");
        expect_error(small_options({"net_tap0,iface=ptap0"}, 1), other.pid().c_str(), "");
        EXPECT_TRUE(interface_exists("ptap0"));
    }));
}

TEST(Start, RefusesAnXdpQueueInUse) {
    EXPECT_TRUE(passes_in_child([] {
        run_command("ip link add p0 type veth peer name p1 && ip link set p1 up");
        dpdk::RuntimeOptions theirs = small_options({"net_af_xdp0,iface=p0"}, 1);
        theirs.file_prefix += "-other";
        const OtherProcess other(theirs);
        expect_error(small_options({"net_af_xdp0,iface=p0"}, 1), "Failed to create xsk socket",
                     "another process");
    }));
}

TEST(Start, RemovesWhatAnEarlierPortMadeWhenALaterOneFails) {
    EXPECT_TRUE(passes_in_child([] {
        expect_error(small_options({"net_tap0,iface=ptap0", "net_nosuch0"}, 1),
                     "port 'port1': cannot attach net_nosuch0: ", "");
        EXPECT_FALSE(interface_exists("ptap0"));
    }));
}

TEST(Start, NamesTheNumberOfBuffersThatTheQueuesNeed) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions options = small_options({"net_tap0,iface=ptap0"}, 1);
        options.mbufs_per_port = 1000;
        expect_error(options, "mbufs_per_port gives 1000", "set mbufs_per_port to ");
        EXPECT_FALSE(interface_exists("ptap0"));
    }));
}

TEST(Start, ReportsEalsReasonForABadArgument) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
        options.extra_eal_args = {"--no-such-option"};
        EXPECT_EQ(printed_by([&options] {
                      expect_error(options, "DPDK does not start: ", "extra_eal_args");
                  }),
                  0)
            << "EAL's usage text must not drown the error";
    }));
}

TEST(Start, IsRefusedTheSecondTimeInAProcess) {
    EXPECT_TRUE(passes_in_child([] {
        const dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
        { EXPECT_TRUE(dpdk::Runtime::start(options)); }
        expect_error(options, "only once in a process", "new process");
    }));
}

TEST(Start, NeedsPrivilegesOnlyForDevicesThatDo) {
    EXPECT_TRUE(passes_in_child([] {
        constexpr uid_t kNobody = 65534;
        ASSERT_EQ(setuid(kNobody), 0);
        unsetenv("XDG_RUNTIME_DIR");
        const auto tap = dpdk::Runtime::start(small_options({"net_tap0,iface=ptap0"}, 1));
        ASSERT_FALSE(tap);
        EXPECT_NE(tap.error().remedy.find("run as root"), std::string::npos) << tap.error().remedy;
        const auto null = dpdk::Runtime::start(small_options({"net_null0"}, 1));
        EXPECT_TRUE(null) << null.error().message;
    }));
}

// SIGTERM and SIGCHLD must reach the control thread, wherever it waits.
TEST(Start, KeepsSignalsAwayFromItsThreads) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = dpdk::Runtime::start(small_options({"net_tap0"}, 2));
        ASSERT_TRUE(runtime);
        Decider first(drop), second(drop);
        const std::array processors{first.processor(), second.processor()};
        ASSERT_TRUE((*runtime)->launch_workers(processors));
        ASSERT_TRUE(eventually([&] { return first.quiescent > 0 && second.quiescent > 0; }));
        int threads = 0;
        for (const auto& task : fs::directory_iterator("/proc/self/task")) {
            if (task.path().filename() == std::to_string(getpid())) continue;
            ++threads;
            std::ifstream status(task.path() / "status");
            for (std::string line; std::getline(status, line);) {
                if (!line.starts_with("SigBlk:")) continue;
                const std::uint64_t blocked = std::stoull(line.substr(7), nullptr, 16);
                for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
                    EXPECT_NE(blocked & (std::uint64_t{1} << (signal - 1)), 0U)
                        << task.path() << " takes signal " << signal;
                }
            }
        }
        EXPECT_GE(threads, 3);
    }));
}

TEST(Start, RunsOnHugepagesWhereThereAreSome) {
    dpdk::RuntimeOptions options = small_options({"net_null0"}, 1);
    options.hugepages = true;
    std::ifstream free("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    unsigned pages = 0;
    free >> pages;
    if (pages * 2 < options.memory_mib) GTEST_SKIP() << "not enough free hugepages";
    EXPECT_TRUE(passes_in_child([&options] {
        const auto runtime = dpdk::Runtime::start(options);
        EXPECT_TRUE(runtime) << runtime.error().message;
    }));
}

}  // namespace
}  // namespace pollux::test
