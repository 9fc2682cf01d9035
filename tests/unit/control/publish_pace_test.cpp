// SPDX-License-Identifier: Apache-2.0
#include "control/director/publish_pace.h"

#include <gtest/gtest.h>

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

constexpr lb::TimePoint kStart{1h};

TEST(PublishPace, FirstSnapshotComesAtOnce) {
    EXPECT_EQ(PublishPace().wait(kStart), 0ms);
}

TEST(PublishPace, CheapSnapshotsKeepTheInterval) {
    PublishPace pace;
    pace.published(kStart, kStart + 1ms);
    EXPECT_EQ(pace.wait(kStart + 1ms), 9ms);
    EXPECT_EQ(pace.wait(kStart + 10ms), 0ms);
    EXPECT_EQ(pace.wait(kStart + 1s), 0ms);
}

TEST(PublishPace, DearSnapshotsTakeAFifthOfTheTime) {
    PublishPace pace;
    lb::TimePoint now = kStart;
    lb::Duration building{};
    while (now - kStart < 10s) {
        const lb::TimePoint begin = now;
        now += 20ms;
        building += 20ms;
        pace.published(begin, now);
        EXPECT_EQ(pace.wait(now), 80ms);
        now += pace.wait(now);
    }
    EXPECT_EQ(building, 2s);
}

TEST(PublishPace, NoChangeWaitsLongerThanTheBound) {
    PublishPace pace;
    pace.published(kStart, kStart + 5s);
    EXPECT_EQ(pace.wait(kStart + 5s), 200ms);
    EXPECT_EQ(pace.wait(kStart + 5200ms), 0ms);
}

}  // namespace
}  // namespace pollux::control
