// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/probe_plan.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using std::chrono::milliseconds;

const NeighbourKey kServer{kLanTap, ip("10.0.1.7")};
const std::set<InterfaceIndex> kTaps{kWanTap, kLanTap};

TEST(ProbePlan, WantedNeighbourIsProbedAheadOfTraffic) {
    ProbePlan plan;
    plan.set_wanted({kServer});

    EXPECT_EQ(plan.due({}, kTaps, at(milliseconds(0))), std::vector{kServer});
    EXPECT_TRUE(plan.due({}, kTaps, at(milliseconds(100))).empty());
    EXPECT_EQ(plan.due({}, kTaps, at(milliseconds(2000))), std::vector{kServer});
}

TEST(ProbePlan, OnlyStaleNeighboursOfTapsAreRefreshed) {
    struct Case {
        NeighbourState state;
        InterfaceIndex interface;
        bool probed;
    };
    const Case cases[] = {
        {NeighbourState::Stale, kLanTap, true},      {NeighbourState::Stale, kForeign, false},
        {NeighbourState::Reachable, kLanTap, false}, {NeighbourState::Delay, kLanTap, false},
        {NeighbourState::Failed, kLanTap, false},    {NeighbourState::Permanent, kLanTap, false},
    };
    for (const Case& test : cases) {
        ProbePlan plan;
        const NeighbourKey key{test.interface, ip("10.0.1.9")};
        const auto due = plan.due({{key, neighbour("02:aa:00:00:00:09", test.state)}}, kTaps,
                                  at(milliseconds(0)));
        EXPECT_EQ(!due.empty(), test.probed) << to_string(test.state);
    }
}

TEST(ProbePlan, FailedWantedNeighbourIsAskedAgain) {
    ProbePlan plan;
    plan.set_wanted({kServer});
    const std::map<NeighbourKey, Neighbour> failed = {
        {kServer, neighbour("02:aa:00:00:00:07", NeighbourState::Failed)}};

    EXPECT_EQ(plan.due(failed, kTaps, at(milliseconds(0))).size(), 1U);
    EXPECT_EQ(plan.due(failed, kTaps, at(milliseconds(2000))).size(), 1U);
}

TEST(ProbePlan, BudgetSpreadsProbesOverCalls) {
    ProbePlan plan({milliseconds(2000), milliseconds(10000), 2});
    std::set<NeighbourKey> wanted;
    for (const char* address : {"10.0.1.1", "10.0.1.2", "10.0.1.3"}) {
        wanted.insert({kLanTap, ip(address)});
    }
    plan.set_wanted(wanted);

    EXPECT_EQ(plan.due({}, kTaps, at(milliseconds(0))).size(), 2U);
    EXPECT_EQ(plan.due({}, kTaps, at(milliseconds(100))).size(), 1U);
}

TEST(ProbePlan, ManyWaitingFramesCauseOneProbe) {
    ProbePlan plan;

    EXPECT_TRUE(plan.want_now(kServer, at(milliseconds(0))));
    EXPECT_FALSE(plan.want_now(kServer, at(milliseconds(1))));
    EXPECT_TRUE(plan.want_now(kServer, at(milliseconds(2000))));
}

}  // namespace
}  // namespace pollux::control
