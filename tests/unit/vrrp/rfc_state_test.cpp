// SPDX-License-Identifier: Apache-2.0

// One test per statement of RFC 9568 section 6.4 (RFC 3768 for version 2) about states (S).
// docs/rfc9568.md lists them all.

#include <gtest/gtest.h>

#include "tests/support/vrrp_builders.h"

namespace pollux::vrrp::test {
namespace {

constexpr Duration kSkew100 = 1'000'000'000ns * 156 / 256;  // priority 100, 1 s: 0.609375 s

TEST(RfcState, S1OwnerIsMasterAtOnceAdvertFirst) {
    InstanceConfig config = config_v3();
    config.priority = kPriorityOwner;
    Node node(config);
    node.start();
    EXPECT_EQ(node.instance.state(), State::Master);
    EXPECT_EQ(position_of<SendAdvert>(node.log), 0);
    EXPECT_LT(position_of<SendAdvert>(node.log), position_of<Announce>(node.log));
    EXPECT_EQ(node.until_timer(), 1s);
}

TEST(RfcState, S1OthersListenForTheDownInterval) {
    Node node(config_v3());
    node.start();
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
    EXPECT_EQ(node.until_timer(), 3s + kSkew100);  // 3.609 s, as measured with keepalived
}

struct SkewCase {
    std::uint8_t version, priority;
    Duration interval, skew;
};
void PrintTo(const SkewCase& c, std::ostream* out) {
    *out << "v" << int{c.version} << " priority " << int{c.priority};
}
class SkewTime : public testing::TestWithParam<SkewCase> {};

// Version 2 counts in seconds, version 3 in intervals.
TEST_P(SkewTime, S2FollowsTheFormula) {
    InstanceConfig config = config_v3();
    config.version = GetParam().version;
    config.priority = GetParam().priority;
    config.advert_interval = GetParam().interval;
    const Node node(config);
    EXPECT_EQ(node.instance.skew(), GetParam().skew);
    EXPECT_EQ(node.instance.down_interval(), 3 * GetParam().interval + GetParam().skew);
}
INSTANTIATE_TEST_SUITE_P(
    RfcState, SkewTime,
    testing::Values(SkewCase{2, 100, 1s, 609'375'000ns}, SkewCase{2, 100, 5s, 609'375'000ns},
                    SkewCase{2, 50, 1s, 804'687'500ns}, SkewCase{2, 254, 1s, 7'812'500ns},
                    SkewCase{3, 100, 1s, 609'375'000ns}, SkewCase{3, 100, 100ms, 60'937'500ns},
                    SkewCase{3, 100, 10ms, 6'093'750ns}, SkewCase{3, 1, 2s, 1'992'187'500ns}));

TEST(RfcState, S3BackupWaitsTheSkewTimeAfterPriorityZero) {
    Node node(config_v3());
    node.start();
    node.hear(PeerAdvert(config_v3(), 200));
    node.pass(200ms);
    node.hear(PeerAdvert(config_v3(), 0));
    EXPECT_EQ(node.until_timer(), kSkew100);
    node.pass(kSkew100);
    EXPECT_EQ(node.instance.state(), State::Master);
    EXPECT_EQ(first_of<LogTransition>(node.log)->cause, Cause::MasterReleased);
}

TEST(RfcState, S4BackupAdoptsTheMastersInterval) {
    Node node(config_v3());
    node.start();
    InstanceConfig slow = config_v3();
    slow.advert_interval = 4s;
    node.hear(PeerAdvert(slow, 200));
    EXPECT_EQ(node.instance.active_interval(), 4s);
    EXPECT_EQ(node.until_timer(), 12s + 4 * kSkew100);
    node.pass(12s + 4 * kSkew100);
    EXPECT_EQ(node.instance.state(), State::Master);
    EXPECT_EQ(node.until_timer(), 1s) << "a master uses its own interval";
}

TEST(RfcState, S4EqualPriorityReArmsTheTimer) {
    Node node(config_v3());
    node.start();
    node.pass(3s);
    node.hear(PeerAdvert(config_v3(), 100).from(kLowPeer));
    EXPECT_EQ(node.until_timer(), 3s + kSkew100);
}

TEST(RfcState, S4WithoutPreemptionALowerMasterIsHeard) {
    InstanceConfig config = config_v3();
    config.nopreempt = true;
    Node node(config);
    node.start();
    for (int i = 0; i < 20; ++i) {
        node.pass(1s);
        node.hear(PeerAdvert(config_v3(), 1));
    }
    EXPECT_EQ(node.instance.state(), State::Backup);
}

TEST(RfcState, S5LowerPriorityIsDiscardedAndTheTimerRunsOn) {
    Node node(config_v3());
    node.start();
    const TimePoint deadline = node.instance.deadline();
    for (int i = 0; i < 3; ++i) {
        node.pass(1s);
        node.hear(PeerAdvert(config_v3(), 99));
        EXPECT_TRUE(node.log.empty());
    }
    EXPECT_EQ(node.instance.deadline(), deadline);
    node.pass(1s);
    EXPECT_EQ(node.instance.state(), State::Master);
}

TEST(RfcState, S6BecomingMasterIsOneOrderedList) {
    Node node(config_v3());
    node.start();
    node.pass(3s + kSkew100);
    const Actions expected = {
        SendAdvert{100},
        StartAnswering{},
        AddAddresses{},
        Announce{AnnounceReason::BecameMaster},
        LogTransition{State::Backup, State::Master, Cause::MasterSilent, {}, 0},
        Notify{Notice::Master, 100},
        ArmTimer{node.now + 1s},
    };
    EXPECT_EQ(node.log, expected);
}

TEST(RfcState, S7MasterAdvertisesEachInterval) {
    Node node(config_v3());
    node.become_master();
    node.pass(10s);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>(10, 100));
}

TEST(RfcState, S7LatenessDoesNotAddUp) {
    Node node(config_v3());
    node.become_master();
    const TimePoint start = node.now;
    for (int i = 1; i <= 10; ++i) {
        node.now = node.instance.deadline() + 3ms;  // the caller is always a little late
        node.take(node.instance.timer_expired(node.now));
    }
    EXPECT_EQ(node.instance.deadline(), start + 11s);
}

TEST(RfcState, S8MasterAnswersPriorityZeroAtOnce) {
    Node node(config_v3());
    node.become_master();
    node.pass(400ms);
    node.hear(PeerAdvert(config_v3(), 0));
    EXPECT_EQ(node.instance.state(), State::Master);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{100});
    node.pass(1s - 1ns);
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty()) << "the timer started anew";
    node.pass(1ns);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{100});
}

TEST(RfcState, S9MasterYieldsToAHigherPriority) {
    Node node(config_v3());
    node.become_master();
    InstanceConfig fast = config_v3();
    fast.advert_interval = 500ms;
    node.hear(PeerAdvert(fast, 101).from(kLowPeer));
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_EQ(node.until_timer(), 1500ms + kSkew100 / 2) << "it adopts the interval";
    EXPECT_EQ(node.instance.master()->address, kLowPeer);
}

TEST(RfcState, S9EqualPriorityIsDecidedByTheAddressAsUnsignedBytes) {
    Node wins(config_v3());
    wins.become_master();
    wins.hear(PeerAdvert(config_v3(), 100).from(kLowPeer));
    EXPECT_EQ(wins.instance.state(), State::Master);
    Node loses(config_v3());
    loses.become_master();
    loses.hear(PeerAdvert(config_v3(), 100).from(kHighPeer));
    EXPECT_EQ(loses.instance.state(), State::Backup);
    EXPECT_EQ(first_of<LogTransition>(loses.log)->cause, Cause::HigherAddress);
    // 192.0.0.1 is above 10.0.0.5 only when the first byte is unsigned and comes first.
    Node unsigned_bytes(config_v3());
    unsigned_bytes.become_master();
    unsigned_bytes.hear(PeerAdvert(config_v3(), 100).from(ip("192.0.0.1")));
    EXPECT_EQ(unsigned_bytes.instance.state(), State::Backup);
}

TEST(RfcState, S10MasterAnswersALosingAdvertAtOnce) {
    Node node(config_v3());
    node.become_master();
    node.pass(400ms);
    node.hear(PeerAdvert(config_v3(), 99));
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{100});
    EXPECT_EQ(node.until_timer(), 600ms) << "the second announcement comes before the next advert";
    node.pass(600ms);
    EXPECT_EQ(first_of<Announce>(node.log)->reason, AnnounceReason::OtherMaster);
    EXPECT_EQ(node.until_timer(), 400ms);
}

