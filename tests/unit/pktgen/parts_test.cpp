// SPDX-License-Identifier: Apache-2.0
// Rate control, histogram, search and sequence window by themselves.
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tools/pktgen/histogram.h"
#include "tools/pktgen/pacer.h"
#include "tools/pktgen/search.h"
#include "tools/pktgen/sequence_window.h"

namespace pollux::pktgen {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr lb::TimePoint kStart{std::chrono::seconds(5)};

TEST(Pacer, GrantsTheRateHoweverOftenItIsAsked) {
    for (const microseconds step : {microseconds(1), microseconds(7), microseconds(90)}) {
        Pacer pacer(1e6, milliseconds(1), kStart);
        std::uint64_t granted = 0;
        lb::TimePoint now = kStart;
        for (; now < kStart + milliseconds(200); now += step) granted += pacer.grant(now, 64);
        // At most one step's frames are still to be granted.
        const double expected = std::chrono::duration<double>(now - kStart).count() * 1e6;
        if (step < microseconds(64)) {
            EXPECT_NEAR(static_cast<double>(granted), expected, 100) << step.count();
        }
        EXPECT_LE(static_cast<double>(granted), expected);
    }
}

TEST(Pacer, NeverGrantsMoreThanAsked) {
    Pacer pacer(1e9, milliseconds(1), kStart);
    EXPECT_EQ(pacer.grant(kStart + milliseconds(1), 32), 32U);
}

TEST(Pacer, MakesUpForAShortDelayOnly) {
    Pacer pacer(1e6, milliseconds(1), kStart);
    std::uint64_t granted = 0;
    const lb::TimePoint late = kStart + milliseconds(10);
    while (const unsigned burst = pacer.grant(late, 64)) granted += burst;
    EXPECT_EQ(granted, 1000U);
    EXPECT_EQ(pacer.forfeited(), 9000U);
}

TEST(Pacer, SendsSingleFramesAtRatesBelowOneInACatchUp) {
    Pacer pacer(10, milliseconds(1), kStart);
    unsigned granted = 0;
    for (int ms = 0; ms <= 1000; ++ms) granted += pacer.grant(kStart + milliseconds(ms), 64);
    EXPECT_NEAR(granted, 10, 1);
}

TEST(Histogram, SmallValuesAreExact) {
    Histogram histogram;
    for (std::uint64_t value = 0; value < 100; ++value) histogram.record(value);
    EXPECT_EQ(histogram.percentile(0.5), 49U);
    EXPECT_EQ(histogram.percentile(1), 99U);
    EXPECT_EQ(histogram.percentile(0), 0U);
    EXPECT_DOUBLE_EQ(histogram.mean(), 49.5);
}

TEST(Histogram, PercentilesAreWithinASixtyFourthOfTheTruth) {
    std::mt19937_64 random(7);
    std::vector<std::uint64_t> values;
    Histogram histogram;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(std::uint64_t{1} << (random() % 33) | random() % 4096);
        histogram.record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000)) - 1;
        const auto truth = static_cast<double>(values[rank]);
        const auto found = static_cast<double>(histogram.percentile(share));
        EXPECT_GE(found, truth) << share;
        EXPECT_LE(found, truth * (1 + 1.0 / 64)) << share;
    }
}

TEST(Histogram, BucketsHoldEveryValue) {
    Histogram histogram;
    histogram.record(0);
    histogram.record(Histogram::kLargest);
    histogram.record(~std::uint64_t{0});
    EXPECT_EQ(histogram.maximum(), Histogram::kLargest);
    std::uint64_t sum = 0;
    for (const Histogram::Bucket& bucket : histogram.buckets()) sum += bucket.count;
    EXPECT_EQ(sum, 3U);
    EXPECT_EQ(histogram.buckets().back().upper_end, Histogram::kLargest);
}

TEST(Histogram, EmptyHasNoPercentiles) {
    const Histogram histogram;
    EXPECT_EQ(histogram.percentile(0.99), 0U);
    EXPECT_EQ(histogram.minimum(), 0U);
    EXPECT_TRUE(histogram.buckets().empty());
}

