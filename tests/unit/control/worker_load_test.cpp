// SPDX-License-Identifier: Apache-2.0
#include "control/api/worker_load.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control::api {
namespace {

using namespace std::chrono_literals;

// One worker's readings: packets of 100 bytes.
void sample(WorkerLoad& load, std::chrono::milliseconds at, std::uint64_t packets,
            std::uint64_t busy, std::uint64_t total) {
    dpdk::WorkerView view;
    view.busy_cycles = busy;
    view.total_cycles = total;
    lb::WorkerCounters counters;
    counters.received = packets;
    counters.received_bytes = 100 * packets;
    load.sample(testing::at(at), {&view, 1}, {&counters, 1});
}

TEST(WorkerLoad, TellsWhatHappenedBetweenTheLastTwoSamples) {
    WorkerLoad load;
    sample(load, 1000ms, 1000, 5000, 100000);
    EXPECT_FALSE(load.rate(0));
    sample(load, 3000ms, 5000, 405000, 1100000);

    const auto rate = load.rate(0);

    ASSERT_TRUE(rate);
    EXPECT_DOUBLE_EQ(rate->packets_per_second, 2000);
    EXPECT_DOUBLE_EQ(rate->bits_per_second, 1600000);
    EXPECT_DOUBLE_EQ(rate->busy_share, 0.4);
    EXPECT_DOUBLE_EQ(rate->cycles_per_packet, 100);
    EXPECT_FALSE(load.rate(1));
}

TEST(WorkerLoad, IdleWorkerHasNoCyclesPerPacket) {
    WorkerLoad load;
    sample(load, 1000ms, 1000, 5000, 100000);
    sample(load, 2000ms, 1000, 5000, 200000);

    EXPECT_DOUBLE_EQ(load.rate(0)->cycles_per_packet, 0);
    EXPECT_DOUBLE_EQ(load.rate(0)->busy_share, 0);
}

}  // namespace
}  // namespace pollux::control::api
