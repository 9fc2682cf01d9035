// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/connection_table.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using namespace std::chrono_literals;
using test::at_second;
using test::be;
using test::direct;
using test::ip;
using test::nat;
using test::participant_at;
using test::TableFixture;
using test::tcp_key;

constexpr Tick kNow = at_second(1000);
constexpr Participant kWorker{0};

TEST(ConnectionTable, FindsANatConnectionByBothKeys) {
    TableFixture fixture(100);
    const InsertResult inserted = fixture.insert(nat("198.51.100.7", 40000), kNow);
    ASSERT_EQ(inserted.status, InsertStatus::Inserted);

    const auto forward = fixture.find(tcp_key("198.51.100.7", 40000, "203.0.113.1", 80), kNow);
    const auto reply = fixture.find(tcp_key("10.0.0.1", 8080, "198.51.100.7", 40000), kNow);

    EXPECT_EQ(forward.index, inserted.index);
    EXPECT_EQ(forward.direction, Direction::Forward);
    EXPECT_EQ(reply.index, inserted.index);
    EXPECT_EQ(reply.direction, Direction::Reply);
}

TEST(ConnectionTable, KeepsTheIdentityOfAConnection) {
    TableFixture fixture(100);
    NewConnection what = nat("198.51.100.7", 40000);
    what.service = ServiceId{kMaxServiceId};
    what.server = RealServerId{7};
    what.persistence = TemplateIndex{12345};
    const Connection& connection = fixture.table.connection(fixture.insert(what, kNow).index);

    EXPECT_EQ(connection.client_address(), ip("198.51.100.7"));
    EXPECT_EQ(connection.virtual_address(), ip("203.0.113.1"));
    EXPECT_EQ(connection.client_port().host(), 40000);
    EXPECT_EQ(connection.virtual_port().host(), 80);
    EXPECT_EQ(connection.server_port().host(), 8080);
    EXPECT_EQ(connection.local_port().host(), 40000);
    EXPECT_EQ(connection.service(), ServiceId{kMaxServiceId});
    EXPECT_EQ(connection.server(), RealServerId{7});
    EXPECT_EQ(connection.local_address(), kNoLocalAddress);
    EXPECT_EQ(connection.persistence(), TemplateIndex{12345});
    EXPECT_EQ(connection.state().protocol(), Protocol::Tcp);
    EXPECT_EQ(connection.state().protocol_state(), 1);
    EXPECT_EQ(connection.state().timeout(), Ticks(900s));
}

TEST(ConnectionTable, DirectRoutingHasNoReplyKey) {
    TableFixture fixture(100);
    ASSERT_EQ(fixture.insert(direct("198.51.100.7", 40000), kNow).status, InsertStatus::Inserted);
    EXPECT_FALSE(fixture.find(tcp_key("10.0.0.1", 80, "198.51.100.7", 40000), kNow));
}

// Every field of the key counts.
TEST(ConnectionTable, FindsNothingForANeighbouringKey) {
    TableFixture fixture(100);
    fixture.insert(nat("198.51.100.7", 40000), kNow);
    const FlowKey others[] = {
        tcp_key("198.51.100.8", 40000, "203.0.113.1", 80),
        tcp_key("198.51.100.7", 40001, "203.0.113.1", 80),
        tcp_key("198.51.100.7", 40000, "203.0.113.2", 80),
        tcp_key("198.51.100.7", 40000, "203.0.113.1", 81),
        FlowKey::make(ip("198.51.100.7"), be(40000), ip("203.0.113.1"), be(80), Protocol::Udp),
        tcp_key("203.0.113.1", 80, "198.51.100.7", 40000),
        tcp_key("10.0.0.2", 8080, "198.51.100.7", 40000),
        tcp_key("10.0.0.1", 8080, "198.51.100.7", 40001),
    };
    for (const FlowKey& other : others) {
        EXPECT_FALSE(fixture.find(other, kNow)) << other.source().to_string();
        EXPECT_FALSE(fixture.table.find(other, kNow)) << other.source().to_string();
    }
}

