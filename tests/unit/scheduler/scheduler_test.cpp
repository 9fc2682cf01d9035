// SPDX-License-Identifier: Apache-2.0

// Schedulers one by one: recorded sequences, positions that survive changes, and the caches.

#include "dataplane/lb/scheduler.h"

#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/scheduler/harness.h"

namespace pollux::lb::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// The next `count` choices by order of adding: "R3 R2 R1".
std::string sequence(Service& service, unsigned count) {
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
        const RealServerId id = service.pick();
        text += (i == 0 ? "" : " ");
        text += id == kNoRealServer ? "none" : "R" + std::to_string(index(id) + 1);
    }
    return text;
}

ScheduleInput to(std::uint32_t destination, Duration at = {}) {
    ScheduleInput input;
    input.destination = v4(destination);
    input.now = TimePoint(hours(1)) + at;
    return input;
}

TEST(SchedulerTable, NamesAreLvss) {
    const char* const names[] = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",
                                 "sh", "sed", "nq", "fo",  "ovf",  "mh",    "twos"};
    ASSERT_EQ(kSchedulers.size(), std::size(names));
    for (std::size_t i = 0; i < kSchedulers.size(); ++i) {
        EXPECT_EQ(kSchedulers[i].name, names[i]);
        EXPECT_EQ(static_cast<std::size_t>(kSchedulers[i].kind), i);
        EXPECT_EQ(parse_scheduler(names[i]), kSchedulers[i].kind);
    }
    EXPECT_FALSE(parse_scheduler("nosuch"));
}

TEST(Rr, BeginsWithTheLastAdded) {
    Service service(SchedulerKind::Rr);
    for (int i = 0; i < 3; ++i) service.add(1);
    EXPECT_EQ(sequence(service, 4), "R3 R2 R1 R3");
}

TEST(Rr, AdditionDoesNotMoveThePosition) {
    Service service(SchedulerKind::Rr);
    for (int i = 0; i < 3; ++i) service.add(1);
    EXPECT_EQ(sequence(service, 2), "R3 R2");
    service.add(1);
    EXPECT_EQ(sequence(service, 4), "R1 R4 R3 R2");
}

TEST(Rr, DeletionOfTheChosenServerGoesOnBehindIt) {
    Service service(SchedulerKind::Rr);
    for (int i = 0; i < 4; ++i) service.add(1);
    EXPECT_EQ(sequence(service, 2), "R4 R3");
    service.remove(RealServerId{2});
    EXPECT_EQ(sequence(service, 3), "R2 R1 R4");
}

// lvs.md section 2, finding 2: recorded on a kernel.
TEST(Wrr, SequencesAreTheRecordedOnes) {
    Service weights_4_3_2(SchedulerKind::Wrr);
    weights_4_3_2.add_each({4, 3, 2});
    EXPECT_EQ(sequence(weights_4_3_2, 9), "R3 R2 R1 R1 R2 R1 R3 R2 R1");

    Service weights_5_1_1(SchedulerKind::Wrr);
    weights_5_1_1.add_each({5, 1, 1});
    EXPECT_EQ(sequence(weights_5_1_1, 7), "R3 R2 R1 R1 R1 R1 R1");
}

TEST(Wrr, ServersAddedTogetherCountAsAddedOneByOne) {
    Service together(SchedulerKind::Wrr);
    together.add_all({5, 1, 1});
    EXPECT_EQ(sequence(together, 7), "R3 R2 R1 R1 R1 R1 R1");
}

TEST(Wrr, ChangeToWrrBeginsAtTheTop) {
    Service service(SchedulerKind::Rr);
    service.add_each({5, 1, 1});
    service.change_scheduler(SchedulerKind::Wrr);
    EXPECT_EQ(sequence(service, 7), "R1 R1 R1 R1 R3 R2 R1");
}

// The kernel walks the list once for each level; with a heavy server overloaded that is 65535
// walks. A choice must stay cheap.
TEST(Wrr, OverloadedHeavyServerIsPassedOverAtOnce) {
    Service service(SchedulerKind::Wrr);
    const RealServerId heavy = service.add(65535);
    service.add(1);
    service.load(heavy).overloaded = true;
    EXPECT_EQ(sequence(service, 3), "R2 R2 R2");
    service.load(heavy).overloaded = false;
    EXPECT_EQ(sequence(service, 2), "R1 R1");
}

