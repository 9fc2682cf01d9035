// SPDX-License-Identifier: Apache-2.0

// FullNAT's pool of local addresses and ports.

#include <set>

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;

constexpr const char* kLocal = "10.2.0.200";

net::IpAddress address(const char* text) {
    return net::IpAddress::parse(text).value();
}

class FullNatPool : public ::testing::Test {
  protected:
    void set_up(std::uint16_t first, std::uint16_t last) {
        rig.spec.local_addresses = {{address(kLocal), first, last}};
        rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80",
                                     {real_server({1, ForwardingMethod::FullNat, 8080})})};
        rig.apply();
    }
    Reaction syn(const char* client, std::uint16_t port) {
        return rig.from_client(client_frame().ipv4(client, kVip).tcp(port, 80, "S"));
    }
    static std::uint16_t source_port(const Output& output) {
        return static_cast<std::uint16_t>(output.frame[34] * 256 + output.frame[35]);
    }
    Rig rig;
};

TEST_F(FullNatPool, BothEndsAreReplacedBothWays) {
    set_up(5000, 5000);
    EXPECT_TRUE(transmits(syn(kClient, 1001).own, kServerSide,
                          to_server(1).ipv4(kLocal, server_v4(1)).ttl(63).tcp(5000, 8080, "S")));
    const Reaction back =
        rig.from_server(server_frame(1).ipv4(server_v4(1), kLocal).tcp(8080, 5000, "SA"));
    EXPECT_TRUE(transmits(back.own, kClientSide,
                          to_router().ipv4(kVip, kClient).ttl(63).tcp(80, 1001, "SA")));
}

TEST_F(FullNatPool, ExhaustedPoolDropsTheConnectionAndAFreedPortServesTheNextOne) {
    set_up(5000, 5002);
    std::set<std::uint16_t> ports;
    for (std::uint16_t i = 0; i < 3; ++i) {
        const Reaction out = syn(kClient, static_cast<std::uint16_t>(1001 + i));
        ASSERT_EQ(out.own.verdict, lb::Verdict::Transmit);
        ports.insert(source_port(out.own));
    }
    EXPECT_EQ(ports, (std::set<std::uint16_t>{5000, 5001, 5002}));
    const Reaction fourth = syn("10.0.0.2", 1001);
    EXPECT_TRUE(drops(fourth.own, DropReason::NoLocalPort));
    EXPECT_TRUE(fourth.extra.empty());
    EXPECT_EQ(rig.server_view(0, 0).active, 3U) << "what was dropped is not counted";

    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "A"));
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "R"));
    rig.advance(std::chrono::seconds(11));
    EXPECT_EQ(syn("10.0.0.2", 1001).own.verdict, lb::Verdict::Transmit);
}

TEST_F(FullNatPool, OneLocalPortServesSeveralServers) {
    set_up(5000, 5000);
    rig.spec.services[0].servers.push_back(real_server({2, ForwardingMethod::FullNat, 8080}));
    rig.apply();
    EXPECT_EQ(source_port(syn(kClient, 1001).own), 5000);
    EXPECT_EQ(source_port(syn(kClient, 1002).own), 5000);
    EXPECT_TRUE(drops(syn(kClient, 1003).own, DropReason::NoLocalPort));
}

}  // namespace
}  // namespace pollux::test
