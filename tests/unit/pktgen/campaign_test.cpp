// SPDX-License-Identifier: Apache-2.0
// The generator against the real data plane, and against one that makes mistakes.
#include "tools/pktgen/campaign.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/pktgen/balancer_wire.h"
#include "tools/pktgen/plan_load.h"

namespace pollux::pktgen {
namespace {

using lb::ForwardingMethod;
using test::BalancerWire;
using test::Bytes;
using test::small_plan;

constexpr std::array kMacs{test::kGeneratorMac, test::kGeneratorMac};

Result<Outcome> run(const Plan& plan, BalancerWire& wire, Mode mode = Mode::Run) {
    const Status status = check_plan(plan);
    EXPECT_TRUE(status) << status.error().message;
    return run_campaign(plan, mode, wire, kMacs, [](const Trial&) {});
}

// Meddles with data frames only, after so many of them.
std::function<void(std::vector<Bytes>&)> at_frame(unsigned number,
                                                  std::function<void(std::vector<Bytes>&)> what) {
    return [number, what = std::move(what), count = 0U](std::vector<Bytes>& frames) mutable {
        if (frames.front()[13] != 0x06 && ++count == number) what(frames);  // not ARP
    };
}

constexpr unsigned kInTrial = 300;  // behind the 100 frames of the warm-up

struct Case {
    const char* name;
    ForwardingMethod method;
    Kind kind;
    Direction direction;
};

class Campaigns : public testing::TestWithParam<Case> {};

TEST_P(Campaigns, EveryFrameArrivesRewrittenRight) {
    Plan plan = small_plan(GetParam().method, GetParam().kind);
    plan.traffic.direction = GetParam().direction;
    BalancerWire wire(plan);
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed(Mode::Run));
    const Counts& counts = outcome->trials.at(0).counts;
    EXPECT_NEAR(static_cast<double>(counts.offered[0]), 1000, 5);
    EXPECT_EQ(counts.offered[1] > 0, GetParam().direction == Direction::Both);
    EXPECT_EQ(counts.lost(), 0U);
    EXPECT_EQ(counts.wrong(), 0U);
    EXPECT_GT(counts.by_server[0], 0U);
    EXPECT_EQ(counts.by_server[0] + counts.by_server[1], counts.arrived[0]);
    EXPECT_EQ(counts.latency.count(), counts.all_arrived());
    EXPECT_EQ(wire.in_use, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Methods, Campaigns,
    testing::Values(Case{"NatUdp", ForwardingMethod::Nat, Kind::Udp, Direction::Forward},
                    Case{"NatUdpBoth", ForwardingMethod::Nat, Kind::Udp, Direction::Both},
                    Case{"NatTcpBoth", ForwardingMethod::Nat, Kind::Tcp, Direction::Both},
                    Case{"NatSyn", ForwardingMethod::Nat, Kind::TcpSyn, Direction::Forward},
                    Case{"FullNatTcpBoth", ForwardingMethod::FullNat, Kind::Tcp, Direction::Both},
                    Case{"FullNatUdp", ForwardingMethod::FullNat, Kind::Udp, Direction::Forward},
                    Case{"DrUdp", ForwardingMethod::DirectRouting, Kind::Udp, Direction::Forward},
                    Case{"DrTcp", ForwardingMethod::DirectRouting, Kind::Tcp, Direction::Forward},
                    Case{"TunTcp", ForwardingMethod::Tunnel, Kind::Tcp, Direction::Forward}),
    [](const auto& row) { return row.param.name; });

TEST(Campaign, FramesOfTheMixArriveInAllSizes) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    plan.traffic.frame_size = "imix";
    BalancerWire wire(plan);
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed(Mode::Run));
}

TEST(Campaign, Ipv6FlowsArrive) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::Tcp);
    const auto address = [](const char* text) { return net::IpAddress::parse(text).value(); };
    plan.ports[0].address = address("2001:db8::9");
    plan.ports[1].address = address("fd00:9::9");
    plan.ports[1].next_hop = address("fd00:9::1");
    plan.service.address = address("2001:db8::80");
    plan.servers[0].address = address("fd00:9::11");
    plan.servers[1].address = address("fd00:9::12");
    plan.traffic.clients = net::IpPrefix::parse("2001:db8:1::/112").value();
    plan.traffic.direction = Direction::Both;
    BalancerWire wire(plan);
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed(Mode::Run));
    EXPECT_GT(outcome->trials.at(0).counts.arrived[1], 0U);
}

