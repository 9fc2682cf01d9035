// SPDX-License-Identifier: Apache-2.0

#include "vrrp/announce_queue.h"

#include <map>

#include <gtest/gtest.h>

#include "tests/support/vrrp_builders.h"

namespace pollux::vrrp::test {
namespace {

constexpr InstanceId kFirst{1};
constexpr InstanceId kSecond{2};
constexpr AnnouncePace kFast{500us, 32};  // 2000 frames a second

std::vector<AnnounceTarget> targets(std::size_t count, std::uint32_t base = 0x0a000003U,
                                    InterfaceId interface = InterfaceId{0}) {
    std::vector<AnnounceTarget> result;
    for (std::size_t i = 0; i < count; ++i) {
        const auto host = static_cast<std::uint32_t>(base + i);
        result.push_back({interface, net::IpAddress::from_v4(net::Ipv4Address::from_host(host))});
    }
    return result;
}

struct Sent {
    TimePoint when;
    Announcement what;
};

// Runs the queue from `now` until `end`, as a caller would.
std::vector<Sent> run(AnnounceQueue& queue, TimePoint now, TimePoint end) {
    std::vector<Sent> sent;
    while (now <= end) {
        while (const auto next = queue.next(now)) sent.push_back({now, *next});
        now = std::max(now + 1ns, queue.next_deadline());
    }
    return sent;
}

AnnouncePolicy policy(unsigned repeat, Duration delay = 5s, Duration refresh = 0s) {
    AnnouncePolicy policy;
    policy.master_repeat = policy.lower_prio_repeat = repeat;
    policy.master_delay = policy.lower_prio_delay = delay;
    policy.refresh = refresh;
    return policy;
}

TEST(AnnounceQueue, EveryAddressOnceBeforeAnyTwice) {
    AnnounceQueue queue(kFast, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(5), targets(200), {});
    const auto sent = run(queue, {}, TimePoint(4s));
    ASSERT_EQ(sent.size(), 1000U);
    std::map<net::IpAddress, int> count;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(count[sent[i].what.target.address]++, static_cast<int>(i / 200));
    }
}

TEST(AnnounceQueue, SixHundredAddressesWithinASecond) {
    AnnounceQueue queue(kFast, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(5), targets(600), {});
    const auto sent = run(queue, {}, TimePoint(1s));
    ASSERT_GE(sent.size(), 600U);
    EXPECT_LT(sent[599].when, TimePoint(300ms));
}

TEST(AnnounceQueue, BurstThenOneFramePerInterval) {
    AnnounceQueue queue({1ms, 4}, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(1), targets(10), {});
    const auto sent = run(queue, {}, TimePoint(1s));
    ASSERT_EQ(sent.size(), 10U);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(sent[i].when, TimePoint(i < 4 ? 0ms : std::chrono::milliseconds(i - 3))) << i;
    }
}

TEST(AnnounceQueue, SecondBlockComesAfterTheDelay) {
    AnnounceQueue queue({}, {});
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(5), targets(1), {});
    const auto sent = run(queue, {}, TimePoint(60s));
    ASSERT_EQ(sent.size(), 10U);
    EXPECT_EQ(sent[4].when, TimePoint(0s));
    EXPECT_EQ(sent[5].when, TimePoint(5s));
}

TEST(AnnounceQueue, RefreshGoesOnUntilCancelled) {
    AnnounceQueue queue({}, {});
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(1, 0s, 60s), targets(2), {});
    EXPECT_EQ(run(queue, {}, TimePoint(301s)).size(), 2U + 5U * 2U);
    queue.cancel(kFirst);
    EXPECT_EQ(queue.next_deadline(), kNever);
    EXPECT_TRUE(run(queue, TimePoint(301s), TimePoint(1000s)).empty());
}

TEST(AnnounceQueue, CancelStopsInTheMiddle) {
    AnnounceQueue queue({1ms, 1}, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(5), targets(100), {});
    EXPECT_EQ(run(queue, {}, TimePoint(9ms)).size(), 10U);
    queue.cancel(kFirst);
    EXPECT_TRUE(run(queue, TimePoint(10ms), TimePoint(60s)).empty());
}

TEST(AnnounceQueue, AnotherCallMeansOneFrameMorePerAddress) {
    AnnounceQueue queue({1ms, 1}, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(1, 0s), targets(100), {});
    EXPECT_EQ(run(queue, {}, TimePoint(49ms)).size(), 50U);
    queue.announce(kFirst, AnnounceReason::OtherMaster, policy(1, 0s), targets(100),
                   TimePoint(50ms));
    const auto after = run(queue, TimePoint(50ms), TimePoint(1s));
    ASSERT_EQ(after.size(), 100U);
    std::map<net::IpAddress, int> count;
    for (const Sent& sent : after) ++count[sent.what.target.address];
    EXPECT_EQ(count.size(), 100U);
}

TEST(AnnounceQueue, InstancesTakeTurns) {
    AnnounceQueue queue({1ms, 1}, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(1), targets(1000), {});
    queue.announce(kSecond, AnnounceReason::BecameMaster, policy(1), targets(3, 0x0b000000U), {});
    const auto sent = run(queue, {}, TimePoint(10ms));
    EXPECT_EQ(std::ranges::count(sent, kSecond, [](const Sent& s) { return s.what.instance; }), 3);
}

TEST(AnnounceQueue, FirstFramesOfOneComeBeforeRepeatsOfAnother) {
    AnnounceQueue queue({1ms, 1}, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(5), targets(10), {});
    run(queue, {}, TimePoint(9ms));  // the first pass is over
    queue.announce(kSecond, AnnounceReason::BecameMaster, policy(1), targets(10, 0x0b000000U),
                   TimePoint(10ms));
    const auto sent = run(queue, TimePoint(10ms), TimePoint(19ms));
    for (const Sent& s : sent) EXPECT_EQ(s.what.instance, kSecond);
}

TEST(AnnounceQueue, InterfacesArePacedApart) {
    AnnounceQueue queue({1ms, 1}, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(1), targets(10), {});
    queue.announce(kSecond, AnnounceReason::BecameMaster, policy(1),
                   targets(10, 0x0b000000U, InterfaceId{1}), {});
    EXPECT_EQ(run(queue, {}, TimePoint(4ms)).size(), 10U);
}

TEST(AnnounceQueue, ChangedTargetsAnnounceOnlyWhatIsNew) {
    AnnounceQueue queue({}, {});
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(2, 0s), targets(3), {});
    run(queue, {}, TimePoint(1s));
    const auto added = targets(1, 0x0c000001U);
    auto all = targets(3);
    all.push_back(added[0]);
    queue.change_targets(kFirst, all, added, TimePoint(2s));
    const auto sent = run(queue, TimePoint(2s), TimePoint(10s));
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].what.target, added[0]);
    queue.change_targets(kFirst, all, {}, TimePoint(11s));
    EXPECT_TRUE(run(queue, TimePoint(11s), TimePoint(60s)).empty());
}

TEST(AnnounceQueue, NoTargetsNoFrames) {
    AnnounceQueue queue(kFast, kFast);
    queue.announce(kFirst, AnnounceReason::BecameMaster, policy(5, 5s, 10s), {}, {});
    EXPECT_TRUE(run(queue, {}, TimePoint(30s)).empty());
}

}  // namespace
}  // namespace pollux::vrrp::test
