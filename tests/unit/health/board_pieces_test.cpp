// SPDX-License-Identifier: Apache-2.0
// A large configuration is taken over in pieces, between which everything else gets its turn.

#include <gtest/gtest.h>

#include "tests/unit/health/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

constexpr std::size_t kServers = 4;  // of a service

// Services 10.0.0.1, 10.0.0.2, ... with servers 10.1.N.1 to .4.
Config many(unsigned services, unsigned weight = 1) {
    Config config;
    for (unsigned i = 0; i < services; ++i) {
        std::vector<RealServerConfig> servers;
        for (unsigned each = 1; each <= kServers; ++each) {
            servers.push_back(server("10.1." + std::to_string(i) + "." + std::to_string(each),
                                     static_cast<std::uint16_t>(weight)));
        }
        config.virtual_servers.push_back(service(servers, "10.0.0." + std::to_string(i + 1)));
    }
    return config;
}

struct Pieces {
    std::size_t count = 0, most_added = 0, most_removed = 0;
};

Pieces take_over(HealthBoard& board, std::size_t budget) {
    Pieces pieces;
    for (bool more = true; more; ++pieces.count) {
        HealthBoard::Checks checks;
        HealthChanges changes;
        more = board.take_over(budget, at(5s), checks, changes);
        pieces.most_added = std::max(pieces.most_added, checks.added.size());
        pieces.most_removed = std::max(pieces.most_removed, checks.removed.size());
    }
    return pieces;
}

TEST(HealthBoardPieces, NoneTakesMoreThanItsBudgetAndTheRestOfAService) {
    BoardFixture fixture(many(0));
    const Config next = many(50);
    fixture.board.begin(next, {});
    const Pieces pieces = take_over(fixture.board, 10);
    EXPECT_LE(pieces.most_added, 10 + kServers);
    EXPECT_GE(pieces.count, 50 * kServers / (10 + kServers));
    EXPECT_EQ(fixture.board.services().back()->servers.size(), kServers);
}

TEST(HealthBoardPieces, WhatIsGoneGoesInPiecesToo) {
    BoardFixture fixture(many(50));
    const Config next = many(0);
    fixture.board.begin(next, {});
    const Pieces pieces = take_over(fixture.board, 10);
    EXPECT_LE(pieces.most_removed, 10U);
    EXPECT_GE(pieces.count, 50 * kServers / 10);
    EXPECT_TRUE(fixture.board.services().empty());
}

TEST(HealthBoardPieces, ServicesThatAreKeptCostNothing) {
    BoardFixture fixture(many(50));
    const Config next = many(50);
    fixture.board.begin(next, std::vector<bool>(50, true));
    EXPECT_EQ(take_over(fixture.board, 60).count, 1U);
    static_cast<void>(fixture.verdict("10.1.7.1", false, at(6s)));
    EXPECT_FALSE(fixture.state(7, 0).alive);
}

TEST(HealthBoardPieces, ServersDieAndReturnBetweenThem) {
    BoardFixture fixture(many(3));
    const Config next = many(3, 5);
    fixture.board.begin(next, {});
    HealthBoard::Checks checks;
    HealthChanges changes;
    ASSERT_TRUE(fixture.board.take_over(1, at(5s), checks, changes));
    for (const char* address : {"10.1.0.1", "10.1.2.1"}) {  // taken over, and not yet
        EXPECT_EQ(kinds(fixture.verdict(address, false, at(6s))),
                  std::vector{HealthChangeKind::ServerDown})
            << address;
    }
    take_over(fixture.board, 1);
    EXPECT_FALSE(fixture.state(0, 0).alive);
    EXPECT_FALSE(fixture.state(2, 0).alive);
    EXPECT_EQ(fixture.board.services()[2]->servers[0].configured_weight, 5);
    EXPECT_EQ(kinds(fixture.verdict("10.1.2.1", true, at(7s))),
              std::vector{HealthChangeKind::ServerUp});
}

// The check has no user for a while: between the service that gives the server up and the one that
// gets it.
TEST(HealthBoardPieces, ACheckThatMovesToALaterServiceStays) {
    BoardFixture fixture(many(2));
    Config next = many(2);
    auto& servers = next.virtual_servers[0].real_server;
    next.virtual_servers[1].real_server.push_back(servers.back());
    servers.pop_back();
    const CheckId id = fixture.ids.at("10.1.0.4");
    fixture.board.begin(next, {});
    HealthBoard::Checks checks;
    HealthChanges changes;
    while (fixture.board.take_over(1, at(5s), checks, changes)) {
    }
    EXPECT_TRUE(checks.added.empty());
    EXPECT_TRUE(checks.removed.empty());
    ASSERT_EQ(fixture.board.servers_of(id).size(), 1U);
    EXPECT_EQ(fixture.board.servers_of(id)[0].service.address, ip("10.0.0.2"));
}

TEST(HealthBoardPieces, TheOrderIsTheConfigurations) {
    BoardFixture fixture(many(3));
    Config next = many(3);
    std::swap(next.virtual_servers[0], next.virtual_servers[2]);
    static_cast<void>(fixture.configure(next, at(5s)));
    EXPECT_EQ(fixture.board.services()[0]->key.address, ip("10.0.0.3"));
    EXPECT_EQ(fixture.board.services()[2]->key.address, ip("10.0.0.1"));
    EXPECT_TRUE(fixture.removed.empty());
}

}  // namespace
}  // namespace pollux::control
