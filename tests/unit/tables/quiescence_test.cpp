// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/quiescence.h"

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using test::participant_at;

constexpr Participant kA{0};
constexpr Participant kB{1};

TEST(Quiescence, TokenPassesWhenEveryParticipantHasReported) {
    Quiescence quiescence(2);
    quiescence.online(kA);
    quiescence.online(kB);
    const QuiescenceToken token = quiescence.advance();
    EXPECT_FALSE(quiescence.passed(token));
    quiescence.report(kA);
    EXPECT_FALSE(quiescence.passed(token));
    quiescence.report(kB);
    EXPECT_TRUE(quiescence.passed(token));
}

TEST(Quiescence, AReportBeforeTheTokenDoesNotCount) {
    Quiescence quiescence(1);
    quiescence.online(kA);
    quiescence.report(kA);
    const QuiescenceToken token = quiescence.advance();
    EXPECT_FALSE(quiescence.passed(token));
}

TEST(Quiescence, ParticipantsStartOfflineAndOfflineOnesAreNotWaitedFor) {
    Quiescence quiescence(3);
    EXPECT_FALSE(quiescence.is_online(kA));
    EXPECT_TRUE(quiescence.passed(quiescence.advance()));
    quiescence.online(kA);
    const QuiescenceToken token = quiescence.advance();
    EXPECT_FALSE(quiescence.passed(token));
    quiescence.offline(kA);
    EXPECT_TRUE(quiescence.passed(token));
}

TEST(Quiescence, OneWhoComesOnlineLaterIsNotWaitedFor) {
    Quiescence quiescence(2);
    quiescence.online(kA);
    const QuiescenceToken token = quiescence.advance();
    quiescence.online(kB);
    quiescence.report(kA);
    EXPECT_TRUE(quiescence.passed(token));
}

TEST(Quiescence, TokensPassInOrder) {
    Quiescence quiescence(1);
    quiescence.online(kA);
    const QuiescenceToken first = quiescence.advance();
    quiescence.report(kA);
    const QuiescenceToken second = quiescence.advance();
    EXPECT_FALSE(quiescence.passed(second));
    EXPECT_TRUE(quiescence.passed(first));
    quiescence.report(kA);
    EXPECT_TRUE(quiescence.passed(second));
}

TEST(Quiescence, TheScopeLeavesAnOnlineParticipantOnline) {
    Quiescence quiescence(1);
    {
        const OnlineScope scope(quiescence, kA);
        EXPECT_TRUE(quiescence.is_online(kA));
        { const OnlineScope inner(quiescence, kA); }
        EXPECT_TRUE(quiescence.is_online(kA));
    }
    EXPECT_FALSE(quiescence.is_online(kA));
}

struct Counted {
    explicit Counted(int& alive) : alive_(alive) { ++alive_; }
    ~Counted() { --alive_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    int& alive_;
};

TEST(Publication, TheFormerValueIsFreedAfterQuiescence) {
    int alive = 0;
    Quiescence quiescence(1);
    DeferredFrees frees(quiescence);
    Publication<Counted> publication;
    quiescence.online(kA);
    EXPECT_EQ(publication.read(), nullptr);
    EXPECT_EQ(publication.publish(std::make_unique<Counted>(alive)), nullptr);
    const Counted* held = publication.read();
    frees.defer_delete(publication.publish(std::make_unique<Counted>(alive)));

    EXPECT_NE(publication.read(), held);
    EXPECT_EQ(frees.collect(), 1U);
    EXPECT_EQ(alive, 2);
    quiescence.report(kA);
    EXPECT_EQ(frees.collect(), 0U);
    EXPECT_EQ(alive, 1);
}

TEST(DeferredFrees, RunInOrderAndOnlyWhatMayRun) {
    Quiescence quiescence(1);
    DeferredFrees frees(quiescence);
    quiescence.online(kA);
    std::vector<int> order;
    frees.defer([&] { order.push_back(1); });
    frees.defer([&] { order.push_back(2); });
    quiescence.report(kA);
    frees.defer([&] { order.push_back(3); });
    EXPECT_EQ(frees.collect(), 1U);
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace pollux::lb
