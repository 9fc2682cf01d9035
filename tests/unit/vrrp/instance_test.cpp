// SPDX-License-Identifier: Apache-2.0

// What the instance does beyond the RFC: faults, preemption modes, stalls, split brain, rate
// limits, the operator's commands, reconfiguration.

#include <gtest/gtest.h>

#include "tests/support/vrrp_builders.h"

namespace pollux::vrrp::test {
namespace {

constexpr Duration kSkew100 = 609'375'000ns;
constexpr Duration kDown100 = 3s + kSkew100;

// --- faults -----------------------------------------------------------------------------------

TEST(InstanceFault, MasterReleasesAndComesBackByListening) {
    Node node(config_v3());
    node.become_master();
    node.take(node.instance.set_fault(Fault::TrackScript, true, node.now));
    const Actions down = {
        SendAdvert{0},
        StopAnswering{},
        RemoveAddresses{},
        CancelAnnouncements{},
        LogTransition{State::Master, State::Fault, Cause::Fault, {}, 0},
        Notify{Notice::Fault, 100},
        ArmTimer{kNever},
    };
    EXPECT_EQ(node.log, down);
    node.pass(10s);
    node.hear(PeerAdvert(config_v3(), 0));
    EXPECT_EQ(node.instance.counters().not_listening, 1U);
    EXPECT_EQ(node.instance.state(), State::Fault);

    node.take(node.instance.set_fault(Fault::TrackScript, false, node.now));
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_EQ(node.until_timer(), kDown100);
}

TEST(InstanceFault, LastsUntilTheLastReasonIsGone) {
    Node node(config_v3());
    node.start();
    node.take(node.instance.set_fault(Fault::InterfaceDown, true, node.now));
    node.take(node.instance.set_fault(Fault::WorkerStalled, true, node.now));
    node.take(node.instance.set_fault(Fault::InterfaceDown, false, node.now));
    EXPECT_EQ(node.instance.state(), State::Fault);
    node.take(node.instance.set_fault(Fault::WorkerStalled, false, node.now));
    EXPECT_EQ(node.instance.state(), State::Backup);
}

TEST(InstanceFault, NoAddressIsAFault) {
    Instance instance(config_v3());
    instance.start({});
    EXPECT_EQ(instance.state(), State::Fault);
    instance.set_source(kOurAddress, TimePoint(1s));
    EXPECT_EQ(instance.state(), State::Backup);
    instance.set_source({}, TimePoint(2s));
    EXPECT_EQ(instance.state(), State::Fault);
}

TEST(InstanceFault, OwnerReturnsAsMaster) {
    InstanceConfig config = config_v3();
    config.priority = kPriorityOwner;
    Node node(config);
    node.start();
    node.take(node.instance.set_fault(Fault::InterfaceDown, true, node.now));
    node.pass(1s);
    node.take(node.instance.set_fault(Fault::InterfaceDown, false, node.now));
    EXPECT_EQ(node.instance.state(), State::Master);
}

TEST(InstanceFault, AtTheStartIsEnteredDirectly) {
    Node node(config_v3());
    node.take(node.instance.set_fault(Fault::TrackProcess, true, node.now));
    node.start();
    EXPECT_EQ(node.instance.state(), State::Fault);
    EXPECT_EQ(first_of<Notify>(node.log)->notice, Notice::Fault);
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
}

// --- preemption -------------------------------------------------------------------------------

TEST(InstancePreempt, NopreemptTakesOverOnlyFromSilence) {
    InstanceConfig config = config_v3();
    config.nopreempt = true;
    Node node(config);
    node.start();
    node.hear(PeerAdvert(config_v3(), 50));
    node.pass(kDown100 - 1ns);
    EXPECT_EQ(node.instance.state(), State::Backup);
    node.pass(1ns);
    EXPECT_EQ(node.instance.state(), State::Master);
}

TEST(InstancePreempt, NopreemptSurvivesAFault) {
    InstanceConfig config = config_v3();
    config.nopreempt = true;
    Node node(config);
    node.become_master();
    node.take(node.instance.set_fault(Fault::InterfaceDown, true, node.now));
    node.take(node.instance.set_fault(Fault::InterfaceDown, false, node.now));
    for (int i = 0; i < 20; ++i) {
        node.pass(1s);
        node.hear(PeerAdvert(config_v3(), 50));
    }
    EXPECT_EQ(node.instance.state(), State::Backup);
}

// keepalived measured: preempt_delay 3 moves the address 6.4 s after the first advert was heard.
TEST(InstancePreempt, DelayCountsFromTheFirstLowerAdvert) {
    InstanceConfig config = config_v3();
    config.preempt_delay = 3s;
    Node node(config);
    node.start();
    node.pass(400ms);
    TimePoint taken = kNever;
    for (int i = 0; i < 10 && taken == kNever; ++i) {
        node.hear(PeerAdvert(config_v3(), 50));
        node.pass(1s);
        if (node.instance.state() == State::Master) taken = node.instance.since();
    }
    // Heard at 0.4, 1.4, 2.4 s; from 3.4 s on discarded: 2.4 s + 3.609 s.
    EXPECT_EQ(taken, TimePoint(2400ms + kDown100));
}

TEST(InstancePreempt, DelayStartsAnewAfterABetterMaster) {
    InstanceConfig config = config_v3();
    config.preempt_delay = 3s;
    Node node(config);
    node.start();
    node.hear(PeerAdvert(config_v3(), 50));
    node.pass(2s);
    node.hear(PeerAdvert(config_v3(), 200));
    node.pass(2s);
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_EQ(node.until_timer(), kDown100) << "heard: 3 s have not passed since the first";
}

TEST(InstancePreempt, OwnerPreemptsWhateverNopreemptSays) {
    InstanceConfig config = config_v3();
    config.priority = kPriorityOwner;
    config.nopreempt = true;
    Node node(config);
    node.start();
    node.hear(PeerAdvert(config_v3(), 255).from(kHighPeer));
    ASSERT_EQ(node.instance.state(), State::Backup);
    const TimePoint deadline = node.instance.deadline();
    node.pass(1s);
    node.hear(PeerAdvert(config_v3(), 200));
    EXPECT_EQ(node.instance.deadline(), deadline);
}

TEST(InstancePreempt, StartupDelayKeepsTheInstanceInInit) {
    InstanceConfig config = config_v3();
    config.startup_delay = 5s;
    Node node(config);
    node.start();
    EXPECT_EQ(node.instance.state(), State::Init);
    node.hear(PeerAdvert(config_v3(), 0));
    node.pass(5s - 1ns);
    EXPECT_EQ(node.instance.state(), State::Init);
    node.pass(1ns);
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_EQ(node.until_timer(), kDown100);
}

TEST(InstancePreempt, DownTimerAdvertsStretchesTheSilence) {
    InstanceConfig config = config_v3();
    config.down_timer_adverts = 5;
    Node node(config);
    node.start();
    EXPECT_EQ(node.until_timer(), 5s + kSkew100);
}

// --- priority ---------------------------------------------------------------------------------

TEST(InstancePriority, LoweredPriorityIsTheNextAdverts) {
    Node node(config_v3());
    node.become_master();
    node.take(node.instance.set_priority(60, node.now));
    EXPECT_TRUE(node.log.empty());
    node.pass(1s);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{60});
}

TEST(InstancePriority, BackupTimerFollowsTheNewSkew) {
    Node node(config_v3());
    node.start();
    node.pass(1s);
    node.hear(PeerAdvert(config_v3(), 150));
    node.pass(500ms);
    node.take(node.instance.set_priority(200, node.now));
    EXPECT_EQ(node.until_timer(), 3s + Duration(1s) * 56 / 256 - 500ms);
    node.hear(PeerAdvert(config_v3(), 150));
    EXPECT_EQ(node.until_timer(), 3s + Duration(1s) * 56 / 256 - 500ms) << "now the peer is lower";
}

// --- stalls -----------------------------------------------------------------------------------

// keepalived after SIGCONT: 4 adverts and 20 gratuitous ARPs in 0.2 ms. Ours: not a word.
TEST(InstanceStall, MasterThatSleptStepsDownSilentlyDrainsAndElectsOnce) {
    Node node(config_v3());
    node.become_master();
    node.now += 6s;  // frozen; a lower-priority peer took over at 3.8 s and said so twice
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
    EXPECT_TRUE(all_of<Announce>(node.log).empty());
    EXPECT_EQ(first_of<WarnStall>(node.log)->gap, 6s);
    EXPECT_EQ(first_of<LogTransition>(node.log)->cause, Cause::Stall);
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_TRUE(node.log.empty());
    node.take(node.instance.timer_expired(node.now));
    EXPECT_TRUE(node.log.empty()) << "the old advert timer is gone";
    node.pass(kDown100);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{100});
    EXPECT_EQ(node.instance.counters().become_master, 2U);
    EXPECT_EQ(node.instance.counters().stall, 1U);
}

