// SPDX-License-Identifier: Apache-2.0
// What the checks' verdicts mean for servers and services, on virtual time.

#include "control/health/health_board.h"

#include <gtest/gtest.h>

#include "control/health/fifo_line.h"
#include "tests/unit/health/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using enum HealthChangeKind;
using Kinds = std::vector<HealthChangeKind>;

TEST(HealthBoard, AServerGoesDownAndComesBackWithItsCheck) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    const HealthChanges down = fixture.verdict("10.0.0.2", false, at(10s));
    ASSERT_EQ(kinds(down), Kinds{ServerDown});
    EXPECT_EQ(down[0].server.address, ip("10.0.0.2"));
    EXPECT_EQ(down[0].cause, "connection refused");
    EXPECT_FALSE(fixture.state(0, 0).alive);
    EXPECT_TRUE(fixture.state(0, 1).alive);
    EXPECT_TRUE(fixture.board.take_dirty());
    EXPECT_FALSE(fixture.board.take_dirty());
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", true, at(20s))), Kinds{ServerUp});
    EXPECT_TRUE(fixture.state(0, 0).alive);
}

TEST(HealthBoard, TheSameVerdictAgainChangesNothing) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(10s)));
    static_cast<void>(fixture.board.take_dirty());
    EXPECT_TRUE(fixture.verdict("10.0.0.2", false, at(16s)).empty());
    EXPECT_FALSE(fixture.board.take_dirty());
}

TEST(HealthBoard, AServerNeedsAllOfItsChecks) {
    RealServerConfig both = server("10.0.0.2");
    both.check.push_back(tcp_check("10.0.0.99"));
    BoardFixture fixture(with_services({service({both, server("10.0.0.3")})}));
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.99", false, at(1s))), Kinds{ServerDown});
    EXPECT_TRUE(fixture.verdict("10.0.0.2", false, at(2s)).empty());
    EXPECT_TRUE(fixture.verdict("10.0.0.99", true, at(3s)).empty());
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", true, at(4s))), Kinds{ServerUp});
}

TEST(HealthBoard, OneCheckServesAllServicesThatAskForTheSame) {
    BoardFixture fixture(
        with_services({service({server("10.0.0.2"), server("10.0.0.3")}),
                       service({server("10.0.0.2"), server("10.0.0.3")}, "10.0.0.9")}));
    EXPECT_EQ(fixture.added, 2U);
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", false, at(1s))), (Kinds{ServerDown, ServerDown}));
    EXPECT_FALSE(fixture.state(0, 0).alive);
    EXPECT_FALSE(fixture.state(1, 0).alive);
    EXPECT_EQ(fixture.board.servers_of(fixture.ids.at("10.0.0.2")).size(), 2U);
}

TEST(HealthBoard, LosingTheLastServerLosesTheQuorumAndTheFirstOneBringsItBack) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    EXPECT_FALSE(fixture.quorum_lost());
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.3", false, at(2s))), (Kinds{ServerDown, QuorumLost}));
    EXPECT_TRUE(fixture.quorum_lost());
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", true, at(3s))), (Kinds{ServerUp, QuorumUp}));
    EXPECT_FALSE(fixture.quorum_lost());
}

TEST(HealthBoard, QuorumCountsWeightWithHysteresis) {
    VirtualServerConfig config =
        service({server("10.0.0.2", 2), server("10.0.0.3", 2), server("10.0.0.4", 2)});
    config.quorum = 3;
    config.hysteresis = 1;
    BoardFixture fixture(with_services({config}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    static_cast<void>(fixture.verdict("10.0.0.3", false, at(2s)));
    EXPECT_FALSE(fixture.quorum_lost()) << "weight 2 is not below 3 - 1";
    static_cast<void>(fixture.verdict("10.0.0.4", false, at(3s)));
    EXPECT_TRUE(fixture.quorum_lost());
    static_cast<void>(fixture.verdict("10.0.0.4", true, at(4s)));
    EXPECT_TRUE(fixture.quorum_lost()) << "weight 2 is below 3 + 1";
    static_cast<void>(fixture.verdict("10.0.0.3", true, at(5s)));
    EXPECT_FALSE(fixture.quorum_lost());
}

TEST(HealthBoard, WithAlphaAServerFirstHasToProveItself) {
    RealServerConfig careful = server("10.0.0.2");
    careful.check[0].alpha = true;
    BoardFixture fixture(with_services({service({careful})}));
    EXPECT_FALSE(fixture.state(0, 0).alive);
    EXPECT_TRUE(fixture.quorum_lost());
    const HealthChanges up = fixture.verdict("10.0.0.2", true, at(1s));
    EXPECT_EQ(kinds(up), (Kinds{ServerUp, QuorumUp}));
    EXPECT_TRUE(up[0].initial) << "told only with rs_init_notifies";
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(2s)));
    EXPECT_FALSE(fixture.verdict("10.0.0.2", true, at(3s))[0].initial);
}

