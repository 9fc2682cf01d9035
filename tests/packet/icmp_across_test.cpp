// SPDX-License-Identifier: Apache-2.0

// ICMP errors about FullNAT connections between the families.

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::Protocol;

constexpr const char* kLocal = "10.2.0.200";

// IPv6 client, IPv4 server.
class IcmpAcross : public ::testing::Test {
  protected:
    void set_up(Protocol protocol) {
        rig.spec.local_addresses = {{net::IpAddress::parse(kLocal).value(), 5000, 5000}};
        rig.spec.services = {service(protocol, "[fd00:a::10]:80",
                                     {real_server({1, ForwardingMethod::FullNat, 8080})})};
        rig.apply();
    }
    static FrameBuilder in() { return client_frame().ipv6(kClient6, kVip6); }
    static FrameBuilder back() { return server_frame(1).ipv4(server_v4(1), kLocal); }
    static FrameBuilder at_client() { return to_router().ipv6(kVip6, kClient6).ttl(63); }
    Rig rig;
};

TEST_F(IcmpAcross, ServersErrorReachesTheClientInItsOwnWords) {
    set_up(Protocol::Udp);
    rig.from_client(in().udp(1001, 80).payload(9));
    const Bytes seen = to_server(1).ipv4(kLocal, server_v4(1)).ttl(60).udp(5000, 8080).payload(9);
    const Reaction out = rig.from_server(back().icmp(3, 3).quote(seen, 28));
    Bytes expected = at_client().icmpv6(1, 4).quote(
        client_frame().ipv6(kClient6, kVip6).ttl(60).udp(1001, 80).payload(9), 48);
    // The quoted UDP checksum stays as it was: nobody can verify it.
    Bytes actual = out.own.frame;
    ASSERT_EQ(actual.size(), expected.size());
    for (const std::size_t at : {56U, 57U, 108U, 109U}) actual[at] = expected[at] = 0;
    EXPECT_EQ(actual, expected);
}

TEST_F(IcmpAcross, PathMtusAreTwentyBytesApart) {
    set_up(Protocol::Tcp);
    rig.from_client(in().tcp(1001, 80, "S"));
    const Bytes to_the_server =
        to_server(1).ipv4(kLocal, server_v4(1)).tcp(5000, 8080, "A").payload(100);
    const Reaction out = rig.from_server(
        server_frame(2).ipv4("10.2.0.77", kLocal).icmp(3, 4, 1400).quote(to_the_server));
    ASSERT_EQ(out.own.port, kClientSide);
    EXPECT_EQ(out.own.frame[54], 2) << "packet too big";
    EXPECT_EQ(out.own.frame[60] * 256 + out.own.frame[61], 1420);

    const Bytes to_the_client = to_router().ipv6(kVip6, kClient6).tcp(80, 1001, "A").payload(100);
    const Reaction back_out = rig.from_client(
        client_frame().ipv6("fd00:c::ffff", kVip6).icmpv6(2, 0, 1300).quote(to_the_client));
    ASSERT_EQ(back_out.own.port, kServerSide);
    Bytes quoted = back_out.own.frame;
    EXPECT_EQ(quoted[34], 3);
    EXPECT_EQ(quoted[35], 4);
    EXPECT_EQ(quoted[40] * 256 + quoted[41], 1280);
    EXPECT_EQ(quoted[62] * 256 + quoted[63], 8080) << "the server's own port";
    EXPECT_EQ(quoted[64] * 256 + quoted[65], 5000) << "our local port";
}

}  // namespace
}  // namespace pollux::test