TEST(ConnectionTable, FindsAnIpv6ConnectionByBothKeys) {
    TableFixture fixture(100);
    NewConnection what = nat("198.51.100.7", 40000);
    what.forward = tcp_key("2001:db8::7", 40000, "2001:db8:1::1", 443);
    what.server = RealServerId{9};
    what.server_is_v6 = true;
    const InsertResult inserted = fixture.insert(what, kNow);

    EXPECT_EQ(fixture.find(what.forward, kNow).index, inserted.index);
    const auto reply = fixture.find(tcp_key("fd00::2", 8080, "2001:db8::7", 40000), kNow);
    EXPECT_EQ(reply.index, inserted.index);
    EXPECT_EQ(reply.direction, Direction::Reply);
    EXPECT_FALSE(fixture.find(tcp_key("2001:db8::8", 40000, "2001:db8:1::1", 443), kNow));
    EXPECT_FALSE(fixture.find(tcp_key("2001:db8::7", 40000, "2001:db8:1::2", 443), kNow));
    EXPECT_FALSE(fixture.find(tcp_key("fd00::3", 8080, "2001:db8::7", 40000), kNow));
}

// FullNAT may lead an IPv6 client to an IPv4 server.
TEST(ConnectionTable, FullNatMayCrossFamilies) {
    TableFixture fixture(100);
    NewConnection what = nat("198.51.100.7", 40000);
    what.forward = tcp_key("2001:db8::7", 40000, "2001:db8:1::1", 443);
    what.method = ForwardingMethod::FullNat;
    what.local = LocalAddressId{1};
    what.local_port = be(5000);
    const InsertResult inserted = fixture.insert(what, kNow);

    EXPECT_EQ(fixture.find(what.forward, kNow).index, inserted.index);
    const auto reply = fixture.find(tcp_key("10.0.0.1", 8080, "192.168.9.2", 5000), kNow);
    EXPECT_EQ(reply.index, inserted.index);
    EXPECT_EQ(reply.direction, Direction::Reply);
}

TEST(ConnectionTable, InsertOfAKnownKeyGivesTheKnownConnection) {
    TableFixture fixture(100);
    const InsertResult first = fixture.insert(nat("198.51.100.7", 40000), kNow);
    NewConnection again = nat("198.51.100.7", 40000);
    again.server = RealServerId{3};
    const InsertResult second = fixture.insert(again, kNow);

    EXPECT_EQ(second.status, InsertStatus::Exists);
    EXPECT_EQ(second.index, first.index);
    EXPECT_EQ(fixture.table.size(), 1U);
    EXPECT_FALSE(fixture.find(tcp_key("10.0.0.4", 8080, "198.51.100.7", 40000), kNow));
}

// Two virtual servers that lead one client port to one server port: the answers could not be told
// apart.
TEST(ConnectionTable, InsertReportsAReplyKeyThatIsTaken) {
    TableFixture fixture(100);
    const InsertResult first = fixture.insert(nat("198.51.100.7", 40000), kNow);
    NewConnection other = nat("198.51.100.7", 40000);
    other.forward = tcp_key("198.51.100.7", 40000, "203.0.113.2", 80);
    const InsertResult second = fixture.insert(other, kNow);

    EXPECT_EQ(second.status, InsertStatus::ReplyTaken);
    EXPECT_EQ(second.index, first.index);
    EXPECT_FALSE(fixture.find(other.forward, kNow));
    const auto reply = fixture.find(tcp_key("10.0.0.1", 8080, "198.51.100.7", 40000), kNow);
    EXPECT_EQ(reply.index, first.index);
}

TEST(ConnectionTable, RemovedConnectionIsNotFoundAndItsKeyIsFree) {
    TableFixture fixture(100);
    const InsertResult first = fixture.insert(nat("198.51.100.7", 40000), kNow);
    EXPECT_TRUE(fixture.table.remove(kWorker, first.index));
    EXPECT_FALSE(fixture.table.remove(kWorker, first.index));

    EXPECT_FALSE(fixture.find(tcp_key("198.51.100.7", 40000, "203.0.113.1", 80), kNow));
    EXPECT_FALSE(fixture.find(tcp_key("10.0.0.1", 8080, "198.51.100.7", 40000), kNow));
    const InsertResult second = fixture.insert(nat("198.51.100.7", 40000), kNow);
    EXPECT_EQ(second.status, InsertStatus::Inserted);
    EXPECT_NE(second.index, first.index) << "reused before quiescence";
}