TEST(HealthBoard, RsInitNotifiesTellsTheFirstGoodVerdictOfAServerThatWasUpAllTheTime) {
    VirtualServerConfig config = service({server("10.0.0.2")});
    BoardFixture silent(with_services({config}));
    EXPECT_TRUE(silent.verdict("10.0.0.2", true, at(1s)).empty());
    config.rs_init_notifies = true;
    BoardFixture telling(with_services({config}));
    const HealthChanges first = telling.verdict("10.0.0.2", true, at(1s));
    ASSERT_EQ(kinds(first), Kinds{ServerUp});
    EXPECT_TRUE(first[0].initial);
    EXPECT_TRUE(telling.verdict("10.0.0.2", true, at(2s)).empty());
}

TEST(HealthBoard, AFirstBadVerdictIsTold) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    EXPECT_FALSE(fixture.verdict("10.0.0.2", false, at(1s))[0].initial);
}

TEST(HealthBoard, ACheckMaySetTheWeight) {
    BoardFixture fixture(with_services({service({server("10.0.0.2", 5), server("10.0.0.3")})}));
    const HealthChanges changes = fixture.verdict("10.0.0.2", true, at(1s), std::uint16_t{40});
    ASSERT_EQ(kinds(changes), Kinds{ServerWeight});
    EXPECT_EQ(changes[0].cause, "weight 5 -> 40");
    EXPECT_EQ(fixture.state(0, 0).weight(5), 40);
    static_cast<void>(fixture.verdict("10.0.0.2", true, at(2s)));
    EXPECT_EQ(fixture.state(0, 0).weight(5), 5);
}

TEST(HealthBoard, AFileAddsToTheWeightWithinItsRange) {
    BoardFixture fixture(with_services({service({server("10.0.0.2", 5), server("10.0.0.3")})}));
    CheckReading reading;
    reading.decided = true;
    for (const auto& [change, weight] :
         std::map<int, std::uint16_t>{{-3, 2}, {-9, 0}, {70000, 65535}}) {
        reading.weight_change = change;
        static_cast<void>(fixture.board.read(fixture.ids.at("10.0.0.2"), reading, at(1s)));
        EXPECT_EQ(fixture.state(0, 0).weight(5), weight) << change;
    }
}

TEST(HealthBoard, WeightZeroOfAllServersLosesTheQuorum) {
    BoardFixture fixture(with_services({service({server("10.0.0.2")})}));
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", true, at(1s), std::uint16_t{0})),
              (Kinds{ServerWeight, QuorumLost}));
}

TEST(HealthBoard, TheOperatorsWeightCountsForTheQuorum) {
    BoardFixture fixture(with_services({service({server("10.0.0.2")})}));
    fixture.states
        .servers[ServerKey::of(fixture.config.virtual_servers[0],
                               fixture.config.virtual_servers[0].real_server[0])]
        .operator_weight = 0;
    EXPECT_EQ(kinds(fixture.board.reconsider(at(1s))), Kinds{QuorumLost});
}