TEST(InstanceStall, MasterThatSleptNoticesAtItsTimerToo) {
    Node node(config_v3());
    node.become_master();
    node.now += 3001ms;
    node.take(node.instance.timer_expired(node.now));
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
}

TEST(InstanceStall, ShorterThanTheDeadTimeIsJustLate) {
    Node node(config_v3());
    node.become_master();
    node.now += 2999ms;
    node.take(node.instance.timer_expired(node.now));
    EXPECT_EQ(node.instance.state(), State::Master);
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{100});
    EXPECT_EQ(node.until_timer(), 1s);
}

TEST(InstanceStall, BackupThatSleptListensOnceMore) {
    Node node(config_v3());
    node.start();
    node.now += kDown100 + 1001ms;
    node.take(node.instance.timer_expired(node.now));
    EXPECT_EQ(node.instance.state(), State::Backup);
    EXPECT_EQ(node.until_timer(), kDown100);
    EXPECT_TRUE(first_of<WarnStall>(node.log).has_value());
    // A machine that is always late must take over all the same.
    node.now = node.instance.deadline() + 1001ms;
    node.take(node.instance.timer_expired(node.now));
    EXPECT_EQ(node.instance.state(), State::Master);
}

// --- split brain ------------------------------------------------------------------------------

TEST(InstanceConflict, LosingMasterSaysOneLastWordBeforeItLetsGo) {
    Node node(config_v3());
    node.become_master();
    node.hear(PeerAdvert(config_v3(), 200));
    const Actions expected = {
        SendAdvert{100},
        StopAnswering{},
        RemoveAddresses{},
        CancelAnnouncements{},
        LogTransition{State::Master, State::Backup, Cause::HigherPriority, kHighPeer, 200},
        Notify{Notice::Backup, 100},
        ArmTimer{node.now + kDown100},
    };
    EXPECT_EQ(node.log, expected);
}