TEST(Campaign, WarmUpNamesTheFlowsThatDoNotGetThrough) {
    const Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    Plan other = plan;
    other.servers[0].address = net::IpAddress::parse("10.9.0.77").value();
    BalancerWire wire(plan);
    // The balancer's second server is none that the generator expects.
    const Result<Outcome> outcome = run(other, wire);
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message.find("50 of 100 flows"), std::string::npos)
        << outcome.error().message;
    EXPECT_NE(outcome.error().message.find("wrong-server"), std::string::npos);
}

TEST(Campaign, WarmUpTriesLostFramesAgain) {
    const Plan plan = small_plan(ForwardingMethod::Nat, Kind::Tcp);
    BalancerWire wire(plan);
    wire.meddle = at_frame(5, [](std::vector<Bytes>& frames) { frames.clear(); });
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed(Mode::Run));
}

TEST(Campaign, NobodyAnswersForTheService) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    BalancerWire wire(plan);
    plan.ports[0].next_hop = net::IpAddress::parse("203.0.113.81").value();
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "nobody answers for 203.0.113.81 on port 'clients'");
}

struct Mistake {
    const char* name;
    void (*make)(std::vector<Bytes>& frames);
    Finding finding;
    std::uint64_t lost;
};

// Swapping keeps the checksums right: they are sums.
class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, IsFoundInTheTrial) {
    const Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    BalancerWire wire(plan);
    wire.meddle = at_frame(kInTrial, GetParam().make);
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    const Counts& counts = outcome->trials.at(0).counts;
    EXPECT_FALSE(outcome->passed(Mode::Run));
    EXPECT_EQ(counts.lost(), GetParam().lost);
    if (GetParam().finding != Finding::Right) {
        EXPECT_EQ(counts.of(GetParam().finding), 1U);
    }
}

constexpr std::size_t kIp = 14, kUdp = 34;

INSTANTIATE_TEST_SUITE_P(
    Kinds, Mistakes,
    testing::Values(
        Mistake{"Loss", [](std::vector<Bytes>& frames) { frames.clear(); }, Finding::Right, 1},
        Mistake{"Repetition", [](std::vector<Bytes>& frames) { frames.push_back(frames[0]); },
                Finding::Repeated, 0},
        Mistake{"DamagedPayload", [](std::vector<Bytes>& frames) { frames[0].back() ^= 1U; },
                Finding::BadChecksum, 1},
        Mistake{"DamagedHeader", [](std::vector<Bytes>& frames) { frames[0][kIp + 8] ^= 1U; },
                Finding::BadChecksum, 1},
        Mistake{"NoChecksum",
                [](std::vector<Bytes>& frames) { frames[0][kUdp + 6] = frames[0][kUdp + 7] = 0; },
                Finding::BadChecksum, 1},
        Mistake{"OtherMac", [](std::vector<Bytes>& frames) { frames[0][5] ^= 0x40U; },
                Finding::WrongMac, 1},
        Mistake{"SwappedPorts",
                [](std::vector<Bytes>& frames) {
                    Bytes& frame = frames[0];
                    std::swap_ranges(frame.begin() + kUdp, frame.begin() + kUdp + 2,
                                     frame.begin() + kUdp + 2);
                },
                Finding::WrongPort, 1},
        Mistake{"SwappedAddresses",
                [](std::vector<Bytes>& frames) {
                    Bytes& frame = frames[0];
                    std::swap_ranges(frame.begin() + kIp + 12, frame.begin() + kIp + 16,
                                     frame.begin() + kIp + 16);
                },
                Finding::WrongAddress, 1},
        Mistake{"Truncated", [](std::vector<Bytes>& frames) { frames[0].resize(40); },
                Finding::Malformed, 1}),
    [](const auto& row) { return row.param.name; });

