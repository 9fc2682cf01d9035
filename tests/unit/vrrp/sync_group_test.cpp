// SPDX-License-Identifier: Apache-2.0

// Sync groups: all members move together, faults are shared, nobody flaps.

#include <gtest/gtest.h>

#include "tests/support/vrrp_builders.h"
#include "vrrp/router_set.h"

namespace pollux::vrrp::test {
namespace {

// Two instances on two interfaces, VRIDs 51 and 52, in one group.
struct GroupNode {
    RouterSet set;
    InstanceId wan, lan;
    GroupId group;
    TimePoint now{};
    RoutedActions log;

    GroupNode() {
        wan = set.add(InterfaceId{0}, config(51));
        lan = set.add(InterfaceId{1}, config(52));
        group = set.add_group({"VG_1", {wan, lan}});
        set.synchronise(now);
        for (const InstanceId id : {wan, lan}) set.set_source(id, kOurAddress, now);
        for (const InstanceId id : {wan, lan}) take(set.start(id, now));
    }
    static InstanceConfig config(std::uint8_t vrid) {
        InstanceConfig config = config_v3();
        config.virtual_router_id = vrid;
        return config;
    }
    void take(RoutedActions actions) { log = std::move(actions); }
    void hear(InstanceId id, std::uint8_t priority) {
        const auto frame = PeerAdvert(set.instance(id).config(), priority).from(kHighPeer).frame();
        take(set.receive(set.interface(id), frame, now));
    }
    void pass(Duration duration) {
        const TimePoint end = now + duration;
        log.clear();
        while (set.next_deadline() <= end) {
            now = std::max(now, set.next_deadline());
            for (RoutedAction& action : set.timers_expired(now)) log.push_back(std::move(action));
        }
        now = end;
    }
    void fault(InstanceId id, bool present) {
        take(set.set_fault(id, Fault::TrackScript, present, now));
    }
    void expect(State state) {
        EXPECT_EQ(set.instance(wan).state(), state);
        EXPECT_EQ(set.instance(lan).state(), state);
        EXPECT_EQ(set.group_state(group), state);
    }
    // Notices of the group in `log`.
    [[nodiscard]] std::vector<Notice> group_notices() const {
        std::vector<Notice> notices;
        for (const RoutedAction& action : log) {
            if (action.group) notices.push_back(std::get<Notify>(action.action).notice);
        }
        return notices;
    }
};

TEST(SyncGroup, TakesOverTogetherAndNotifiesOnce) {
    GroupNode node;
    node.expect(State::Backup);
    node.pass(4s);
    node.expect(State::Master);
    EXPECT_EQ(node.group_notices(), std::vector{Notice::Master});
}

TEST(SyncGroup, OneBetterMasterMakesAllYield) {
    GroupNode node;
    node.pass(4s);
    node.hear(node.lan, 200);
    node.expect(State::Backup);
    EXPECT_EQ(node.set.instance(node.wan).last_cause(), Cause::SyncGroup);
    EXPECT_EQ(node.group_notices(), std::vector{Notice::Backup});
}

// keepalived 2.2.7: GROUP "VG_1" STOP 0, after its last member.
TEST(SyncGroup, StopIsToldOfOnceWithTheLastMember) {
    for (const bool faulty : {false, true}) {
        GroupNode node;
        node.pass(4s);
        if (faulty) node.fault(node.wan, true);
        node.take(node.set.stop(node.wan, node.now));
        EXPECT_TRUE(node.group_notices().empty());
        node.take(node.set.stop(node.lan, node.now));
        EXPECT_EQ(node.group_notices(), std::vector{Notice::Stop});
    }
}

TEST(SyncGroup, ReplacedGroupIsNotToldOfAgain) {
    GroupNode node;
    node.pass(4s);
    node.set.remove_group(node.group);
    node.group = node.set.add_group({"VG_1", {node.wan, node.lan}}, State::Master);
    node.take(node.set.synchronise(node.now));
    EXPECT_TRUE(node.group_notices().empty());
    node.expect(State::Master);
}

TEST(SyncGroup, FaultOfOneIsTheFaultOfAll) {
    GroupNode node;
    node.pass(4s);
    node.fault(node.wan, true);
    node.expect(State::Fault);
    EXPECT_EQ(node.group_notices(), std::vector{Notice::Fault});
    std::size_t released = 0;
    for (const RoutedAction& action : node.log) {
        const auto* sent = std::get_if<SendAdvert>(&action.action);
        released += sent != nullptr && sent->priority == 0 ? 1 : 0;
    }
    EXPECT_EQ(released, 2U);
    node.fault(node.wan, false);
    node.expect(State::Backup);
}

TEST(SyncGroup, LeavesFaultOnlyWhenTheLastMemberIsWell) {
    GroupNode node;
    node.fault(node.wan, true);
    node.fault(node.lan, true);
    node.fault(node.wan, false);
    node.expect(State::Fault);
    node.fault(node.lan, false);
    node.expect(State::Backup);
}

// keepalived re-elects for ever when a peer is heard on one side only.
TEST(SyncGroup, DoesNotTakeOverWhileOneMemberHearsAMaster) {
    GroupNode node;
    for (int i = 0; i < 60; ++i) {
        node.hear(node.lan, 200);
        node.pass(1s);
    }
    node.expect(State::Backup);
    EXPECT_EQ(node.set.instance(node.wan).counters().become_master, 0U);
    EXPECT_GT(node.set.instance(node.wan).counters().held_by_group, 10U);
    node.pass(8s);  // now the peer is silent on both sides
    node.expect(State::Master);
}

TEST(SyncGroup, AReleasedMemberTakesTheGroupAlong) {
    GroupNode node;
    node.hear(node.wan, 200);
    node.hear(node.lan, 200);
    node.hear(node.wan, 0);
    node.pass(700ms);
    node.expect(State::Master);
}

TEST(SyncGroup, StepDownMovesAll) {
    GroupNode node;
    node.pass(4s);
    node.take(node.set.step_down(node.wan, 60s, node.now));
    node.expect(State::Backup);
    EXPECT_EQ(node.group_notices(), std::vector{Notice::Backup});
}

TEST(SyncGroup, StallOfTheNodeMovesAll) {
    GroupNode node;
    node.pass(4s);
    node.now += 10s;
    node.hear(node.lan, 50);
    node.expect(State::Backup);
    for (const RoutedAction& action : node.log) {
        EXPECT_FALSE(std::holds_alternative<SendAdvert>(action.action));
    }
}

TEST(SyncGroup, LeavingAGroupLeavesItsFault) {
    GroupNode node;
    node.fault(node.wan, true);
    node.set.remove_group(node.group);
    node.take(node.set.synchronise(node.now));
    EXPECT_EQ(node.set.instance(node.wan).state(), State::Fault);
    EXPECT_EQ(node.set.instance(node.lan).state(), State::Backup);
}

TEST(SyncGroup, RemovedMemberSaysGoodbye) {
    GroupNode node;
    node.pass(4s);
    node.take(node.set.remove(node.wan, node.now));
    ASSERT_FALSE(node.log.empty());
    EXPECT_EQ(std::get<SendAdvert>(node.log.front().action).priority, 0);
    EXPECT_EQ(node.set.instances(), std::vector{node.lan});
    EXPECT_EQ(node.set.instance(node.lan).state(), State::Master);
}

TEST(RouterSet, FamiliesAndInterfacesKeepVirtualRoutersApart) {
    RouterSet set;
    const InstanceId v4 = set.add(InterfaceId{0}, config_v3());
    const InstanceId v6 = set.add(InterfaceId{0}, config_v6());
    const InstanceId other = set.add(InterfaceId{1}, config_v3());
    set.set_source(v4, kOurAddress, {});
    set.set_source(v6, ip("fe80::5"), {});
    set.set_source(other, kOurAddress, {});
    for (const InstanceId id : {v4, v6, other}) set.start(id, {});
    set.receive(InterfaceId{0}, PeerAdvert(config_v6(), 200).frame(), TimePoint(1s));
    EXPECT_EQ(set.instance(v4).counters().advert_rcvd, 0U);
    EXPECT_EQ(set.instance(v6).counters().advert_rcvd, 1U);
    EXPECT_EQ(set.instance(other).counters().advert_rcvd, 0U);
}

TEST(RouterSet, UnreadableFramesAreCountedByNoInstance) {
    RouterSet set;
    const InstanceId id = set.add(InterfaceId{0}, config_v3());
    auto frame = PeerAdvert(config_v3(), 200).frame();
    frame[24] ^= 1U;
    set.receive(InterfaceId{0}, frame, {});
    set.receive(InterfaceId{0}, hex("ffffffffffff 020000000001 0806 0001"), {});
    EXPECT_EQ(set.receive_counters().unreadable, 1U);
    EXPECT_EQ(set.receive_counters().not_vrrp, 1U);
    EXPECT_EQ(set.receive_counters().frames, 2U);
    EXPECT_EQ(set.instance(id).counters().not_listening, 0U);
}

}  // namespace
}  // namespace pollux::vrrp::test
