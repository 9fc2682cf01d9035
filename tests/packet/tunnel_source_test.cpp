// SPDX-License-Identifier: Apache-2.0
// What the outer header's source tells flows apart by, so that the server's NIC can spread them:
// GUE's port always, the address of the other tunnels with spread_source.
#include <set>

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::Protocol;
using lb::TunnelKind;

constexpr std::uint16_t kFlows = 64;

class TunnelSource : public ::testing::Test {
  protected:
    void apply(TunnelKind kind, bool spread) {
        lb::TunnelSpec tunnel;
        tunnel.kind = kind;
        tunnel.spread_source = spread;
        rig.spec.services = {
            service(Protocol::Udp, "10.1.0.10:80",
                    {real_server({1, ForwardingMethod::Tunnel, 0, 1, false, tunnel})})};
        for (lb::RouteSpec& route : rig.spec.routes) {
            if (route.port == kServerSide && route.destination.address.is_v4()) {
                route.preferred_source = net::IpAddress::parse(kDirector).value();
            }
        }
        rig.apply();
    }
    // What is sent for a datagram of the client's port.
    Bytes tunnelled(std::uint16_t port) {
        const Output out = rig.from_client(datagram(client_frame(), port)).own;
        EXPECT_EQ(out.verdict, lb::Verdict::Transmit);
        return out.frame;
    }
    static FrameBuilder datagram(FrameBuilder builder, std::uint16_t port, std::uint8_t ttl = 64) {
        return builder.ipv4(kClient, kVip).ttl(ttl).udp(port, 80).payload(8);
    }
    static std::uint16_t word_at(const Bytes& frame, std::size_t at) {
        return static_cast<std::uint16_t>(frame.at(at) << 8U | frame.at(at + 1));
    }
    // The 16 bits at `at` of each flow's frame. They are the same for all packets of a flow.
    std::set<std::uint16_t> words(std::size_t at) {
        std::set<std::uint16_t> seen;
        for (std::uint16_t port = 1001; port < 1001 + kFlows; ++port) {
            const std::uint16_t word = word_at(tunnelled(port), at);
            EXPECT_EQ(word_at(tunnelled(port), at), word) << "flow " << port;
            seen.insert(word);
        }
        return seen;
    }
    Rig rig;
};

constexpr std::size_t kOuterSource = 14 + 12;
constexpr std::size_t kOuterPort = 14 + 20;

TEST_F(TunnelSource, GuePortVariesWithTheFlow) {
    apply(TunnelKind::Gue, false);
    const std::set<std::uint16_t> ports = words(kOuterPort);
    EXPECT_GE(ports.size(), kFlows - 2U);
    EXPECT_GE(*ports.begin(), 0x8000U) << "above the ports of clients that servers know";
    const Bytes out = tunnelled(1001);
    EXPECT_EQ(word_at(out, kOuterSource), 0x0a02) << "the address is ours";
    EXPECT_EQ(word_at(out, kOuterSource + 2), 0x00fe);
}

TEST_F(TunnelSource, IpipAddressVariesWithTheFlowInItsLowHalf) {
    apply(TunnelKind::Ipip, true);
    EXPECT_GE(words(kOuterSource + 2).size(), kFlows - 2U);
    const Bytes out = tunnelled(1001);
    const std::string source = "10.2." + std::to_string(out[kOuterSource + 2]) + '.' +
                               std::to_string(out[kOuterSource + 3]);
    // All else, the IP checksum included, is as ever.
    EXPECT_EQ(out.size(), 14U + 20U + 20U + 8U + 8U);
    FrameBuilder outer = to_server(1).ipv4(source, server_v4(1)).ttl(63).protocol(4);
    outer.id(word_at(out, 14 + 4));
    EXPECT_EQ(out, datagram(outer, 1001, 63).bytes());
}

TEST_F(TunnelSource, IpipAddressIsOursByDefault) {
    apply(TunnelKind::Ipip, false);
    EXPECT_EQ(words(kOuterSource + 2), std::set<std::uint16_t>{0x00fe});
}

}  // namespace
}  // namespace pollux::test