TEST(Campaign, AConnectionThatMovesToTheOtherServerIsWrong) {
    const Plan plan = small_plan(ForwardingMethod::DirectRouting, Kind::Udp);
    BalancerWire wire(plan);
    wire.meddle = at_frame(kInTrial, [&plan](std::vector<Bytes>& frames) {
        const bool first = frames[0][5] == plan.servers[0].mac.bytes[5];
        frames[0][5] = plan.servers[first ? 1 : 0].mac.bytes[5];
    });
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->trials.at(0).counts.of(Finding::WrongServer), 1U);
}

TEST(Campaign, FramesThatAreOvertakenCountAsArrived) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    plan.traffic.flows = 1;
    BalancerWire wire(plan);
    Bytes held;
    unsigned count = 0;
    wire.meddle = [&](std::vector<Bytes>& frames) {
        ++count;
        if (count == kInTrial) {
            held = frames[0];
            frames.clear();
        } else if (count == kInTrial + 1) {
            frames.push_back(held);
        }
    };
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed(Mode::Run));
    EXPECT_EQ(outcome->trials.at(0).counts.overtaken, 1U);
}

TEST(Campaign, WhatThePortRefusesIsLost) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::TcpSyn);
    plan.traffic.rate = "4M";  // bursts: the clock steps by 1 us
    plan.traffic.duration = std::chrono::milliseconds(10);
    BalancerWire wire(plan);
    wire.room = 4;
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    const Counts& counts = outcome->trials.at(0).counts;
    EXPECT_GT(counts.refused[0], 0U);
    EXPECT_EQ(counts.lost(), counts.refused[0]);
    EXPECT_FALSE(outcome->passed(Mode::Run));
}

TEST(Campaign, AHeldUpSenderMakesUpForIt) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::TcpSyn);
    plan.traffic.catch_up = std::chrono::milliseconds(200);
    BalancerWire wire(plan);
    wire.step = std::chrono::milliseconds(30);  // runs that seldom
    const Result<Outcome> outcome = run(plan, wire);
    ASSERT_TRUE(outcome) << outcome.error().message;
    const Trial& trial = outcome->trials.at(0);
    EXPECT_TRUE(trial.is_offered());
    EXPECT_GE(trial.elapsed, plan.traffic.duration);
    EXPECT_EQ(trial.counts.forfeited, 0U);
    EXPECT_TRUE(outcome->passed(Mode::Run));
}

TEST(Campaign, SearchFindsTheRateAtWhichFramesAreLost) {
    Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    plan.search.lowest = "1k";
    plan.search.highest = "100k";
    plan.search.resolution = 0.05;
    plan.traffic.duration = std::chrono::milliseconds(100);
    BalancerWire wire(plan);
    // The balancer loses what comes within 20 us of the frame before: a limit near 50 k.
    lb::TimePoint last{};
    wire.meddle = [&](std::vector<Bytes>& frames) {
        const lb::TimePoint now = wire.now();
        if (now - last < std::chrono::microseconds(18)) frames.clear();
        last = now;
    };
    const Result<Outcome> outcome = run(plan, wire, Mode::Search);
    ASSERT_TRUE(outcome) << outcome.error().message;
    ASSERT_TRUE(outcome->ndr);
    EXPECT_GT(*outcome->ndr, 25e3);
    EXPECT_LT(*outcome->ndr, 60e3);
    EXPECT_GE(*outcome->pdr, *outcome->ndr);
    EXPECT_FALSE(outcome->generator_bound);
    EXPECT_TRUE(outcome->passed(Mode::Search));
}

TEST(Campaign, WrongFramesEndASearch) {
    const Plan plan = small_plan(ForwardingMethod::Nat, Kind::Udp);
    BalancerWire wire(plan);
    wire.meddle = at_frame(kInTrial, [](std::vector<Bytes>& frames) { frames[0].back() ^= 1U; });
    const Result<Outcome> outcome = run(plan, wire, Mode::Search);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_FALSE(outcome->passed(Mode::Search));
    EXPECT_EQ(outcome->trials.size(), 1U);
}

}  // namespace
}  // namespace pollux::pktgen
