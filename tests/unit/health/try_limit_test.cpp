// SPDX-License-Identifier: Apache-2.0
// What a late control loop does to the limits of tries: docs/health.md, "When".

#include "control/health/try_limit.h"

#include <gtest/gtest.h>

#include "control/health/lateness.h"
#include "tests/unit/health/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

TEST(TryLimit, IsItsLengthWhileTheLoopIsInTime) {
    LoopLag lag;
    const TryLimit limit(at(10s), 500ms, lag);
    for (int i = 0; i < 400; ++i) lag.woke(at(10s + i * 1ms), at(10s + i * 1ms + 1ms));
    EXPECT_EQ(limit.end(lag), at(10s + 500ms));
}

TEST(TryLimit, TimeThatTheLoopSleptThroughDoesNotCount) {
    LoopLag lag;
    const TryLimit limit(at(10s), 500ms, lag);
    lag.woke(at(10s + 100ms), at(10s + 400ms));
    EXPECT_EQ(limit.end(lag), at(10s + 800ms));
}

TEST(TryLimit, TimeLostBeforeTheTryDoesNotLengthenIt) {
    LoopLag lag;
    lag.woke(at(1s), at(9s));
    const TryLimit limit(at(10s), 500ms, lag);
    EXPECT_EQ(limit.end(lag), at(10s + 500ms));
}

TEST(TryLimit, ADeadServerIsFoundWithinTwiceTheLimitHoweverLateTheLoopIs) {
    LoopLag lag;
    const TryLimit limit(at(10s), 500ms, lag);
    lag.woke(at(10s), at(60s));
    EXPECT_EQ(limit.end(lag), at(11s));
}

TEST(Lateness, CountsByStepsAndKeepsTheRest) {
    Lateness lateness;
    for (const Duration late : {Duration{0us}, Duration{1ms}, Duration{1001us}, Duration{500ms},
                                Duration{501ms}, Duration{1h}}) {
        lateness.add(late);
    }
    const Lateness::Counts wanted{2, 1, 0, 0, 0, 0, 0, 0, 1, 2};
    EXPECT_EQ(lateness.counts(), wanted);
}

}  // namespace
}  // namespace pollux::control
