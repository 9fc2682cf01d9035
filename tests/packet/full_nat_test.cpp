// SPDX-License-Identifier: Apache-2.0
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

constexpr const char* kLocal = "10.2.0.200";
constexpr const char* kLocal6 = "fd00:b::200";
constexpr std::uint16_t kLocalPort = 5000;  // the only one

// One service with one server behind one local address with one port, for each family.
class FullNat : public ::testing::Test {
  protected:
    FullNat() {
        const auto add = [this](const char* endpoint, const char* local, bool is_v6) {
            rig_.spec.services.push_back(
                service(lb::Protocol::Tcp, endpoint,
                        {real_server({1, lb::ForwardingMethod::FullNat, 8080, 1, is_v6})}));
            rig_.spec.local_addresses.push_back(
                {*net::IpAddress::parse(local), kLocalPort, kLocalPort});
        };
        add("10.1.0.10:80", kLocal, false);
        add("[fd00:a::10]:80", kLocal6, true);
    }

    void apply(bool toa) {
        rig_.spec.sysctl.fullnat_toa = toa;
        rig_.apply();
    }

    Reaction client_sends(const char* flags, std::size_t payload = 0) {
        return rig_.from_client(
            client_frame().ipv4(kClient, kVip).tcp(1001, 80, flags).payload(payload));
    }

    Rig rig_;
};

FrameBuilder from_local(const char* flags) {
    return to_server(1).ipv4(kLocal, server_v4(1)).ttl(63).tcp(kLocalPort, 8080, flags);
}

TEST_F(FullNat, BothEndsAreReplacedInBothDirections) {
    apply(false);
    EXPECT_TRUE(transmits(client_sends("S").own, kServerSide, from_local("S")));
    const Reaction back =
        rig_.from_server(server_frame(1).ipv4(server_v4(1), kLocal).tcp(8080, kLocalPort, "SA"));
    EXPECT_TRUE(transmits(back.own, kClientSide,
                          to_router().ipv4(kVip, kClient).ttl(63).tcp(80, 1001, "SA")));
}

// The option of LVS's FullNAT: 254, 8, port 1001, 10.0.0.1.
TEST_F(FullNat, ToaTellsTheServerTheClientUntilTheConnectionStands) {
    apply(true);
    const auto with_option = [](const char* flags) {
        return from_local(flags).tcp_options({254, 8, 0x03, 0xe9, 10, 0, 0, 1});
    };
    EXPECT_TRUE(transmits(client_sends("S").own, kServerSide, with_option("S")));
    rig_.from_server(server_frame(1).ipv4(server_v4(1), kLocal).tcp(8080, kLocalPort, "SA"));
    EXPECT_TRUE(transmits(client_sends("A").own, kServerSide, with_option("A")));
    EXPECT_TRUE(transmits(client_sends("PA", 5).own, kServerSide, with_option("PA").payload(5)));
    for (int packet = 0; packet < 10; ++packet) client_sends("A");
    EXPECT_TRUE(transmits(client_sends("PA", 5).own, kServerSide, from_local("PA").payload(5)));
}

TEST_F(FullNat, ToaOfAnIpv6ClientHasTheWholeAddress) {
    apply(true);
    const Reaction out = rig_.from_client(client_frame().ipv6(kClient6, kVip6).tcp(1001, 80, "S"));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          to_server(1)
                              .ipv6(kLocal6, server_v6(1))
                              .ttl(63)
                              .tcp(kLocalPort, 8080, "S")
                              .tcp_options({254, 20, 0x03, 0xe9, 0xfd, 0x00, 0x00, 0x0c, 0, 0,
                                            0,   0,  0,    0,    0,    0,    0,    0,    0, 1})));
}

TEST_F(FullNat, ToaComesBeforeTheClientsOwnOptions) {
    apply(true);
    const Reaction out = rig_.from_client(client_frame()
                                              .ipv4(kClient, kVip)
                                              .tcp(1001, 80, "S")
                                              .tcp_options({2, 4, 0x05, 0xb4, 1, 1, 4, 2}));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          from_local("S").tcp_options(
                              {254, 8, 0x03, 0xe9, 10, 0, 0, 1, 2, 4, 0x05, 0xb4, 1, 1, 4, 2})));
}

// 36 bytes of options leave four, the option needs eight.
TEST_F(FullNat, ToaIsLeftOutWhereTheHeaderHasNoRoom) {
    apply(true);
    const auto crowded = [](FrameBuilder frame) {
        return frame.tcp_options({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
    };
    const Reaction out =
        rig_.from_client(crowded(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S")));
    EXPECT_TRUE(transmits(out.own, kServerSide, crowded(from_local("S"))));
}

// 1500 bytes of IP fill the link already.
TEST_F(FullNat, ToaIsLeftOutWhereTheLinkHasNoRoom) {
    apply(true);
    client_sends("S");
    rig_.from_server(server_frame(1).ipv4(server_v4(1), kLocal).tcp(8080, kLocalPort, "SA"));
    EXPECT_TRUE(transmits(client_sends("A", 1460).own, kServerSide, from_local("A").payload(1460)));
}

TEST_F(FullNat, ToaKeepsABadChecksumBad) {
    apply(true);
    const Reaction out =
        rig_.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S").bad_checksum());
    EXPECT_EQ(out.own.verdict, lb::Verdict::Transmit);
    EXPECT_NE(out.own.frame, Bytes(from_local("S").tcp_options({254, 8, 0x03, 0xe9, 10, 0, 0, 1})));
}

}  // namespace
}  // namespace pollux::test