TEST(RfcState, S10LowerPrioNoAdvertOnlyDiscards) {
    InstanceConfig config = config_v3();
    config.lower_prio_no_advert = true;
    Node node(config);
    node.become_master();
    const TimePoint deadline = node.instance.deadline();
    node.pass(400ms);
    node.hear(PeerAdvert(config_v3(), 99));
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
    EXPECT_EQ(node.instance.counters().other_master, 1U);
    node.pass(600ms);
    EXPECT_EQ(node.now, deadline);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{100});
}

TEST(RfcState, S11StoppingAMasterSaysPriorityZeroFirst) {
    Node node(config_v3());
    node.become_master();
    node.pass(300ms);
    node.stop();
    const Actions expected = {
        SendAdvert{0},
        StopAnswering{},
        RemoveAddresses{},
        CancelAnnouncements{},
        LogTransition{State::Master, State::Init, Cause::Stopped, {}, 0},
        Notify{Notice::Stop, 100},
        ArmTimer{kNever},
    };
    EXPECT_EQ(node.log, expected);
    EXPECT_EQ(node.instance.counters().pri_zero_sent, 1U);
}

TEST(RfcState, S11StoppingABackupIsSilent) {
    Node node(config_v3());
    node.start();
    node.stop();
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
    EXPECT_EQ(node.instance.state(), State::Init);
}