TEST(ConnectionTable, ExpiredConnectionCountsAsAbsent) {
    TableFixture fixture(100);
    NewConnection what = nat("198.51.100.7", 40000);
    what.timeout = 60s;
    const InsertResult first = fixture.insert(what, kNow);

    EXPECT_TRUE(fixture.find(what.forward, at_second(1059)));
    EXPECT_FALSE(fixture.find(what.forward, at_second(1060)));
    EXPECT_FALSE(fixture.table.find(what.forward, at_second(1060)));
    const InsertResult second = fixture.insert(what, at_second(1060));
    EXPECT_EQ(second.status, InsertStatus::Inserted);
    EXPECT_NE(second.index, first.index);
    EXPECT_EQ(fixture.table.size(), 1U);
}

TEST(ConnectionTable, TouchRestartsTheTimeoutAtMostOncePerSecond) {
    TableFixture fixture(100);
    NewConnection what = nat("198.51.100.7", 40000);
    what.timeout = 60s;
    Connection& connection = fixture.table.connection(fixture.insert(what, kNow).index);

    connection.touch(Tick{static_cast<std::uint32_t>(kNow) + 15});
    EXPECT_EQ(connection.last_seen(), kNow);
    connection.touch(at_second(1001));
    EXPECT_EQ(connection.last_seen(), at_second(1001));
    EXPECT_EQ(connection.expires_in(at_second(1011)), Ticks(50s));
    // Another worker's burst may have begun earlier.
    connection.touch(at_second(990));
    EXPECT_EQ(connection.last_seen(), at_second(1001));
    EXPECT_FALSE(connection.expired(connection.state(), at_second(900)));
}

TEST(ConnectionTable, StateChangesOnlyFromWhatWasSeen) {
    TableFixture fixture(100);
    Connection& connection =
        fixture.table.connection(fixture.insert(nat("198.51.100.7", 40000), kNow).index);
    ConnectionState stale = connection.state();
    ConnectionState seen = stale;
    EXPECT_TRUE(connection.change_state(seen, seen.with_protocol_state(4).with_timeout(120s)));
    EXPECT_FALSE(connection.change_state(stale, stale.with_protocol_state(6)));
    EXPECT_EQ(stale.protocol_state(), 4);
    EXPECT_EQ(stale.timeout(), Ticks(120s));
}

struct Removed {
    std::map<std::uint32_t, int> count;
    static void note(void* context, Participant, ConnectionIndex which, const Connection&,
                     ConnectionState) noexcept {
        ++static_cast<Removed*>(context)->count[index(which)];
    }
};

TEST(ConnectionTable, SweepRemovesTheExpiredAndTellsOfEachOnce) {
    TableFixture fixture(1000);
    Removed removed;
    fixture.table.set_removal_hook({&removed, Removed::note});
    std::set<std::uint32_t> due;
    for (unsigned i = 0; i < 500; ++i) {
        NewConnection what = nat("198.51.100.7", 1000 + i);
        what.timeout = i % 5 == 0 ? 900s : 60s;
        const InsertResult inserted = fixture.insert(what, kNow);
        ASSERT_EQ(inserted.status, InsertStatus::Inserted);
        if (i % 5 != 0) due.insert(index(inserted.index));
    }
    EXPECT_EQ(fixture.table.sweep(kWorker, at_second(1059), 2000), 0U);
    EXPECT_EQ(fixture.table.sweep(kWorker, at_second(1060), 2000), 400U);
    EXPECT_EQ(fixture.table.sweep(kWorker, at_second(1060), 2000), 0U);

    ASSERT_EQ(removed.count.size(), due.size());
    for (const auto& [record, times] : removed.count) {
        EXPECT_TRUE(due.contains(record));
        EXPECT_EQ(times, 1);
    }
    EXPECT_EQ(fixture.table.size(), 100U);
}

TEST(ConnectionTable, SmallBudgetsSweepTheWholeTable) {
    TableFixture fixture(1000);
    for (unsigned i = 0; i < 500; ++i) fixture.insert(direct("198.51.100.7", 1000 + i), kNow);
    std::uint32_t removed = 0;
    for (int i = 0; i < 100; ++i) removed += fixture.table.sweep(kWorker, at_second(2000), 10);
    EXPECT_EQ(removed, 500U);
}

