// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_flows.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

const net::IpAddress kVip = ip("10.0.0.100");

// A probe from our port 40000 to port 80 of the given stand-in.
ViaKey probe(const std::string& stand_in, std::uint16_t own_port = 40000) {
    return {6, ip("10.0.0.5"), own_port, ip(stand_in), 80};
}

TEST(ViaFlows, AFlowIsFoundByBothOfItsNames) {
    ViaFlows flows(8);
    ASSERT_TRUE(flows.open(probe("240.112.0.1"), kVip, at(seconds(0))));

    const ViaFlow* flow = flows.find_kernel(probe("240.112.0.1"));

    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->wire, (ViaKey{6, ip("10.0.0.5"), 40000, kVip, 80}));
    EXPECT_EQ(flows.find_wire(flow->wire), flow);
    EXPECT_EQ(flows.find_wire(flow->kernel), nullptr);
}

TEST(ViaFlows, TwoServersWithOneAddressGetDifferentPorts) {
    ViaFlows flows(8);
    flows.open(probe("240.112.0.1", 60999), kVip, at(seconds(0)));
    flows.open(probe("240.112.0.2", 60999), kVip, at(seconds(0)));

    EXPECT_EQ(flows.find_kernel(probe("240.112.0.1", 60999))->wire.own_port, 60999);
    // The range goes round.
    EXPECT_EQ(flows.find_kernel(probe("240.112.0.2", 60999))->wire.own_port, 32768);
}

TEST(ViaFlows, AClosedFlowIsKnownForFiveSeconds) {
    ViaFlows flows(8);
    const auto id = flows.open(probe("240.112.0.1"), kVip, at(seconds(0)));
    flows.close(*id, at(seconds(1)));

    flows.open(probe("240.112.0.2"), kVip, at(milliseconds(5999)));
    EXPECT_NE(flows.find_kernel(probe("240.112.0.1")), nullptr);
    flows.open(probe("240.112.0.3"), kVip, at(milliseconds(6000)));

    EXPECT_EQ(flows.find_kernel(probe("240.112.0.1")), nullptr);
    EXPECT_EQ(flows.size(), 2U);
}

TEST(ViaFlows, AFlowThatIsOpenedAgainOutlivesItsFirstEnd) {
    ViaFlows flows(8);
    const auto id = flows.open(probe("240.112.0.1"), kVip, at(seconds(0)));
    EXPECT_FALSE(flows.reopen(probe("240.112.0.1"))) << "it is open";
    flows.close(*id, at(seconds(0)));

    EXPECT_EQ(flows.reopen(probe("240.112.0.1")), id);
    flows.open(probe("240.112.0.2"), kVip, at(seconds(10)));

    EXPECT_NE(flows.find_kernel(probe("240.112.0.1")), nullptr);
    flows.close(*id, at(seconds(10)));
    flows.open(probe("240.112.0.3"), kVip, at(seconds(15)));
    EXPECT_EQ(flows.find_kernel(probe("240.112.0.1")), nullptr);
}

TEST(ViaFlows, TheTableIsBounded) {
    ViaFlows flows(2);
    EXPECT_TRUE(flows.open(probe("240.112.0.1"), kVip, at(seconds(0))));
    const auto second = flows.open(probe("240.112.0.2"), kVip, at(seconds(0)));
    EXPECT_FALSE(flows.open(probe("240.112.0.3"), kVip, at(seconds(0))));

    flows.close(*second, at(seconds(0)));

    EXPECT_TRUE(flows.open(probe("240.112.0.3"), kVip, at(seconds(5))));
    EXPECT_EQ(flows.size(), 2U);
}

TEST(ViaFlows, TheSearchForAPortIsBounded) {
    ViaFlows flows(1000);
    for (unsigned i = 1; i <= ViaFlows::kPortTries; ++i) {
        ASSERT_TRUE(flows.open(probe("240.112.0." + std::to_string(i)), kVip, at(seconds(0))));
    }
    EXPECT_FALSE(flows.open(probe("240.112.0.200"), kVip, at(seconds(0))));
}

}  // namespace
}  // namespace pollux::control
