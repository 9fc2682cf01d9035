// SPDX-License-Identifier: Apache-2.0
// Quorum, slow start, flapping and the schedule.

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "control/health/flap_guard.h"
#include "control/health/quorum.h"
#include "control/health/schedule.h"
#include "control/health/slow_start.h"
#include "tests/unit/health/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

TEST(Quorum, IsUpFromQuorumPlusHysteresisAndLostBelowQuorumMinusHysteresis) {
    Quorum quorum(3, 1, true);
    EXPECT_FALSE(quorum.update(2));  // 3 - 1: still enough
    EXPECT_TRUE(quorum.update(1));
    EXPECT_FALSE(quorum.up());
    EXPECT_FALSE(quorum.update(3));  // 3 + 1 is wanted
    EXPECT_TRUE(quorum.update(4));
    EXPECT_TRUE(quorum.up());
}

TEST(Quorum, IsLostWithoutAnyWeightHoweverLargeTheHysteresis) {
    Quorum quorum(1, 5, true);
    EXPECT_FALSE(quorum.update(1));
    EXPECT_TRUE(quorum.update(0));
}

TEST(SlowStart, RampsFromOneStepToTheWholeWeightWhileTheOthersKeepTheirShare) {
    const std::vector<RampingServer> servers = {{1, std::nullopt}, {1, at(100s)}};
    const RampedWeights first = ramp(servers, 20s, at(100s));
    EXPECT_EQ(first.weights[0], kRampSteps);
    EXPECT_EQ(first.weights[1], 1);
    EXPECT_EQ(first.next_step, at(102s));
    const RampedWeights half = ramp(servers, 20s, at(110s));
    EXPECT_EQ(half.weights[0], kRampSteps);
    EXPECT_EQ(half.weights[1], kRampSteps / 2);
    const RampedWeights done = ramp(servers, 20s, at(120s));
    EXPECT_EQ(done.weights[0], std::nullopt);
    EXPECT_EQ(done.weights[1], std::nullopt);
    EXPECT_EQ(done.next_step, std::nullopt);
}

TEST(SlowStart, NeverGoesDownAndTheSharesOfTheOthersNeverChange) {
    const std::vector<RampingServer> servers = {{3, std::nullopt}, {7, at(0s)}, {2, std::nullopt}};
    std::uint16_t before = 0;
    for (auto now = at(0s); now < at(30s); now += 100ms) {
        const RampedWeights ramped = ramp(servers, 30s, now);
        ASSERT_TRUE(ramped.weights[0]) << now.time_since_epoch().count();
        EXPECT_EQ(*ramped.weights[0] * 2, *ramped.weights[2] * 3);
        EXPECT_GE(*ramped.weights[1], before);
        EXPECT_GE(*ramped.weights[1], 1);
        EXPECT_GT(*ramped.next_step, now);
        before = *ramped.weights[1];
    }
}

TEST(SlowStart, LargeWeightsStayWithinTheirRange) {
    const RampedWeights ramped =
        ramp(std::vector<RampingServer>{{65535, std::nullopt}, {65535, at(0s)}}, 20s, at(10s));
    EXPECT_EQ(ramped.weights[0], 65535);
    EXPECT_NEAR(*ramped.weights[1], 65535 / 2, 1);
}

TEST(SlowStart, AQuiescedServerStaysQuiesced) {
    const RampedWeights ramped =
        ramp(std::vector<RampingServer>{{0, std::nullopt}, {1, at(0s)}}, 20s, at(1s));
    EXPECT_EQ(ramped.weights[0], 0);
}

TEST(SlowStart, IsForSchedulersThatShareByWeight) {
    using enum lb::SchedulerKind;
    for (const auto kind : {Wrr, Wlc, Sed, Nq, Lblc, Lblcr, Sh, Mh}) EXPECT_TRUE(ramps(kind));
    for (const auto kind : {Rr, Lc, Dh, Fo, Ovf}) EXPECT_FALSE(ramps(kind));
}

TEST(FlapGuard, HoldsAServerThatWentDownTooOftenWithinTheWindow) {
    const FlapLimits limits{3, 60s, 30s};
    FlapGuard guard;
    guard.down(limits, at(0s));
    guard.down(limits, at(10s));
    EXPECT_EQ(guard.held_until(limits, at(11s)), std::nullopt);
    guard.down(limits, at(20s));
    EXPECT_EQ(guard.held_until(limits, at(21s)), at(51s));
    // The first of the three has left the window.
    EXPECT_EQ(guard.held_until(limits, at(61s)), std::nullopt);
}

TEST(FlapGuard, ALimitOfZeroIsNoGuard) {
    const FlapLimits limits{0, 60s, 30s};
    FlapGuard guard;
    for (int i = 0; i < 10; ++i) guard.down(limits, at(1s));
    EXPECT_EQ(guard.held_until(limits, at(1s)), std::nullopt);
}

TEST(Schedule, GivesDueChecksInOrderAndOnlyTheLatestAppointment) {
    Schedule schedule;
    schedule.set(1, at(10s));
    schedule.set(2, at(5s));
    schedule.set(1, at(3s));
    schedule.set(3, at(4s));
    schedule.cancel(3);
    EXPECT_EQ(schedule.next(), at(3s));
    EXPECT_EQ(schedule.take_due(at(2s)), std::nullopt);
    EXPECT_EQ(schedule.take_due(at(20s)), CheckId{1});
    EXPECT_EQ(schedule.take_due(at(20s)), CheckId{2});
    EXPECT_EQ(schedule.take_due(at(20s)), std::nullopt);
    EXPECT_EQ(schedule.next(), std::nullopt);
}

TEST(Schedule, AgreesWithASortedMapAndStaysSmall) {
    std::mt19937 random(7);
    Schedule schedule;
    std::map<CheckId, lb::TimePoint> model;
    lb::TimePoint now = at(0s);
    for (int step = 0; step < 20000; ++step) {
        const auto check = static_cast<CheckId>(random() % 50);
        const auto when = now + std::chrono::milliseconds(random() % 5000);
        switch (random() % 4) {
            case 0:
                schedule.cancel(check);
                model.erase(check);
                break;
            case 1: {
                now += 20ms;
                const auto taken = schedule.take_due(now);
                const auto first = std::min_element(
                    model.begin(), model.end(),
                    [](const auto& a, const auto& b) { return a.second < b.second; });
                const bool due = first != model.end() && first->second <= now;
                ASSERT_EQ(taken.has_value(), due) << step;
                if (!taken) break;
                ASSERT_EQ(model.at(*taken), first->second) << step;
                model.erase(*taken);
                break;
            }
            default:
                schedule.set(check, when);
                model[check] = when;
        }
        ASSERT_LE(schedule.size(), 64U + 3 * 50);
    }
}

}  // namespace
}  // namespace pollux::control