TEST(InstanceConflict, LastWordCanBeTurnedOff) {
    InstanceConfig config = config_v3();
    config.higher_prio_send_advert = false;
    Node node(config);
    node.become_master();
    node.hear(PeerAdvert(config_v3(), 200));
    EXPECT_TRUE(all_of<SendAdvert>(node.log).empty());
}

TEST(InstanceConflict, WinnerAlarmsOnceAndAnnouncesAgain) {
    Node node(config_v3());
    node.become_master();
    node.pass(10s);
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_EQ(first_of<Announce>(node.log)->reason, AnnounceReason::OtherMaster);
    EXPECT_EQ(first_of<WarnSplitBrain>(node.log), (WarnSplitBrain{kHighPeer, 50}));
    EXPECT_EQ(first_of<Notify>(node.log), (Notify{Notice::MasterRxLowerPriority, 100}));
    EXPECT_TRUE(node.instance.in_conflict(node.now));
    EXPECT_EQ(node.instance.other_master()->priority, 50);
    EXPECT_EQ(node.instance.other_master()->mac, kPeerMac);
    EXPECT_TRUE(all_of<Fence>(node.log).empty()) << "it may still yield";

    node.pass(500ms);
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_TRUE(all_of<WarnSplitBrain>(node.log).empty()) << "the same conflict";
    EXPECT_TRUE(all_of<Announce>(node.log).empty()) << "not again so soon ...";
    node.pass(600ms);
    EXPECT_EQ(all_of<Announce>(node.log).size(), 1U) << "... but after the last sighting";

    node.pass(10s);
    EXPECT_FALSE(node.instance.in_conflict(node.now));
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_EQ(all_of<WarnSplitBrain>(node.log).size(), 1U) << "a new conflict";
    EXPECT_EQ(node.instance.counters().split_brain, 2U);
}