// Runs a search against a device that passes up to `limit`.
std::optional<double> search_for(double limit, double tolerance, std::vector<double>* tried) {
    RateSearch search({1e3, 1e6, 0.01}, tolerance);
    while (const auto rate = search.next()) {
        if (tried != nullptr) tried->push_back(*rate);
        if (tried != nullptr && tried->size() > 100) break;
        search.add({*rate, *rate <= limit ? 0 : 1 - limit / *rate, true});
    }
    return search.best();
}

TEST(RateSearch, FindsTheLimitWithinTheResolution) {
    for (const double limit : {1e3, 1.5e3, 77e3, 500e3, 999e3}) {
        std::vector<double> tried;
        const auto best = search_for(limit, 0, &tried);
        ASSERT_TRUE(best) << limit;
        EXPECT_LE(*best, limit);
        EXPECT_GE(*best, limit * 0.985) << limit;
        EXPECT_LE(tried.size(), 20U);
    }
}

TEST(RateSearch, TriesTheHighestFirstAndIsDoneIfItPasses) {
    std::vector<double> tried;
    EXPECT_EQ(search_for(2e6, 0, &tried), 1e6);
    EXPECT_EQ(tried, std::vector<double>{1e6});
}

TEST(RateSearch, HasNoResultIfTheLowestFails) {
    std::vector<double> tried;
    EXPECT_FALSE(search_for(500, 0, &tried));
    EXPECT_EQ(tried.back(), 1e3);
}

TEST(RateSearch, TolerancePassesSmallLosses) {
    const auto best = search_for(100e3, 0.1, nullptr);
    ASSERT_TRUE(best);
    EXPECT_GT(*best, 105e3);
    EXPECT_LE(*best, 111.2e3);
}

TEST(RateSearch, APassAboveAFailureDoesNotCount) {
    RateSearch search({1e3, 1e6, 0.01}, 0);
    search.add({500e3, 0.2, true});
    search.add({700e3, 0, true});
    search.add({300e3, 0, true});
    EXPECT_EQ(search.best(), 300e3);
    EXPECT_EQ(search.next(), 400e3);
}

TEST(RateSearch, ARateThatWasNotOfferedIsNoPass) {
    RateSearch search({1e3, 1e6, 0.01}, 0);
    search.add({1e6, 0, false});
    EXPECT_FALSE(search.best());
    search.add({400e3, 0, true});
    EXPECT_TRUE(search.generator_bound());
    search.add({700e3, 0.5, true});
    EXPECT_FALSE(search.generator_bound());
}

TEST(RateSearch, GoesOnFromTrialsThatWereMadeBefore) {
    RateSearch strict({1e3, 1e6, 0.01}, 0);
    strict.add({1e6, 0.3, true});
    strict.add({500e3, 0.0005, true});
    strict.add({250e3, 0, true});
    RateSearch lax({1e3, 1e6, 0.01}, 0.001, strict.points());
    EXPECT_EQ(lax.best(), 500e3);
    EXPECT_EQ(lax.next(), 750e3);
}

TEST(SequenceWindow, TellsOvertakenFramesFromRepeatedOnes) {
    SequenceWindow window;
    EXPECT_EQ(window.arrive(1), Arrival::InOrder);
    EXPECT_EQ(window.arrive(3), Arrival::InOrder);
    EXPECT_EQ(window.arrive(2), Arrival::Overtaken);
    EXPECT_EQ(window.arrive(2), Arrival::Repeated);
    EXPECT_EQ(window.arrive(3), Arrival::Repeated);
    EXPECT_EQ(window.last(), 3U);
}

TEST(SequenceWindow, DoesNotBelieveFramesThatAreTooOldToTell) {
    SequenceWindow window;
    EXPECT_EQ(window.arrive(100), Arrival::InOrder);
    EXPECT_EQ(window.arrive(37), Arrival::Overtaken);
    EXPECT_EQ(window.arrive(36), Arrival::Repeated);
}

TEST(SequenceWindow, GoesOnBeyondTheEndOfTheNumbers) {
    SequenceWindow window;
    EXPECT_EQ(window.arrive(0x7fffffff), Arrival::InOrder);
    EXPECT_EQ(window.arrive(0xfffffffe), Arrival::InOrder);
    EXPECT_EQ(window.arrive(2), Arrival::InOrder);
    EXPECT_EQ(window.arrive(0xffffffff), Arrival::Overtaken);
}

}  // namespace
}  // namespace pollux::pktgen
