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

// An IPv6 service with an IPv4 server, and the other way round.
class CrossFamily : public ::testing::Test {
  protected:
    CrossFamily() {
        const auto add = [this](lb::Protocol protocol, const char* endpoint, bool server_is_v6) {
            rig_.spec.services.push_back(
                service(protocol, endpoint,
                        {real_server({1, lb::ForwardingMethod::FullNat, 8080, 1, server_is_v6})}));
        };
        add(lb::Protocol::Tcp, "[fd00:a::10]:80", false);
        add(lb::Protocol::Udp, "[fd00:a::10]:80", false);
        add(lb::Protocol::Tcp, "10.1.0.10:80", true);
        for (const char* local : {kLocal, kLocal6}) {
            rig_.spec.local_addresses.push_back(
                {*net::IpAddress::parse(local), kLocalPort, kLocalPort});
        }
        rig_.apply();
    }

    static FrameBuilder from_client6() { return client_frame().ipv6(kClient6, kVip6); }
    static FrameBuilder from_server4() { return server_frame(1).ipv4(server_v4(1), kLocal); }
    // The identification of a new IPv4 header is ours to choose.
    static FrameBuilder to_server4(const Output& output) {
        const auto id = static_cast<std::uint16_t>(output.frame.at(18) << 8U | output.frame.at(19));
        return to_server(1).ipv4(kLocal, server_v4(1)).ttl(63).id(id);
    }
    static FrameBuilder to_client6() { return to_router().ipv6(kVip6, kClient6).ttl(63); }

    Output open() {
        const Reaction in = rig_.from_client(from_client6().tcp(1001, 80, "S"));
        EXPECT_EQ(in.own.verdict, lb::Verdict::Transmit);
        return in.own;
    }

    Rig rig_;
};

TEST_F(CrossFamily, Ipv6ClientTalksToAnIpv4Server) {
    const Reaction in =
        rig_.from_client(from_client6().traffic_class(0x28).tcp(1001, 80, "S").payload(3));
    ASSERT_EQ(in.own.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(
        transmits(in.own, kServerSide,
                  to_server4(in.own).traffic_class(0x28).tcp(kLocalPort, 8080, "S").payload(3)));
    const Reaction out =
        rig_.from_server(from_server4().traffic_class(0x28).tcp(8080, kLocalPort, "SA").payload(7));
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_client6().traffic_class(0x28).tcp(80, 1001, "SA").payload(7)));
}

TEST_F(CrossFamily, Ipv4ClientTalksToAnIpv6Server) {
    const Reaction in = rig_.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
    EXPECT_TRUE(
        transmits(in.own, kServerSide,
                  to_server(1).ipv6(kLocal6, server_v6(1)).ttl(63).tcp(kLocalPort, 8080, "S")));
    const Reaction out =
        rig_.from_server(server_frame(1).ipv6(server_v6(1), kLocal6).tcp(8080, kLocalPort, "SA"));
    ASSERT_EQ(out.own.verdict, lb::Verdict::Transmit);
    const auto id = static_cast<std::uint16_t>(out.own.frame[18] << 8U | out.own.frame[19]);
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_router().ipv4(kVip, kClient).ttl(63).id(id).tcp(80, 1001, "SA")));
}

TEST_F(CrossFamily, EstablishedConnectionGoesOn) {
    open();
    rig_.from_server(from_server4().tcp(8080, kLocalPort, "SA"));
    for (int packet = 0; packet < 3; ++packet) {
        const Reaction in = rig_.from_client(from_client6().tcp(1001, 80, "A").payload(100));
        ASSERT_EQ(in.own.verdict, lb::Verdict::Transmit);
        EXPECT_TRUE(transmits(in.own, kServerSide,
                              to_server4(in.own).tcp(kLocalPort, 8080, "A").payload(100)));
    }
    ASSERT_EQ(rig_.connections().size(), 1U);
    EXPECT_EQ(rig_.connections()[0].state, "ESTABLISHED");
}

