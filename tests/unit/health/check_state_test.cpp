// SPDX-License-Identifier: Apache-2.0
// Damping of one check: keepalived.conf(5), "retry", "delay_before_retry", "delay_loop", "warmup".

#include "control/health/check_state.h"

#include <gtest/gtest.h>

#include "tests/unit/health/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

CheckConfig with_retry(unsigned retry) {
    CheckConfig check = tcp_check();
    check.retry = retry;
    return check;
}

TEST(CheckState, OneFailureOfAServerThatIsUpLeadsToARetryFirst) {
    CheckState state(with_retry(1), true);
    const auto verdict = state.judge(TryOutcome::Failure, at(10s), at(10s));
    EXPECT_FALSE(verdict.changed);
    EXPECT_TRUE(state.up());
    EXPECT_FALSE(state.decided());
    EXPECT_EQ(verdict.next_at, at(11s));  // delay_before_retry
}

TEST(CheckState, DownAfterTheRetriesAreUsedUp) {
    for (const unsigned retry : {0U, 1U, 3U}) {
        CheckState state(with_retry(retry), true);
        for (unsigned i = 0; i < retry; ++i) {
            EXPECT_FALSE(state.judge(TryOutcome::Failure, at(0s), at(0s)).changed) << retry;
        }
        EXPECT_TRUE(state.judge(TryOutcome::Failure, at(0s), at(0s)).changed) << retry;
        EXPECT_FALSE(state.up());
        EXPECT_TRUE(state.decided());
    }
}

TEST(CheckState, ASuccessGivesAllRetriesBack) {
    CheckState state(with_retry(1), true);
    static_cast<void>(state.judge(TryOutcome::Failure, at(0s), at(0s)));
    static_cast<void>(state.judge(TryOutcome::Success, at(1s), at(1s)));
    EXPECT_FALSE(state.judge(TryOutcome::Failure, at(7s), at(7s)).changed);
    EXPECT_TRUE(state.up());
    EXPECT_EQ(state.failures_in_row(), 1U);
}

TEST(CheckState, ADeadServerIsTriedOncePerPeriodAndOneSuccessBringsItBack) {
    CheckState state(with_retry(2), false);
    EXPECT_EQ(state.judge(TryOutcome::Failure, at(0s), at(0s)).next_at, at(6s));
    const auto verdict = state.judge(TryOutcome::Success, at(6s), at(6s));
    EXPECT_TRUE(verdict.changed);
    EXPECT_TRUE(state.up());
    EXPECT_EQ(verdict.next_at, at(12s));
}

TEST(CheckState, PeriodsCountFromTheStartOfATryButNeverBeforeItsEnd) {
    CheckState state(with_retry(1), true);
    EXPECT_EQ(state.judge(TryOutcome::Success, at(10s), at(11s)).next_at, at(16s));
    // A retry 1 s after a try that took 2 s to time out is due at once.
    EXPECT_EQ(state.judge(TryOutcome::Failure, at(16s), at(18s)).next_at, at(18s));
}

// The bound that the documentation states, for every number of retries and every moment of death.
TEST(CheckState, DetectionTakesAtMostAPeriodAndTheRetries) {
    for (const unsigned retry : {0U, 1U, 2U, 5U}) {
        for (const auto died_after : {1ms, 500ms, 5999ms}) {
            CheckConfig config = with_retry(retry);
            CheckState state(config, true);
            lb::TimePoint next = state.judge(TryOutcome::Success, at(0s), at(0s)).next_at;
            const lb::TimePoint died = at(0s) + died_after;
            lb::TimePoint found = next;
            for (bool down = false; !down;) {
                found = next + config.connect_timeout;
                const auto verdict = state.judge(TryOutcome::Failure, next, found);
                down = verdict.changed;
                next = verdict.next_at;
            }
            const Duration each = std::max(config.delay_before_retry, config.connect_timeout);
            EXPECT_LE(found - died, config.delay_loop + retry * each + config.connect_timeout);
        }
    }
}

TEST(CheckState, APartialAnswerNeitherRaisesNorFells) {
    CheckState down(with_retry(1), false);
    const auto verdict = down.judge(TryOutcome::Partial, at(0s), at(0s));
    EXPECT_FALSE(verdict.changed);
    EXPECT_FALSE(down.up());
    EXPECT_FALSE(down.decided());
    EXPECT_EQ(verdict.next_at, at(6s));
}

TEST(CheckState, FirstTriesAreSpreadOverTheWarmup) {
    const CheckState state(with_retry(1), true);
    EXPECT_EQ(state.first_try(at(100s), 0.0), at(100s));
    EXPECT_EQ(state.first_try(at(100s), 0.5), at(103s));
    EXPECT_EQ(state.first_try(at(100s), 1.0), at(106s));
}

}  // namespace
}  // namespace pollux::control
