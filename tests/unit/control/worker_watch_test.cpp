// SPDX-License-Identifier: Apache-2.0
#include "control/director/worker_watch.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using std::chrono::milliseconds;

std::vector<dpdk::WorkerView> beats(std::uint64_t first, std::uint64_t second) {
    std::vector<dpdk::WorkerView> views(2);
    views[0].heartbeat = first;
    views[1].heartbeat = second;
    return views;
}

TEST(WorkerWatch, TheMostSilentWorkerCounts) {
    WorkerWatch watch;
    watch.update(beats(1, 1), at(milliseconds(0)));
    watch.update(beats(2, 2), at(milliseconds(20)));
    watch.update(beats(3, 2), at(milliseconds(40)));

    EXPECT_EQ(watch.longest_silence(at(milliseconds(60))), milliseconds(40));
    watch.update(beats(3, 3), at(milliseconds(60)));
    EXPECT_EQ(watch.longest_silence(at(milliseconds(60))), milliseconds(20));
}

TEST(WorkerWatch, NoWorkersAreNeverSilent) {
    EXPECT_EQ(WorkerWatch().longest_silence(at(milliseconds(60))), milliseconds(0));
}

}  // namespace
}  // namespace pollux::control