TEST_F(CrossFamily, BadChecksumStaysBad) {
    const Reaction in = rig_.from_client(from_client6().tcp(1001, 80, "S").bad_checksum());
    ASSERT_EQ(in.own.verdict, lb::Verdict::Transmit);
    EXPECT_NE(in.own.frame, Bytes(to_server4(in.own).tcp(kLocalPort, 8080, "S")));
}

// RFC 8200 section 8.1: no UDP without a checksum.
TEST_F(CrossFamily, DatagramWithoutChecksumGetsOne) {
    rig_.from_client(from_client6().udp(2002, 80).payload(4));
    const Reaction out =
        rig_.from_server(from_server4().udp(8080, kLocalPort).no_checksum().payload(9));
    EXPECT_TRUE(transmits(out.own, kClientSide, to_client6().udp(80, 2002).payload(9)));
}

// 1500 bytes become 1520: the server may send 1480.
TEST_F(CrossFamily, AnswerThatOutgrowsTheLinkIsReported) {
    open();
    const Bytes large = from_server4().tcp(8080, kLocalPort, "A").payload(1460);
    const Reaction out = rig_.from_server(large);
    ASSERT_EQ(out.own.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(out.own.originated);
    EXPECT_EQ(out.own.port, kServerSide);
    const std::size_t icmp = 14 + 20;
    EXPECT_EQ(out.own.frame.at(icmp), 3);      // destination unreachable
    EXPECT_EQ(out.own.frame.at(icmp + 1), 4);  // fragmentation needed
    EXPECT_EQ(out.own.frame.at(icmp + 6) << 8 | out.own.frame.at(icmp + 7), 1480);

    const Bytes fits = from_server4().tcp(8080, kLocalPort, "A").payload(1440);
    EXPECT_TRUE(transmits(rig_.from_server(fits).own, kClientSide,
                          to_client6().tcp(80, 1001, "A").payload(1440)));
    EXPECT_TRUE(drops(
        rig_.from_server(from_server4().may_fragment().tcp(8080, kLocalPort, "A").payload(1460))
            .own,
        lb::DropReason::MtuExceeded));
}

TEST_F(CrossFamily, WhatHasNoCounterpartIsDroppedByName) {
    open();
    const Bytes cases[] = {
        from_client6().hop_by_hop().tcp(1001, 80, "A"),
        from_client6().fragment(0, true, 7).tcp(1001, 80, "A").payload(12),
        from_server4().ip_options({1, 1, 1, 1}).tcp(8080, kLocalPort, "A"),
    };
    for (const Bytes& frame : cases) {
        const bool from_server = frame.at(12) == 0x08 && frame.at(13) == 0x00;
        EXPECT_TRUE(drops(rig_.send(from_server ? kServerSide : kClientSide, frame).own,
                          lb::DropReason::NoTranslation));
    }
}

TEST_F(CrossFamily, IcmpErrorWithoutACounterpartDoesNotCross) {
    const Output sent = open();
    const Bytes error = server_frame(1).ipv4(server_v4(1), kLocal).icmp(4, 0).quote(sent.frame);
    EXPECT_TRUE(drops(rig_.from_server(error).own, lb::DropReason::NoTranslation));
}

TEST_F(CrossFamily, ToaTellsAnIpv4ServerTheIpv6Client) {
    rig_.spec.sysctl.fullnat_toa = true;
    rig_.apply();
    const Reaction in = rig_.from_client(from_client6().tcp(1001, 80, "S"));
    ASSERT_EQ(in.own.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(transmits(
        in.own, kServerSide,
        to_server4(in.own).tcp(kLocalPort, 8080, "S").tcp_options({254,  20,   0x03, 0xe9, 0xfd,
                                                                   0x00, 0x00, 0x0c, 0,    0,
                                                                   0,    0,    0,    0,    0,
                                                                   0,    0,    0,    0,    1})));
}

}  // namespace
}  // namespace pollux::test