TEST(HealthBoard, SlowStartRampsAServerThatComesBack) {
    VirtualServerConfig config = service({server("10.0.0.2"), server("10.0.0.3")});
    config.slow_start = 20s;
    BoardFixture fixture(with_services({config}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    EXPECT_EQ(fixture.state(0, 1).weight(1), 1);
    static_cast<void>(fixture.verdict("10.0.0.2", true, at(100s)));
    EXPECT_EQ(fixture.state(0, 0).weight(1), 1);
    EXPECT_EQ(fixture.state(0, 1).weight(1), 20);
    ASSERT_EQ(fixture.board.next_tick(), at(102s));
    lb::TimePoint now = at(100s);
    while (fixture.board.next_tick()) {
        ASSERT_GT(*fixture.board.next_tick(), now);
        now = *fixture.board.next_tick();
        static_cast<void>(fixture.board.tick(now));
        EXPECT_TRUE(fixture.board.take_dirty());
    }
    EXPECT_EQ(now, at(120s));
    EXPECT_EQ(fixture.state(0, 0).weight(1), 1);
    EXPECT_EQ(fixture.state(0, 1).weight(1), 1);
    EXPECT_EQ(fixture.state(0, 1).ramped_weight, std::nullopt);
}

// The board may want to look once more at a time that it noted; it finds nothing then.
void expect_nothing_due(HealthBoard& board) {
    if (const auto time = board.next_tick()) {
        EXPECT_TRUE(board.tick(*time).empty());
    }
    EXPECT_EQ(board.next_tick(), std::nullopt);
}

TEST(HealthBoard, AServerThatDiesOnItsRampGivesTheOthersTheirWeightsBack) {
    VirtualServerConfig config = service({server("10.0.0.2"), server("10.0.0.3")});
    config.slow_start = 20s;
    BoardFixture fixture(with_services({config}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    static_cast<void>(fixture.verdict("10.0.0.2", true, at(100s)));
    ASSERT_EQ(fixture.state(0, 1).weight(1), 20);
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(105s)));
    EXPECT_EQ(fixture.state(0, 1).weight(1), 1);
    expect_nothing_due(fixture.board);
}

TEST(HealthBoard, AFlappingServerIsHeldUntilItHasBeenGoodForAWhile) {
    VirtualServerConfig config = service({server("10.0.0.2"), server("10.0.0.3")});
    BoardFixture fixture(with_services({config}));
    const FlapLimits limits;
    lb::TimePoint now = at(0s);
    for (unsigned i = 0; i + 1 < limits.downs; ++i) {
        static_cast<void>(fixture.verdict("10.0.0.2", false, now += 1s));
        EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", true, now += 1s)), Kinds{ServerUp});
    }
    static_cast<void>(fixture.verdict("10.0.0.2", false, now += 1s));
    EXPECT_EQ(kinds(fixture.verdict("10.0.0.2", true, now += 1s)), Kinds{ServerHeld});
    EXPECT_FALSE(fixture.state(0, 0).alive);
    ASSERT_EQ(fixture.board.next_tick(), now + limits.hold);
    EXPECT_EQ(kinds(fixture.board.tick(now + limits.hold)), Kinds{ServerUp});
    EXPECT_TRUE(fixture.state(0, 0).alive);
}

TEST(HealthBoard, AHeldServerThatFailsAgainWaitsAnew) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    lb::TimePoint now = at(0s);
    for (unsigned i = 0; i < FlapLimits{}.downs; ++i) {
        static_cast<void>(fixture.verdict("10.0.0.2", false, now += 1s));
        static_cast<void>(fixture.verdict("10.0.0.2", true, now += 1s));
    }
    ASSERT_TRUE(fixture.board.next_tick());
    EXPECT_TRUE(fixture.verdict("10.0.0.2", false, now += 1s).empty());
    expect_nothing_due(fixture.board);
}

// --- reloads ----------------------------------------------------------------------------------

TEST(HealthBoardReload, WhatDidNotChangeKeepsItsStateAndItsCheck) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    Config next = fixture.config;
    next.virtual_servers[0].real_server.push_back(server("10.0.0.4"));
    next.virtual_servers[0].real_server[0].weight = 9;
    EXPECT_TRUE(fixture.configure(next, at(5s)).empty());
    EXPECT_EQ(fixture.added, 1U);
    EXPECT_TRUE(fixture.removed.empty());
    EXPECT_FALSE(fixture.state(0, 0).alive);
    EXPECT_EQ(fixture.board.services()[0]->servers[0].since, at(1s));
}

TEST(HealthBoardReload, AChangedCheckOfADeadServerStartsDown) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    Config next = fixture.config;
    for (RealServerConfig& each : next.virtual_servers[0].real_server) {
        each.check[0].delay_loop = 3s;
    }
    EXPECT_TRUE(fixture.configure(next, at(5s)).empty());
    EXPECT_EQ(fixture.added, 2U);
    EXPECT_EQ(fixture.removed.size(), 2U);
    EXPECT_FALSE(fixture.started_up.at(fixture.ids.at("10.0.0.2")));
    EXPECT_TRUE(fixture.started_up.at(fixture.ids.at("10.0.0.3")));
    EXPECT_FALSE(fixture.state(0, 0).alive);
    EXPECT_TRUE(fixture.state(0, 1).alive);
}