// The kernel's search over overloaded servers ends where it began when only the last level was
// left.
TEST(Wrr, SearchInVainOnTheLastLevelKeepsThePosition) {
    Service service(SchedulerKind::Wrr);
    service.add_each({1, 1});
    EXPECT_EQ(sequence(service, 1), "R2");
    for (const std::uint32_t id : {0U, 1U}) service.load(RealServerId{id}).overloaded = true;
    EXPECT_EQ(sequence(service, 1), "none");
    for (const std::uint32_t id : {0U, 1U}) service.load(RealServerId{id}).overloaded = false;
    EXPECT_EQ(sequence(service, 2), "R1 R2");
}

TEST(Wrr, SearchInVainOnAnotherLevelStartsOver) {
    Service service(SchedulerKind::Wrr);
    service.add_each({3, 3});
    EXPECT_EQ(sequence(service, 1), "R2");  // level 1 of 3: both have a step of three
    service.edit(RealServerId{0}, 2);       // levels 2 and 1
    for (const std::uint32_t id : {0U, 1U}) service.load(RealServerId{id}).overloaded = true;
    EXPECT_EQ(sequence(service, 1), "none");
    for (const std::uint32_t id : {0U, 1U}) service.load(RealServerId{id}).overloaded = false;
    EXPECT_EQ(sequence(service, 5), "R2 R2 R1 R2 R1");
}

// The kernel since 6.1.183: recorded in tests/golden/sched/wlc-256-257.json.
TEST(Wlc, AnActiveConnectionCounts257Times) {
    Service service(SchedulerKind::Wlc);
    const RealServerId busy = service.add(1);
    const RealServerId idle = service.add(1);
    service.load(busy).active = 1;
    service.load(idle).inactive = 257;
    EXPECT_EQ(service.pick(), idle);  // a tie goes to the last added
    service.load(idle).inactive = 258;
    EXPECT_EQ(service.pick(), busy);
    service.load(idle).inactive = 256;
    EXPECT_EQ(service.pick(), idle);
}

TEST(Schedulers, UnchangedRebuildGoesOnUndisturbed) {
    Service service(SchedulerKind::Wrr);
    service.add_each({4, 3, 2});
    EXPECT_EQ(sequence(service, 4), "R3 R2 R1 R1");
    service.set_expiration(hours(1));
    EXPECT_EQ(sequence(service, 5), "R2 R1 R3 R2 R1");
}

// A worker may still be using the old snapshot while others use the new one.
TEST(Schedulers, WorkerOnAnOldSnapshotLeavesTheNewPositionAlone) {
    Service service(SchedulerKind::Rr);
    for (int i = 0; i < 3; ++i) service.add(1);
    EXPECT_EQ(sequence(service, 1), "R3");
    const ServiceScheduler old = service.scheduler();
    service.add(1);
    EXPECT_EQ(sequence(service, 1), "R2");

    EXPECT_NE(schedule(old, {}, service.loads()), kNoTarget);

    EXPECT_EQ(sequence(service, 3), "R1 R4 R3");
}

TEST(Schedulers, NoneWithoutUsableServers) {
    for (const SchedulerRow& row : kSchedulers) {
        Service empty(row.kind);
        EXPECT_EQ(empty.pick(), kNoRealServer) << row.name;
        Service quiesced(row.kind, {true, false});
        quiesced.edit(quiesced.add(1), 0);
        EXPECT_EQ(quiesced.pick(), kNoRealServer) << row.name;
        Service overloaded(row.kind, {true, false});
        overloaded.load(overloaded.add(1)).overloaded = true;
        EXPECT_EQ(overloaded.pick(), kNoRealServer) << row.name;
        EXPECT_EQ(overloaded.pick(), kNoRealServer) << row.name;
    }
}

TEST(Schedulers, LargestServiceWorks) {
    for (const SchedulerRow& row : kSchedulers) {
        Service service(row.kind);
        service.add_all(std::vector<std::uint16_t>(Service::kMaxServers, 65535));
        EXPECT_NE(service.open(), kNoRealServer) << row.name;
    }
}

