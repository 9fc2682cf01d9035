// SPDX-License-Identifier: Apache-2.0
// Two processes over net_memif, also with different numbers of workers.
#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

constexpr lb::PortId kPort{0};

dpdk::RuntimeOptions memif_options(const std::string& role, unsigned workers, pid_t pid) {
    const std::string vdev = "net_memif0,role=" + role + ",socket-abstract=yes,socket=pollux-pair";
    dpdk::RuntimeOptions options = small_options({vdev.c_str()}, workers);
    options.file_prefix = "pollux-test-" + std::to_string(pid) + role;
    return options;
}

// Runs workers with `decide` on its end of the link.
class End {
  public:
    End(const std::string& role, unsigned workers, const Decider::Decide& decide) {
        auto started = dpdk::Runtime::start(memif_options(role, workers, getpid()));
        EXPECT_TRUE(started) << started.error().message;
        runtime = std::move(started).value();
        std::vector<dpdk::BurstProcessor> processors;
        for (unsigned i = 0; i < workers; ++i) {
            deciders_.push_back(std::make_unique<Decider>(decide));
            processors.push_back(deciders_.back()->processor());
        }
        EXPECT_TRUE(runtime->launch_workers(processors));
    }
    ~End() { runtime->stop_workers(); }

    std::unique_ptr<dpdk::Runtime> runtime;

  private:
    std::vector<std::unique_ptr<Decider>> deciders_;
};

struct Workers {
    unsigned server, client;
};

class Memif : public testing::TestWithParam<Workers> {};

void exchange_frames(const End& client) {
    // The server must be ready before: a client that is turned away does not try again.
    ASSERT_TRUE(eventually([&] { return client.runtime->ports()[0].link_up; }));
    for (std::uint8_t i = 0; i < 20; ++i) {
        std::vector<std::uint8_t> frame = test_frame(kTestEtherType, 60, i);
        EXPECT_TRUE(client.runtime->transmit(kPort, frame));
        std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
        ASSERT_TRUE(eventually([&] {
            const auto frames = client.runtime->receive_punted();
            return frames.size() == 1 &&
                   std::equal(frame.begin(), frame.end(), frames[0].bytes.begin());
        })) << "frame "
            << static_cast<int>(i);
    }
}

TEST_P(Memif, CarriesFramesThereAndBack) {
    EXPECT_TRUE(passes_in_child([] {
        std::array<int, 2> ready{};
        ASSERT_EQ(pipe(ready.data()), 0);
        const pid_t other = fork();
        if (other == 0) {
            const End server("server", GetParam().server, echo);
            if (write(ready[1], "y", 1) != 1) _exit(1);
            for (;;) pause();
        }
        char answer = 0;
        EXPECT_EQ(read(ready[0], &answer, 1), 1);
        exchange_frames(End("client", GetParam().client, punt));
        kill(other, SIGKILL);
        waitpid(other, nullptr, 0);
        std::filesystem::remove_all("/var/run/dpdk/" +
                                    memif_options("server", 1, other).file_prefix);
    }));
}

INSTANTIATE_TEST_SUITE_P(Numbers, Memif,
                         testing::Values(Workers{1, 1}, Workers{2, 2}, Workers{1, 2},
                                         Workers{2, 1}),
                         [](const auto& workers) {
                             return "server_" + std::to_string(workers.param.server) + "_client_" +
                                    std::to_string(workers.param.client);
                         });

}  // namespace
}  // namespace pollux::test