TEST(RfcState, S12TheAddressDecidesOnlyBetweenMasters) {
    Node node(config_v3());
    node.start();
    node.pass(1s);
    node.hear(PeerAdvert(config_v3(), 100).from(kLowPeer));
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_EQ(node.until_timer(), 3s + kSkew100);
}

// Finding F1: keepalived starts its advertisement timer anew on every packet, so that one forged
// packet every 0.9 s silences it.
TEST(RfcState, S13ForgedAdvertStarvation) {
    InstanceConfig config = config_v2();
    config.auth_type = kAuthPass;
    config.auth_data = {'1', '1', '1', '1'};
    InstanceConfig wrong_password = config;
    wrong_password.auth_data = {'2'};
    PeerAdvert forged_password(wrong_password, 250);
    PeerAdvert forged_ttl(config, 250);
    forged_ttl.ttl = 254;
    PeerAdvert forged_version(config_v3(), 250);
    auto forged_checksum = PeerAdvert(config, 250).frame();
    forged_checksum[40] ^= 0x5aU;

    Node node(config);
    node.become_master();
    std::vector<TimePoint> sent{node.now};
    for (int i = 0; i < 1000; ++i) {
        node.pass(9ms);
        for (std::size_t k = all_of<SendAdvert>(node.log).size(); k > 0; --k) {
            sent.push_back(node.now);
        }
        node.hear(forged_password);
        node.hear(forged_ttl);
        node.hear(forged_version);
        node.hear_frame(forged_checksum);
    }
    EXPECT_EQ(sent.size(), 10U) << "9 s: one at the start and one per second";
    EXPECT_EQ(node.instance.state(), State::Master);
    EXPECT_EQ(node.instance.counters().become_master, 1U);
    EXPECT_EQ(node.instance.counters().auth_failure, 1000U);
    EXPECT_EQ(node.instance.counters().ip_ttl_err, 1000U);
    EXPECT_EQ(node.instance.counters().vers_err, 1000U);
    EXPECT_EQ(node.instance.counters().chk_err, 1000U);
}

TEST(RfcState, P1EqualPrioritiesAndTwoOwnersAreNamed) {
    Node equal(config_v3());
    equal.start();
    equal.hear(PeerAdvert(config_v3(), 100));
    EXPECT_NE(equal.instance.mismatches().find(MismatchKind::EqualPriority), nullptr);
    InstanceConfig config = config_v3();
    config.priority = kPriorityOwner;
    Node owner(config);
    owner.start();
    owner.hear(PeerAdvert(config_v3(), 255).from(kLowPeer));
    EXPECT_NE(owner.instance.mismatches().find(MismatchKind::TwoOwners), nullptr);
    EXPECT_EQ(owner.instance.state(), State::Master) << "the address decides";
    owner.hear(PeerAdvert(config_v3(), 255).from(kHighPeer));
    EXPECT_EQ(owner.instance.state(), State::Backup);
}

// D1, D2: whether the addresses are answered for follows the state without exception.
TEST(RfcState, D1D2AnsweringFollowsTheState) {
    Node node(config_v3());
    node.start();
    EXPECT_EQ(position_of<StartAnswering>(node.log), -1);
    node.pass(3s + kSkew100);
    EXPECT_LT(position_of<StartAnswering>(node.log), position_of<Announce>(node.log))
        << "section 8.1.2: nothing is announced before it is ready";
    node.hear(PeerAdvert(config_v3(), 200));
    EXPECT_LT(position_of<StopAnswering>(node.log), position_of<RemoveAddresses>(node.log));
    EXPECT_NE(position_of<CancelAnnouncements>(node.log), -1);
}

}  // namespace
}  // namespace pollux::vrrp::test
