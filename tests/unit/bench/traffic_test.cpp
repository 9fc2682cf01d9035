// SPDX-License-Identifier: Apache-2.0
// Flood, expiry and scale on small tables: what they do, not how long it takes.
#include <gtest/gtest.h>

#include "tools/bench/expire_bench.h"
#include "tools/bench/flood_bench.h"
#include "tools/bench/scale_bench.h"
#include "tools/bench/testbed.h"

namespace pollux::bench {
namespace {

Options small(lb::ForwardingMethod method) {
    Options options;
    options.method = method;
    options.flows = 2000;
    options.samples = 20;
    return options;
}

TEST(BenchFlood, EstablishedConnectionsOutliveAFullTable) {
    Options options = small(lb::ForwardingMethod::Nat);
    options.samples = 40;  // 81,920 SYNs for a table of 65,536
    const Result<FloodFigure> figure = measure_flood(options);
    ASSERT_TRUE(figure) << figure.error().message;
    EXPECT_EQ(figure->survived, 2000U);
    EXPECT_EQ(figure->syns, 40U * kBatch / 2);
    EXPECT_GT(figure->opened, 0U);
    EXPECT_LT(figure->opened, figure->capacity);
    std::uint64_t dropped = 0;
    for (const auto& [reason, number] : figure->dropped) dropped += number;
    EXPECT_GT(dropped, 0U);
    EXPECT_NE(flood_text(*figure).find("survived"), std::string::npos);
    EXPECT_EQ(figure->newcomers, 20U * 16);
    EXPECT_GT(figure->newcomers_established, 0U);
    EXPECT_LE(figure->newcomers_established, figure->newcomers);
}

TEST(BenchFlood, HalfOpenConnectionsAreEvictedInTime) {
    Options options = small(lb::ForwardingMethod::Nat);
    options.samples = 100;  // 0.4 s of virtual time
    const Result<FloodFigure> figure = measure_flood(options);
    ASSERT_TRUE(figure) << figure.error().message;
    EXPECT_GT(figure->evicted, 16384U) << "the share of half-open ones has been used again";
    EXPECT_EQ(figure->survived, 2000U);
}

TEST(BenchExpire, IterationsAreSortedIntoAFigure) {
    std::vector<std::uint32_t> cycles(100'000, 2'000);
    cycles[7] = 100'000;  // 50 us: not over the goal
    cycles[8] = 200'000;
    const IterationFigure figure = summarize_iterations(cycles, 2'000);
    EXPECT_EQ(figure.count, 100'000U);
    EXPECT_EQ(figure.median_us, 1);
    EXPECT_EQ(figure.p999_us, 1);
    EXPECT_EQ(figure.longest_us, 100);
    EXPECT_EQ(figure.over_goal, 1U);
}

TEST(BenchScale, EveryNumberOfWorkersIsMeasured) {
    Options options = small(lb::ForwardingMethod::FullNat);
    options.workers = 3;
    const auto figures = measure_scale(options);
    ASSERT_TRUE(figures) << figures.error().message;
    ASSERT_EQ(figures->size(), 3U);
    for (const ScaleFigure& figure : *figures) {
        EXPECT_EQ(figure.cost.size(), figure.workers);
        EXPECT_GT(figure.mean_p10(), 0);
    }
}

TEST(BenchScale, WorkersShareTheirConnections) {
    const Options options = small(lb::ForwardingMethod::Nat);
    auto first = Testbed::create(options, 2);
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_TRUE(first.value()->establish());
    const auto second = first.value()->sibling(1);
    ASSERT_TRUE(second) << second.error().message;
    second.value()->online();
    second.value()->load_random(Travel::Reply);
    EXPECT_TRUE(second.value()->verify(Travel::Reply));
    EXPECT_EQ(second.value()->counters().connection_hits, kBatch);
    EXPECT_EQ(second.value()->counters().connections_created, 0U);
}

}  // namespace
}  // namespace pollux::bench
