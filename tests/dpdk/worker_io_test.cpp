// SPDX-License-Identifier: Apache-2.0
// Tasks that send by themselves, over net_ring, whose frames come back to the port that sent them.
#include "dataplane/dpdk/worker_io.h"

#include <array>
#include <atomic>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

constexpr lb::PortId kPort{0};

// What a task saw; the main thread reads it when the task has returned.
struct Result {
    unsigned sent = 0, received = 0, intact = 0, refused = 0;
    bool grew = false;  // the clock
};

// Sends numbered frames and collects them until as many are back.
void send_and_collect(void* context, dpdk::WorkerIo& io) noexcept {
    auto& result = *static_cast<Result*>(context);
    const lb::TimePoint start = io.now();
    std::array<lb::Packet, 32> packets;
    while (result.received < 320 && !io.stopping()) {
        if (result.sent < 320 && io.allocate(packets) == packets.size()) {
            for (lb::Packet& packet : packets) {
                std::memset(packet.data, static_cast<int>(result.sent++ % 256), 100);
                packet.length = packet.frame_length = 100;
            }
            const unsigned taken = io.transmit(kPort, packets);
            io.release(std::span(packets).subspan(taken));
            result.refused += static_cast<unsigned>(packets.size()) - taken;
        }
        const unsigned count = io.receive(kPort, packets);
        for (unsigned i = 0; i < count; ++i) {
            const auto expected = static_cast<std::uint8_t>(result.received++ % 256);
            const bool intact = packets[i].length == 100 && packets[i].data[0] == expected &&
                                packets[i].data[99] == expected && packets[i].port == kPort;
            result.intact += intact ? 1U : 0U;
        }
        io.release(std::span(packets).subspan(0, count));
    }
    result.grew = io.now() > start;
}

void run_until_stopped(void* context, dpdk::WorkerIo& io) noexcept {
    auto& rounds = *static_cast<std::atomic<unsigned>*>(context);
    while (!io.stopping()) rounds.fetch_add(1, std::memory_order_relaxed);
}

TEST(WorkerIo, SendsReceivesAndReturnsEveryBuffer) {
    EXPECT_TRUE(passes_in_child([] {
        auto runtime = dpdk::Runtime::start(small_options({"net_ring0"}, 1));
        ASSERT_TRUE(runtime) << runtime.error().message;
        const auto free_buffers = [&] { return runtime.value()->pools().at(0).free; };
        const std::uint32_t before = free_buffers();
        Result result;
        const dpdk::WorkerTask task{&result, send_and_collect};
        ASSERT_TRUE(runtime.value()->launch_tasks({&task, 1}));
        ASSERT_TRUE(eventually([&] { return !runtime.value()->workers_running(); }));
        runtime.value()->stop_workers();
        EXPECT_EQ(result.received, 320U);
        EXPECT_EQ(result.intact, 320U);
        EXPECT_EQ(result.refused, 0U);
        EXPECT_TRUE(result.grew);
        EXPECT_EQ(free_buffers(), before);
    }));
}

TEST(WorkerIo, TasksEndWhenTheyAreStopped) {
    EXPECT_TRUE(passes_in_child([] {
        auto runtime = dpdk::Runtime::start(small_options({"net_ring0"}, 1));
        ASSERT_TRUE(runtime) << runtime.error().message;
        std::atomic<unsigned> rounds{0};
        const dpdk::WorkerTask task{&rounds, run_until_stopped};
        ASSERT_TRUE(runtime.value()->launch_tasks({&task, 1}));
        EXPECT_FALSE(runtime.value()->launch_tasks({&task, 1}));  // they run already
        ASSERT_TRUE(eventually([&] { return rounds.load(std::memory_order_relaxed) > 0; }));
        EXPECT_TRUE(runtime.value()->workers_running());
        runtime.value()->stop_workers();
        EXPECT_FALSE(runtime.value()->workers_running());
    }));
}

TEST(WorkerIo, EveryWorkerNeedsATransmitQueue) {
    EXPECT_TRUE(passes_in_child([] {
        const char* vdev = "net_memif0,role=server,socket-abstract=yes,socket=pollux-io";
        auto runtime = dpdk::Runtime::start(small_options({vdev}, 2));
        ASSERT_TRUE(runtime) << runtime.error().message;
        std::atomic<unsigned> rounds{0};
        const std::array tasks{dpdk::WorkerTask{&rounds, run_until_stopped},
                               dpdk::WorkerTask{&rounds, run_until_stopped}};
        const Status status = runtime.value()->launch_tasks(tasks);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().message, "port 'port0' has fewer transmit queues than workers");
    }));
}

}  // namespace
}  // namespace pollux::test