// Whoever has been answered and still speaks an interval later is fenced, once.
TEST(InstanceConflict, MasterThatDoesNotYieldIsFenced) {
    Node node(config_v3());
    node.become_master();
    node.pass(10s);
    std::vector<std::size_t> fences;
    for (int i = 0; i < 4; ++i) {
        node.hear(PeerAdvert(config_v3(), 50));
        fences.push_back(all_of<Fence>(node.log).size());
        node.pass(500ms);
    }
    EXPECT_EQ(fences, (std::vector<std::size_t>{0, 0, 1, 0}));
    EXPECT_EQ(node.instance.counters().split_brain, 1U);
}

// The last words of a replaced master (and of our own kind in particular: it sends one more advert
// when it yields) are no alarm.
TEST(InstanceConflict, HandOverIsNoSplitBrain) {
    Node node(config_v3());
    node.become_master();
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_TRUE(all_of<WarnSplitBrain>(node.log).empty());
    EXPECT_TRUE(all_of<Notify>(node.log).empty());
    EXPECT_FALSE(node.instance.in_conflict(node.now));
    EXPECT_EQ(node.instance.counters().other_master, 1U);
    node.pass(900ms);
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_TRUE(all_of<WarnSplitBrain>(node.log).empty());
    node.pass(200ms);
    node.hear(PeerAdvert(config_v3(), 50));
    EXPECT_EQ(all_of<WarnSplitBrain>(node.log).size(), 1U) << "it goes on";
    EXPECT_EQ(all_of<Fence>(node.log).size(), 1U);
}

TEST(InstanceConflict, AnotherStationsClaimOfAnAddressIsAConflict) {
    Node node(config_v3());
    node.become_master();
    node.pass(5s);
    node.take(node.instance.foreign_claim(ip("10.0.0.3"), kPeerMac, node.now));
    EXPECT_EQ(all_of<WarnSplitBrain>(node.log).size(), 1U);
    EXPECT_EQ(all_of<Announce>(node.log).size(), 1U);
    EXPECT_EQ(node.instance.counters().foreign_claim, 1U);
    EXPECT_EQ(node.instance.counters().other_master, 0U);
}

