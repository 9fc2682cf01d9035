// SPDX-License-Identifier: Apache-2.0

// Several workers schedule at once: no choice is lost or doubled for rr and wrr, counts are global
// for the others. Run under ThreadSanitizer by `tools/dev tsan`.

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/scheduler/harness.h"

namespace pollux::lb::test {
namespace {

constexpr unsigned kThreads = 4;
constexpr unsigned kPerThread = 25'000;

// Each thread opens its share of 100,000 connections; returns how many each server got.
std::vector<unsigned> open_from_all_threads(Service& service, std::size_t servers) {
    std::vector<std::vector<unsigned>> counts(kThreads, std::vector<unsigned>(servers));
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
        threads.emplace_back([&service, &mine = counts[t], t] {
            ScheduleInput input;
            input.now = TimePoint(std::chrono::hours(1));
            for (unsigned i = 0; i < kPerThread; ++i) {
                input.destination = v4((t << 16U) + i % 512);
                const RealServerId id = service.open(input);
                ++mine.at(index(id));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<unsigned> sum(servers);
    for (const auto& mine : counts) {
        for (std::size_t i = 0; i < servers; ++i) sum[i] += mine[i];
    }
    return sum;
}

TEST(ManyWorkers, RoundRobinIsExact) {
    Service service(SchedulerKind::Rr);
    for (int i = 0; i < 5; ++i) service.add(1);
    for (const unsigned count : open_from_all_threads(service, 5)) EXPECT_EQ(count, 20'000U);
}

TEST(ManyWorkers, WeightedRoundRobinIsExact) {
    Service service(SchedulerKind::Wrr);
    service.add_each({5, 3, 2});
    EXPECT_EQ(open_from_all_threads(service, 3), (std::vector<unsigned>{50'000, 30'000, 20'000}));
}

class Converges : public testing::TestWithParam<SchedulerKind> {};

TEST_P(Converges, SharesFollowTheWeightsWithinOnePercent) {
    Service service(GetParam());
    service.add_each({5, 3, 2});
    const std::vector<unsigned> shares = open_from_all_threads(service, 3);
    EXPECT_NEAR(shares[0], 50'000, 1000);
    EXPECT_NEAR(shares[1], 30'000, 1000);
    EXPECT_NEAR(shares[2], 20'000, 1000);
}
INSTANTIATE_TEST_SUITE_P(Weighted, Converges,
                         testing::Values(SchedulerKind::Wlc, SchedulerKind::Sed, SchedulerKind::Nq,
                                         SchedulerKind::Twos),
                         [](const auto& which) { return std::string(to_string(which.param)); });

// The caches are changed by all threads at once; each choice must be a server of the service.
TEST(ManyWorkers, CachesGiveServersOfTheService) {
    for (const SchedulerKind kind : {SchedulerKind::Lblc, SchedulerKind::Lblcr}) {
        Service service(kind);
        service.add_each({50, 30, 20});
        unsigned sum = 0;
        for (const unsigned count : open_from_all_threads(service, 3)) sum += count;
        EXPECT_EQ(sum, kThreads * kPerThread);
    }
}

}  // namespace
}  // namespace pollux::lb::test