TEST(ConnectionTable, RecordsComeBackAfterQuiescenceOnly) {
    TableFixture fixture(100);
    std::set<std::uint32_t> removed;
    for (unsigned port = 1; port <= 100; ++port) {
        const InsertResult inserted = fixture.insert(direct("198.51.100.7", port), kNow);
        removed.insert(index(inserted.index));
        fixture.table.remove(kWorker, inserted.index);
    }
    const auto reserve_all = [&] {
        unsigned old = 0;
        for (;;) {
            const ConnectionIndex reserved = fixture.table.reserve(kWorker);
            if (reserved == kNoConnection) return old;
            if (removed.contains(index(reserved))) ++old;
        }
    };
    // Participant 1 has not been quiescent since.
    fixture.quiescence.report(kWorker);
    fixture.table.recycle(kWorker);
    EXPECT_EQ(reserve_all(), 0U);
    fixture.quiesce();
    EXPECT_EQ(reserve_all(), 100U);
}

// Fill, empty, fill again: nothing leaks.
TEST(ConnectionTable, EveryRoundTakesAsManyConnections) {
    TableFixture fixture(500);
    for (int round = 0; round < 20; ++round) {
        unsigned inserted = 0;
        for (unsigned port = 0; port < 500; ++port) {
            inserted += fixture.insert(nat("198.51.100.7", 1000 + port), kNow).status ==
                        InsertStatus::Inserted;
        }
        EXPECT_EQ(inserted, 500U) << "round " << round;
        EXPECT_EQ(fixture.table.sweep(participant_at(1), at_second(5000), 5000), 500U);
        fixture.quiesce();
    }
}

TEST(ConnectionTable, FullNatTakesTheNextFreeLocalPort) {
    TableFixture fixture(100);
    const LocalPorts pool[] = {{LocalAddressId{0}, 2000, 2003}, {LocalAddressId{1}, 3000, 3003}};
    std::set<std::pair<std::uint16_t, std::uint16_t>> used;
    for (unsigned i = 0; i < 9; ++i) {
        NewConnection what = nat("198.51.100.7", 40000 + i);
        what.method = ForwardingMethod::FullNat;
        const ConnectionIndex reserved = fixture.table.reserve(kWorker);
        fixture.table.connection(reserved).init(what, kNow);
        const InsertResult inserted =
            fixture.table.insert_with_local_port(kWorker, reserved, 0x1234 * i, pool, kNow);
        if (i == 8) {
            EXPECT_EQ(inserted.status, InsertStatus::NoLocalPort);
            break;
        }
        ASSERT_EQ(inserted.status, InsertStatus::Inserted);
        const Connection& connection = fixture.table.connection(inserted.index);
        used.emplace(static_cast<std::uint16_t>(connection.local_address()),
                     connection.local_port().host());
    }
    EXPECT_EQ(used.size(), 8U);
    EXPECT_TRUE(used.contains({0, 2000}));
    EXPECT_TRUE(used.contains({1, 3003}));
    EXPECT_EQ(fixture.table.size(), 8U);
}

// The same local port may serve another server: the reply keys differ.
TEST(ConnectionTable, FullNatSharesLocalPortsAmongServers) {
    TableFixture fixture(100);
    const LocalPorts pool[] = {{LocalAddressId{0}, 2000, 2000}};
    for (unsigned server = 0; server < 4; ++server) {
        NewConnection what = nat("198.51.100.7", 40000 + server);
        what.method = ForwardingMethod::FullNat;
        what.server = RealServerId{server};
        const ConnectionIndex reserved = fixture.table.reserve(kWorker);
        fixture.table.connection(reserved).init(what, kNow);
        EXPECT_EQ(fixture.table.insert_with_local_port(kWorker, reserved, 0, pool, kNow).status,
                  InsertStatus::Inserted);
    }
}

NewConnection half_open(unsigned port) {
    NewConnection what = nat("198.51.100.7", port);
    what.flags = static_cast<std::uint16_t>(ConnectionFlag::Embryonic);
    what.timeout = 60s;
    return what;
}

