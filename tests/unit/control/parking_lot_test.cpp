// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/parking_lot.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using std::chrono::milliseconds;

const HopKey kHop{lb::PortId{1}, ip("10.0.1.7")};
const HopKey kOther{lb::PortId{1}, ip("10.0.1.8")};
const std::vector<std::uint8_t> kFrame(60, 0x55);

TEST(ParkingLot, GivesFramesBackInOrderOfArrival) {
    ParkingLot lot;
    lot.park(kHop, std::vector<std::uint8_t>{1}, at(milliseconds(0)));
    lot.park(kHop, std::vector<std::uint8_t>{2}, at(milliseconds(1)));
    lot.park(kOther, std::vector<std::uint8_t>{3}, at(milliseconds(2)));

    const auto frames = lot.take(kHop);

    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0][0], 1);
    EXPECT_EQ(frames[1][0], 2);
    EXPECT_EQ(lot.frames(), 1U);
    EXPECT_TRUE(lot.take(kHop).empty());
}

TEST(ParkingLot, RefusesBeyondEachLimit) {
    struct Case {
        const char* name;
        ParkingLimits limits;
        HopKey second;
    };
    const Case cases[] = {
        {"frames of a hop", {1, 10, 10, milliseconds(3000)}, kHop},
        {"hops", {10, 1, 10, milliseconds(3000)}, kOther},
        {"frames", {10, 10, 1, milliseconds(3000)}, kOther},
    };
    for (const Case& test : cases) {
        ParkingLot lot(test.limits);
        EXPECT_TRUE(lot.park(kHop, kFrame, at(milliseconds(0)))) << test.name;
        EXPECT_FALSE(lot.park(test.second, kFrame, at(milliseconds(0)))) << test.name;
        EXPECT_EQ(lot.counters().refused, 1U) << test.name;
        EXPECT_EQ(lot.frames(), 1U) << test.name;
    }
}

TEST(ParkingLot, FramesExpireOneByOne) {
    ParkingLot lot({10, 10, 10, milliseconds(3000)});
    lot.park(kHop, kFrame, at(milliseconds(0)));
    lot.park(kHop, kFrame, at(milliseconds(1000)));

    lot.expire(at(milliseconds(2999)));
    EXPECT_EQ(lot.frames(), 2U);
    lot.expire(at(milliseconds(3000)));
    EXPECT_EQ(lot.frames(), 1U);
    lot.expire(at(milliseconds(4000)));

    EXPECT_EQ(lot.frames(), 0U);
    EXPECT_EQ(lot.hops(), 0U);
    EXPECT_EQ(lot.counters().expired, 2U);
}

TEST(ParkingLot, AccountsForEveryFrame) {
    ParkingLot lot({2, 10, 10, milliseconds(3000)});
    for (int i = 0; i < 3; ++i) lot.park(kHop, kFrame, at(milliseconds(0)));
    lot.park(kOther, kFrame, at(milliseconds(0)));
    (void)lot.take(kHop);
    lot.give_up(kOther);

    const ParkingCounters& counters = lot.counters();
    EXPECT_EQ(counters.parked, 3U);
    EXPECT_EQ(counters.sent, 2U);
    EXPECT_EQ(counters.expired, 1U);
    EXPECT_EQ(counters.refused, 1U);
    EXPECT_EQ(counters.parked, counters.sent + counters.expired + lot.frames());
}

}  // namespace
}  // namespace pollux::control