TEST(HealthBoardReload, TakingTheFailedCheckAwayBringsTheServerBack) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    Config next = fixture.config;
    next.virtual_servers[0].real_server[0].check.clear();
    EXPECT_EQ(kinds(fixture.configure(next, at(5s))), Kinds{ServerUp});
    EXPECT_TRUE(fixture.state(0, 0).alive);
}

TEST(HealthBoardReload, ServersAndServicesThatAreGoneLeaveNothingBehind) {
    BoardFixture fixture(with_services({service({server("10.0.0.2")})}));
    static_cast<void>(fixture.verdict("10.0.0.2", false, at(1s)));
    ASSERT_TRUE(fixture.quorum_lost());
    static_cast<void>(fixture.configure(with_services({}), at(5s)));
    EXPECT_TRUE(fixture.states.servers.empty());
    EXPECT_TRUE(fixture.states.without_quorum.empty());
    EXPECT_EQ(fixture.removed.size(), 1U);
}

TEST(HealthBoardReload, ANewAlphaServerIsDeadBeforeTheReloadPublishes) {
    BoardFixture fixture(with_services({service({server("10.0.0.2")})}));
    Config next = fixture.config;
    next.virtual_servers[0].real_server.push_back(server("10.0.0.4"));
    next.virtual_servers[0].real_server[1].check[0].alpha = true;
    const ServerKey key =
        ServerKey::of(next.virtual_servers[0], next.virtual_servers[0].real_server[1]);
    fixture.board.prepare({key});
    EXPECT_FALSE(fixture.states.of(key).alive);
    EXPECT_TRUE(fixture.state(0, 0).alive);
}

TEST(HealthBoardReload, AQuorumThatIsLostByTheNewLimitsIsLostAtOnce) {
    BoardFixture fixture(with_services({service({server("10.0.0.2"), server("10.0.0.3")})}));
    Config next = fixture.config;
    next.virtual_servers[0].quorum = 3;
    EXPECT_EQ(kinds(fixture.configure(next, at(5s))), Kinds{QuorumLost});
    EXPECT_TRUE(fixture.quorum_lost());
}

TEST(FifoLine, IsAsKeepalivedWritesIt) {
    HealthChange change;
    change.server = {
        {"", ip("10.0.0.1"), 80, lb::Protocol::Tcp, 0, net::Family::V4}, ip("10.0.0.2"), 8080};
    change.kind = ServerDown;
    EXPECT_EQ(fifo_line(change), "RS [10.0.0.2]:tcp:8080 [10.0.0.1]:tcp:80 DOWN\n");
    change.kind = QuorumUp;
    EXPECT_EQ(fifo_line(change), "VS [10.0.0.1]:tcp:80 UP\n");
    change.server.service = {"", {}, 0, lb::Protocol::None, 3, net::Family::V4};
    EXPECT_EQ(fifo_line(change), "VS FWM 3 UP\n");
    change.server.service = {"web\nRS", {}, 80, lb::Protocol::Tcp, 0, net::Family::V4};
    EXPECT_EQ(fifo_line(change), "VS [web?RS]:tcp:80 UP\n");
    change.kind = ServerWeight;
    EXPECT_EQ(fifo_line(change), "");
}

TEST(HealthBoard, ASuspendedServiceNeedsItsChecksOnlyForOthers) {
    BoardFixture fixture(
        with_services({service({server("10.0.0.2")}), service({server("10.0.0.2")}, "10.0.0.9")}));
    const CheckId check = fixture.ids.at("10.0.0.2");
    fixture.board.set_suspended(VirtualServerKey::of(fixture.config.virtual_servers[0]), true);
    EXPECT_TRUE(fixture.board.wanted(check));
    fixture.board.set_suspended(VirtualServerKey::of(fixture.config.virtual_servers[1]), true);
    EXPECT_FALSE(fixture.board.wanted(check));
}

}  // namespace
}  // namespace pollux::control
