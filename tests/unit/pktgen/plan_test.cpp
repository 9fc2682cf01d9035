// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tools/pktgen/options.h"
#include "tools/pktgen/plan_load.h"
#include "tools/pktgen/report.h"

namespace pollux::pktgen {
namespace {

constexpr std::string_view kGood = R"(
[[port]]
name = "clients"
vdev = "net_memif0,role=client"
carries = "clients"
address = "203.0.113.9"
[[port]]
name = "servers"
vdev = "net_memif1,role=client"
carries = "servers"
[service]
address = "203.0.113.80"
port = 80
lvs_method = "NAT"
[[server]]
address = "10.0.0.11"
port = 8080
[traffic]
flows = 5000
clients = "198.51.100.0/24"
rate = "1.5M"
duration = "3s"
)";

std::string with(std::string_view before, std::string_view after) {
    std::string text(kGood);
    const auto at = text.find(before);
    EXPECT_NE(at, std::string::npos) << before;
    return text.replace(at, before.size(), after);
}

TEST(PktgenPlan, ReadsAFile) {
    const PlanResult result = load_plan_text(kGood, "traffic.toml");
    ASSERT_TRUE(result.plan) << result.messages;
    EXPECT_EQ(result.plan->traffic.flows, 5000U);
    EXPECT_EQ(parse_rate(result.plan->traffic.rate), 1.5e6);
    EXPECT_EQ(result.plan->traffic.duration, std::chrono::seconds(3));
    EXPECT_EQ(result.plan->client_port(), 0U);
    EXPECT_EQ(result.plan->server_port_index(), 1U);
    EXPECT_EQ(describe_traffic(*result.plan),
              "udp, 5000 flows (random), 64-byte frames, NAT 203.0.113.80:80, forward");
}

struct Mistake {
    std::string_view before, after;
    std::string_view message;
};

class PktgenPlanMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(PktgenPlanMistakes, AreExplained) {
    const PlanResult result =
        load_plan_text(with(GetParam().before, GetParam().after), "traffic.toml");
    EXPECT_FALSE(result.plan);
    EXPECT_NE(result.messages.find(GetParam().message), std::string::npos) << result.messages;
}

INSTANTIATE_TEST_SUITE_P(
    All, PktgenPlanMistakes,
    testing::Values(
        Mistake{"flows = 5000", "flow = 5000", "did you mean `flows`?"},
        Mistake{"flows = 5000", "flows = 0", "from 1 to 16777216"},
        Mistake{"port = 80\n", "", "has no `port`"},
        Mistake{"rate = \"1.5M\"", "rate = \"fast\"", "'fast' is not a rate"},
        Mistake{"carries = \"servers\"", "", "do not carry the frames of clients and servers"},
        Mistake{"address = \"203.0.113.9\"\n", "", "cannot ask for the balancer's MAC"},
        Mistake{"flows = 5000", "flows = 5000\ndirection = \"both\"",
                "does not know where the servers' answers go"},
        Mistake{"flows = 5000", "flows = 5000\nframe_size = \"63\"", "'63' cannot be used"},
        Mistake{"flows = 5000", "flows = 5000\nframe_size = \"1519\"", "exceed the MTU"},
        Mistake{"\"NAT\"", "\"DR\"\n[[server]]\naddress = \"10.0.0.11\"\nport = 8080",
                "is given twice"},
        Mistake{"10.0.0.11", "fd00::11", "of another family"},
        Mistake{"flows = 5000", "flows = 16777216", "flows do not fit"}));

TEST(PktgenPlan, FlowsAreDifferentClientsOfThePrefix) {
    TrafficPlan traffic;
    traffic.clients = net::IpPrefix::parse("198.51.100.0/30").value();
    std::set<std::pair<net::IpAddress, std::uint16_t>> clients;
    const auto flows = static_cast<std::uint32_t>(client_hosts(traffic.clients) * kClientPorts);
    EXPECT_EQ(flows, 2U * 64512U);
    for (std::uint32_t flow = 0; flow < flows; ++flow) {
        const Endpoint client = client_of(traffic, flow);
        ASSERT_TRUE(traffic.clients.contains(client.address));
        ASSERT_GE(client.port, 1024);
        clients.insert({client.address, client.port});
    }
    EXPECT_EQ(clients.size(), flows);
    EXPECT_EQ(client_of(traffic, 0).address.to_string(), "198.51.100.1");
    EXPECT_EQ(client_of(traffic, 1).address.to_string(), "198.51.100.2");
}

TEST(PktgenPlan, RatesAreReadWithTheirUnits) {
    EXPECT_EQ(parse_rate("1000"), 1000);
    EXPECT_EQ(parse_rate("14.88M"), 14.88e6);
    EXPECT_EQ(parse_rate("250k"), 250e3);
    for (const char* bad : {"", "k", "-1", "0", "1e3", "1 M", "2G", "1m", "nan"}) {
        EXPECT_FALSE(parse_rate(bad)) << bad;
    }
}

TEST(PktgenPlan, Ipv6NeedsLargerFrames) {
    Plan plan;
    plan.service.address = net::IpAddress::parse("2001:db8::80").value();
    plan.traffic.kind = Kind::Udp;
    EXPECT_EQ(frame_lengths(plan), std::vector<std::uint16_t>{80});
    plan.traffic.kind = Kind::Tcp;
    EXPECT_EQ(frame_lengths(plan), std::vector<std::uint16_t>{84});
    plan.traffic.frame_size = "64";
    EXPECT_TRUE(frame_lengths(plan).empty());
}

TEST(PktgenPlan, TheMixIsSevenToFourToOne) {
    Plan plan;
    plan.service.address = net::IpAddress::parse("10.0.0.1").value();
    plan.traffic.frame_size = "imix";
    const std::vector<std::uint16_t> lengths = frame_lengths(plan);
    EXPECT_EQ(std::count(lengths.begin(), lengths.end(), 64), 7);
    EXPECT_EQ(std::count(lengths.begin(), lengths.end(), 594), 4);
    EXPECT_EQ(std::count(lengths.begin(), lengths.end(), 1518), 1);
}

}  // namespace
}  // namespace pollux::pktgen