// A forger of valid low-priority adverts must not make us a source of floods.
TEST(InstanceConflict, AnswersAreRateLimited) {
    Node node(config_v3());
    node.become_master();
    node.pass(10s);
    std::size_t answers = 0;
    std::size_t announcements = 0;
    for (int i = 0; i < 10'000; ++i) {
        node.pass(100us);
        answers += all_of<SendAdvert>(node.log).size();
        announcements += all_of<Announce>(node.log).size();
        node.hear(PeerAdvert(config_v3(), 50));
        answers += all_of<SendAdvert>(node.log).size();
        announcements += all_of<Announce>(node.log).size();
    }
    EXPECT_LE(answers, 18U) << "one second: a burst of 9, then 8 per interval";
    EXPECT_LE(announcements, 2U);
    EXPECT_GT(node.instance.counters().reply_suppressed, 9'900U);
    EXPECT_EQ(node.instance.state(), State::Master);
}

// --- the operator -----------------------------------------------------------------------------

TEST(InstanceOperator, StepDownHandsOverAndHoldsBack) {
    Node node(config_v3());
    node.become_master();
    node.take(node.instance.step_down(60s, node.now));
    EXPECT_EQ(sent_priorities(node.log), std::vector<std::uint8_t>{0});
    EXPECT_EQ(node.instance.state(), State::Backup);
    for (int i = 0; i < 59; ++i) {
        node.pass(1s);
        node.hear(PeerAdvert(config_v3(), 50));
        EXPECT_EQ(node.instance.state(), State::Backup);
    }
    for (int i = 0; i < 5; ++i) {
        node.pass(1s);
        node.hear(PeerAdvert(config_v3(), 50));
    }
    EXPECT_EQ(node.instance.state(), State::Master) << "the hold is over";
}

TEST(InstanceOperator, StepDownWithoutAPeerComesBack) {
    Node node(config_v3());
    node.become_master();
    node.take(node.instance.step_down(60s, node.now));
    node.pass(kDown100);
    EXPECT_EQ(node.instance.state(), State::Master);
}

TEST(InstanceOperator, AnnounceOnlyWhileMaster) {
    Node node(config_v3());
    node.start();
    EXPECT_TRUE(node.take(node.instance.announce(node.now)).empty());
    node.pass(kDown100);
    EXPECT_EQ(node.take(node.instance.announce(node.now)),
              Actions{Announce{AnnounceReason::Operator}});
}

// --- reconfiguration --------------------------------------------------------------------------

TEST(InstanceReconfigure, SameConfigurationDoesNothing) {
    Node node(config_v3());
    node.become_master();
    for (int i = 0; i < 1000; ++i) {
        node.pass(1700us);
        node.take(node.instance.reconfigure(config_v3(), node.now));
        EXPECT_TRUE(node.log.empty());
    }
    EXPECT_EQ(node.instance.counters().advert_sent, 2U) << "1.7 s: the first and one more";
    EXPECT_EQ(node.instance.counters().become_master, 1U);
}

TEST(InstanceReconfigure, IntervalCountsFromTheLastAdvert) {
    Node node(config_v3());
    node.become_master();
    node.pass(300ms);
    InstanceConfig next = config_v3();
    next.advert_interval = 500ms;
    node.take(node.instance.reconfigure(next, node.now));
    EXPECT_EQ(node.until_timer(), 200ms);
}

TEST(InstanceReconfigure, AddressesAreInTheNextAdvert) {
    Node node(config_v3());
    node.become_master();
    InstanceConfig next = config_v3();
    next.addresses.push_back(ip("10.0.0.4"));
    node.take(node.instance.reconfigure(next, node.now));
    EXPECT_EQ(node.instance.message(100).addresses.size(), 2U);
    EXPECT_EQ(node.instance.state(), State::Master);
}

TEST(InstanceReconfigure, BackupKeepsWhatItLearned) {
    Node node(config_v3());
    node.start();
    InstanceConfig slow = config_v3();
    slow.advert_interval = 4s;
    node.hear(PeerAdvert(slow, 200));
    node.pass(1s);
    InstanceConfig next = config_v3();
    next.nopreempt = true;
    node.take(node.instance.reconfigure(next, node.now));
    EXPECT_EQ(node.instance.active_interval(), 4s);
    EXPECT_EQ(node.until_timer(), 12s + 4 * kSkew100 - 1s);
}

// Found by the simulation: a slower master said goodbye, then the configuration was read again.
TEST(InstanceReconfigure, KeepsTheSkewOfAMasterThatReleased) {
    Node node(config_v3());
    node.start();
    InstanceConfig slow = config_v3();
    slow.advert_interval = 4s;
    node.hear(PeerAdvert(slow, 200));
    node.hear(PeerAdvert(slow, 0));
    EXPECT_EQ(node.until_timer(), 4 * kSkew100);
    EXPECT_TRUE(node.take(node.instance.reconfigure(config_v3(), node.now)).empty());
    EXPECT_EQ(node.until_timer(), 4 * kSkew100);
}

TEST(InstanceStart, IsIdempotentAndStopAllowsANewStart) {
    Node node(config_v3());
    node.start();
    EXPECT_TRUE(node.take(node.instance.start(node.now)).empty());
    node.stop();
    EXPECT_TRUE(node.take(node.instance.stop(node.now)).empty());
    node.start();
    EXPECT_EQ(node.instance.state(), State::Backup);
}

}  // namespace
}  // namespace pollux::vrrp::test