TEST(Lblc, DestinationKeepsItsServerWithinTheExpiration) {
    Service service(SchedulerKind::Lblc);
    service.set_expiration(hours(24));
    service.add(100);
    const RealServerId last = service.add(100);
    EXPECT_EQ(service.open(to(1)), last);
    EXPECT_EQ(service.open(to(1, hours(23))), last);
    EXPECT_EQ(service.open(to(1, hours(46))), last);  // each use counts anew
    EXPECT_NE(service.open(to(1, hours(71))), last);  // idle for 25 h: by load
}

TEST(Lblc, ManyDestinationsAreRememberedWithinBounds) {
    Service service(SchedulerKind::Lblc);
    service.add(60000);
    service.add(60000);
    std::map<std::uint32_t, RealServerId> first;
    for (std::uint32_t i = 0; i < 5000; ++i) first[i] = service.open(to(i * 7919));
    unsigned kept = 0;
    for (std::uint32_t i = 0; i < 5000; ++i) kept += service.open(to(i * 7919)) == first[i];
    EXPECT_GE(kept, 4990U);  // 16384 entries in buckets of eight: nearly none is pushed out
    for (std::uint32_t i = 0; i < 100000; ++i) {
        ASSERT_NE(service.open(to(0x40000000 + i)), kNoRealServer);
    }
}

TEST(Lblcr, SetShrinksAfterTheExpiration) {
    Service service(SchedulerKind::Lblcr);
    service.set_expiration(hours(24));
    const RealServerId first = service.add(1);
    const RealServerId last = service.add(1);
    EXPECT_EQ(service.open(to(1)), last);
    EXPECT_EQ(service.open(to(1)), last);
    EXPECT_EQ(service.open(to(1)), first);  // the last one exceeds its weight: the first joins
    EXPECT_EQ(service.open(to(1)), first);
    // Without further changes the set loses its most loaded server (a tie: the newest) after the
    // expiration; the entry itself is kept in use meanwhile.
    service.load(first).active = 3;
    service.load(last).active = 1;
    EXPECT_EQ(service.pick(to(1, hours(20))), last);
    EXPECT_EQ(service.pick(to(1, hours(30))), last);
    service.load(first).active = 0;
    EXPECT_EQ(service.pick(to(1, hours(31))), last);  // the first one is no longer in the set
}

TEST(Twos, SharesFollowTheWeights) {
    Service service(SchedulerKind::Twos);
    const RealServerId heavy = service.add(3);
    service.add(1);
    unsigned to_heavy = 0;
    for (int i = 0; i < 4000; ++i) to_heavy += service.open() == heavy;
    // Connections stay, so that the second choice keeps the loads in proportion.
    EXPECT_NEAR(to_heavy, 3000, 60);
}

TEST(Thresholds, OverloadIsSetAtTheUpperAndClearedBelowTheLower) {
    ServerLoad load;
    set_thresholds(load, 5, 3);
    const auto add = [&load] {
        ++load.inactive;
        note_connection_added(load);
    };
    const auto remove = [&load] {
        --load.inactive;
        note_connection_removed(load);
    };
    for (int i = 0; i < 4; ++i) add();
    EXPECT_FALSE(load.overloaded);
    add();
    EXPECT_TRUE(load.overloaded);
    remove();
    remove();
    EXPECT_TRUE(load.overloaded);  // three left: not below the lower threshold
    remove();
    EXPECT_FALSE(load.overloaded);
}

// Recorded in tests/golden/sched/threshold-75.json: without a lower threshold three quarters.
TEST(Thresholds, LowerDefaultsToThreeQuarters) {
    ServerLoad load;
    set_thresholds(load, 8, 0);
    load.active = 8;
    note_connection_added(load);
    for (const std::uint32_t left : {7U, 6U}) {
        load.active = left;
        note_connection_removed(load);
        EXPECT_TRUE(load.overloaded) << left;
    }
    load.active = 5;
    note_connection_removed(load);
    EXPECT_FALSE(load.overloaded);
}

TEST(Thresholds, EditEvaluatesAtOnce) {
    ServerLoad load;
    load.active = 4;
    set_thresholds(load, 4, 0);
    EXPECT_TRUE(load.overloaded);
    set_thresholds(load, 10, 0);
    EXPECT_FALSE(load.overloaded);
    set_thresholds(load, 3, 0);
    EXPECT_TRUE(load.overloaded);
    set_thresholds(load, 0, 0);
    EXPECT_FALSE(load.overloaded);
}

}  // namespace
}  // namespace pollux::lb::test