TEST(ConnectionTable, EmbryonicConnectionsHaveACappedShare) {
    TableFixture fixture(100, 2, 0.25);
    unsigned admitted = 0;
    for (unsigned port = 0; port < 60; ++port) {
        if (!fixture.table.may_add_embryonic(kWorker)) break;
        fixture.insert(half_open(port + 1), kNow);
        ++admitted;
    }
    EXPECT_EQ(admitted, 25U);
    EXPECT_EQ(fixture.table.embryonic(), 25U);
    EXPECT_EQ(fixture.table.embryonic_limit(), 25U);
}

TEST(ConnectionTable, AnEstablishedConnectionMakesRoomForAnEmbryonicOne) {
    TableFixture fixture(100, 2, 0.01);
    const InsertResult inserted = fixture.insert(half_open(1), kNow);
    EXPECT_FALSE(fixture.table.may_add_embryonic(kWorker));
    Connection& connection = fixture.table.connection(inserted.index);
    ConnectionState seen = connection.state();
    ASSERT_TRUE(connection.change_state(seen, seen.without(ConnectionFlag::Embryonic)));
    fixture.table.count_established(participant_at(1));
    EXPECT_TRUE(fixture.table.may_add_embryonic(kWorker));
}

TEST(ConnectionTable, ReclaimTakesIdleEmbryonicConnectionsOnly) {
    TableFixture fixture(1000);
    for (unsigned port = 1; port <= 100; ++port) {
        fixture.insert(half_open(port), port <= 50 ? kNow : at_second(1005));
        fixture.insert(nat("198.51.100.8", port), kNow);
    }
    EXPECT_EQ(fixture.table.reclaim_embryonic(kWorker, at_second(1006), Ticks(2s), 1000), 16U);
    std::uint32_t rest = 0;
    for (int i = 0; i < 4; ++i) {
        rest += fixture.table.reclaim_embryonic(kWorker, at_second(1006), Ticks(2s), 1000);
    }
    EXPECT_EQ(rest, 34U);
    EXPECT_EQ(fixture.table.embryonic(), 50U);
    for (unsigned port = 1; port <= 100; ++port) {
        EXPECT_TRUE(fixture.find(nat("198.51.100.8", port).forward, at_second(1006)));
    }
}

TEST(ConnectionTable, VisitShowsEachLiveConnectionOnce) {
    TableFixture fixture(1000);
    std::set<std::uint32_t> live;
    for (unsigned port = 1; port <= 300; ++port) {
        const InsertResult inserted = fixture.insert(nat("198.51.100.8", port), kNow);
        if (port % 3 == 0) {
            fixture.table.remove(kWorker, inserted.index);
        } else {
            live.insert(index(inserted.index));
        }
    }
    std::multiset<std::uint32_t> seen;
    std::uint32_t next = 0;
    do {
        next = fixture.table.visit(
            next, 7, [&](ConnectionIndex which, const Connection& connection, ConnectionState) {
                EXPECT_EQ(connection.client_address(), ip("198.51.100.8"));
                seen.insert(index(which));
            });
    } while (next != 0);
    EXPECT_EQ(seen, std::multiset<std::uint32_t>(live.begin(), live.end()));
}

// Goal: at most 96 bytes for a NAT connection, all in, at 80 % load of the index.
TEST(ConnectionTable, MemoryOfANatConnectionIsAtMost96Bytes) {
    for (const std::uint32_t connections : {200'000U, 1'000'000U}) {
        RegionPlan plan;
        ConnectionTable::plan(plan, {connections, 9, 0.25, {}});
        const double each = static_cast<double>(plan.bytes()) / connections;
        EXPECT_LE(each, 96.0) << connections;
        EXPECT_GE(each, 84.0) << connections;
    }
}

TEST(ConnectionTable, MemoryAccountCountsKeysByPlace) {
    TableFixture fixture(100);
    for (unsigned port = 1; port <= 80; ++port) fixture.insert(nat("198.51.100.8", port), kNow);
    const std::vector<MemoryAccount> accounts = fixture.table.memory();
    ASSERT_EQ(accounts.size(), 4U);
    EXPECT_EQ(accounts[0].name, "connection records");
    EXPECT_EQ(accounts[0].used, 80U);
    EXPECT_EQ(accounts[1].used + accounts[2].used, 160U);
    EXPECT_GE(accounts[1].capacity, 250U);
}

}  // namespace
}  // namespace pollux::lb
