// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/sampler.h"

#include <gtest/gtest.h>

namespace pollux::bench {
namespace {

TEST(Sampler, SummarizesByRankWhateverTheOrder) {
    std::vector<double> costs;
    for (int i = 100; i >= 1; --i) costs.push_back(i);

    const Measured measured = summarize(costs);

    EXPECT_EQ(measured.minimum, 1);
    EXPECT_EQ(measured.p10, 11);  // ten samples are below
    EXPECT_EQ(measured.median, 51);
}

TEST(Sampler, OneSampleIsEverything) {
    const Measured measured = summarize({7});
    EXPECT_EQ(measured.minimum, 7);
    EXPECT_EQ(measured.p10, 7);
    EXPECT_EQ(measured.median, 7);
}

TEST(Sampler, ADisturbedHalfDoesNotMoveTheTenthPercentile) {
    std::vector<double> costs(10, 50.0);
    costs.resize(20, 5000.0);
    EXPECT_EQ(summarize(costs).p10, 50);
}

}  // namespace
}  // namespace pollux::bench
