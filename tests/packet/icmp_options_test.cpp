// SPDX-License-Identifier: Apache-2.0

// The sysctls about ICMP: schedule_icmp, nat_icmp_send.

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;

constexpr const char* kPathRouter = "10.0.9.9";

class ScheduleIcmp : public ::testing::Test {
  protected:
    ScheduleIcmp() {
        rig.spec.sysctl.schedule_icmp = true;
        rig.spec.services = {
            service(Protocol::Tcp, "10.1.0.10:80",
                    {real_server({1, ForwardingMethod::Nat, 8080}),
                     real_server({2, ForwardingMethod::Nat, 8080})}),
            service(Protocol::Udp, "10.1.0.10:53", {real_server({1, ForwardingMethod::Nat, 53})})};
        rig.spec.services[1].one_packet = true;
        rig.apply();
    }
    static FrameBuilder error() { return client_frame().ipv4(kPathRouter, kVip).icmp(3, 3); }
    static Bytes answer(std::uint16_t client_port) {
        return to_router().ipv4(kVip, kClient).tcp(80, client_port, "A");
    }
    Rig rig;
};

TEST_F(ScheduleIcmp, OpensAConnectionForThreeSecondsThatCountsAsInactive) {
    const Reaction out = rig.from_client(error().quote(answer(4001)));

    const Bytes quoted = to_router().ipv4(server_v4(2), kClient).tcp(8080, 4001, "A");
    Bytes expected = to_server(2).ipv4(kPathRouter, server_v4(2)).ttl(63).icmp(3, 3).quote(quoted);
    // The TCP checksum inside stays as it was, for nobody can verify it; the ICMP checksum follows.
    const std::size_t inside = 14 + 20 + 8 + 20 + 16;
    const Bytes original = answer(4001);
    expected[inside] = original[14 + 36];
    expected[inside + 1] = original[14 + 37];
    Bytes actual = out.own.frame;
    ASSERT_EQ(actual.size(), expected.size());
    for (const std::size_t at : {14U + 20U + 2U, 14U + 20U + 3U}) actual[at] = expected[at];
    EXPECT_EQ(actual, expected);
    ASSERT_EQ(rig.connections().size(), 1U);
    EXPECT_EQ(rig.connections()[0].state, "NONE");
    EXPECT_EQ(rig.server_view(0, 1).inactive, 1U);
    rig.advance(std::chrono::seconds(4));
    EXPECT_TRUE(rig.connections().empty());
    EXPECT_EQ(rig.server_view(0, 1).inactive, 0U);
}

TEST_F(ScheduleIcmp, ThePacketsThatFollowStayWithTheServer) {
    rig.from_client(error().quote(answer(4001)));
    const Reaction out = rig.from_client(client_frame().ipv4(kClient, kVip).tcp(4001, 80, "A"));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          to_server(2).ipv4(kClient, server_v4(2)).ttl(63).tcp(4001, 8080, "A")));
}

TEST_F(ScheduleIcmp, OnePacketServiceKeepsNoConnection) {
    const Bytes quoted = to_router().ipv4(kVip, kClient).udp(53, 4001).payload(20);
    const Reaction out = rig.from_client(error().quote(quoted));
    EXPECT_EQ(out.own.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(rig.connections().empty());
}

TEST_F(ScheduleIcmp, WithoutAUsableServerTheErrorIsDroppedSilently) {
    for (lb::RealServerSpec& server : rig.spec.services[0].servers) server.weight = 0;
    rig.apply();
    const Reaction out = rig.from_client(error().quote(answer(4001)));
    EXPECT_TRUE(drops(out.own, DropReason::NoRealServer));
    EXPECT_TRUE(out.extra.empty());
}

TEST_F(ScheduleIcmp, OffByDefault) {
    rig.spec.sysctl = lb::SysctlSpec{};
    rig.apply();
    const Reaction out = rig.from_client(error().quote(answer(4001)));
    EXPECT_TRUE(drops(out.own, DropReason::IcmpNoConnection));
    EXPECT_TRUE(rig.connections().empty());
}

class NatIcmpSend : public ::testing::Test {
  protected:
    NatIcmpSend() {
        rig.spec.sysctl.nat_icmp_send = true;
        rig.spec.services = {
            service(Protocol::Tcp, "10.1.0.10:80",
                    {real_server({1, ForwardingMethod::Nat, 8080}),
                     real_server({2, ForwardingMethod::DirectRouting, 80})}),
            service(Protocol::Udp, "10.1.0.10:53", {real_server({1, ForwardingMethod::Nat, 53})})};
        rig.apply();
    }
    static FrameBuilder stray() { return server_frame(1).ipv4(server_v4(1), kClient); }
    Rig rig;
};

TEST_F(NatIcmpSend, StrayOfANatServerIsAnsweredWithPortUnreachable) {
    const Reaction out = rig.from_server(stray().tcp(8080, 4000, "A"));
    Bytes expected = to_server(1)
                         .ipv4(kDirector, server_v4(1))
                         .id(1)
                         .may_fragment()
                         .traffic_class(0xc0)
                         .icmp(3, 3)
                         .quote(stray().ttl(63).tcp(8080, 4000, "A"));
    EXPECT_EQ(out.own.drop_reason, DropReason::NoConnection);
    EXPECT_EQ(out.own.port, kServerSide);
    EXPECT_EQ(out.own.frame, expected);
}

TEST_F(NatIcmpSend, StrayUdpIsAnsweredToo) {
    const Reaction out = rig.from_server(stray().udp(53, 4000).payload(8));
    EXPECT_EQ(out.own.drop_reason, DropReason::NoConnection);
    EXPECT_EQ(out.own.verdict, lb::Verdict::Transmit);
}

TEST_F(NatIcmpSend, ResetsOtherPortsOtherMethodsAndOtherProtocolsAreRouted) {
    const auto routed = [this](const Bytes& frame) {
        return punts(rig.from_server(frame).own, lb::PuntReason::Routed);
    };
    EXPECT_TRUE(routed(stray().tcp(8080, 4000, "R")));
    EXPECT_TRUE(routed(stray().tcp(8081, 4000, "A")));
    EXPECT_TRUE(routed(stray().udp(8080, 4000).payload(8)));
    EXPECT_TRUE(routed(server_frame(2).ipv4(server_v4(2), kClient).tcp(80, 4000, "A")));
}

TEST_F(NatIcmpSend, StrayWithoutHopsLeftIsToldThat) {
    const Reaction out = rig.from_server(stray().ttl(1).tcp(8080, 4000, "A"));
    EXPECT_EQ(out.own.drop_reason, DropReason::TtlExpired);
}

TEST_F(NatIcmpSend, AnswerOfAConnectionPasses) {
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(4000, 80, "S"));
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(4001, 80, "S"));
    const Reaction out = rig.from_server(stray().tcp(8080, 4001, "SA"));
    EXPECT_EQ(out.own.port, kClientSide);
}

TEST_F(NatIcmpSend, OffByDefault) {
    rig.spec.sysctl = lb::SysctlSpec{};
    rig.apply();
    EXPECT_TRUE(punts(rig.from_server(stray().tcp(8080, 4000, "A")).own, lb::PuntReason::Routed));
}

}  // namespace
}  // namespace pollux::test
