// SPDX-License-Identifier: Apache-2.0

// ICMP errors about tunnel packets: the client is told, the path MTU is learnt.

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;
using lb::TunnelKind;

constexpr const char* kPathRouter = "10.2.0.77";
constexpr const char* kPathRouter6 = "fd00:b::77";

struct TunnelCase {
    const char* name;
    bool service_is_v6, server_is_v6;
    lb::TunnelSpec tunnel;
    std::uint16_t added;  // bytes in front of the inner packet
};

constexpr lb::TunnelSpec kIpip{};
constexpr lb::TunnelSpec kGue{TunnelKind::Gue, 6080, false, false, false};
constexpr lb::TunnelSpec kGueChecked{TunnelKind::Gue, 6080, true, false, false};
constexpr lb::TunnelSpec kGre{TunnelKind::Gre, 0, false, false, false};
constexpr lb::TunnelSpec kGreChecked{TunnelKind::Gre, 0, true, false, false};

class TunnelError : public ::testing::TestWithParam<TunnelCase> {
  protected:
    void SetUp() override {
        const TunnelCase& c = GetParam();
        rig_.spec.services = {
            service(Protocol::Tcp, c.service_is_v6 ? "[fd00:a::10]:80" : "10.1.0.10:80",
                    {real_server({1, ForwardingMethod::Tunnel, 0, 1, c.server_is_v6, c.tunnel})})};
        rig_.apply();
    }
    static FrameBuilder from_client() {
        return GetParam().service_is_v6 ? client_frame().ipv6(kClient6, kVip6)
                                        : client_frame().ipv4(kClient, kVip);
    }
    static FrameBuilder to_client() {
        return GetParam().service_is_v6
                   ? to_router().ipv6(kVip6, kClient6)
                   : to_router().ipv4(kVip, kClient).id(1).may_fragment().traffic_class(0xc0);
    }
    // A data packet of that many bytes of IP.
    static FrameBuilder data(std::uint16_t ip_bytes) {
        const std::uint16_t headers = GetParam().service_is_v6 ? 60 : 40;
        return from_client().tcp(1001, 80, "PA").payload(std::size_t{ip_bytes} - headers);
    }
    // What a router on the way to the server says of a tunnel packet of ours.
    static Bytes error_about(const Bytes& tunnelled, std::uint8_t type_v4, std::uint8_t code_v4,
                             std::uint8_t type_v6, std::uint32_t body) {
        if (GetParam().server_is_v6) {
            return server_frame(2)
                .ipv6(kPathRouter6, kDirector6)
                .icmpv6(type_v6, 0, body)
                .quote(tunnelled, 200);
        }
        return server_frame(2)
            .ipv4(kPathRouter, kDirector)
            .icmp(type_v4, code_v4, body)
            .quote(tunnelled, 200);
    }
    static Bytes too_big(const Bytes& tunnelled, std::uint16_t mtu) {
        return error_about(tunnelled, 3, 4, 2, mtu);
    }
    // The answer to the client: type, code and MTU at their places.
    static std::uint32_t mtu_told(const Output& answer) {
        const bool v6 = GetParam().service_is_v6;
        const std::size_t icmp = 14 + (v6 ? 40U : 20U);
        EXPECT_EQ(answer.frame[icmp], v6 ? 2 : 3);
        EXPECT_EQ(answer.frame[icmp + 1], v6 ? 0 : 4);
        return answer.frame[icmp + 6] * 256U + answer.frame[icmp + 7];
    }

    Rig rig_;
};

TEST_P(TunnelError, PathMtuIsLearntAndToldAndForgottenAfterTenMinutes) {
    rig_.from_client(from_client().tcp(1001, 80, "S"));
    const Reaction sent = rig_.from_client(data(1400));
    ASSERT_EQ(sent.own.verdict, lb::Verdict::Transmit);

    const Reaction told = rig_.from_server(too_big(sent.own.frame, 1396));
    rig_.settle();
    ASSERT_EQ(told.own.verdict, lb::Verdict::Transmit) << "the client is told";
    EXPECT_TRUE(told.own.originated);
    EXPECT_EQ(mtu_told(told.own), 1500U - GetParam().added) << "what was known before";

    const auto fits = static_cast<std::uint16_t>(1396 - GetParam().added);
    EXPECT_EQ(rig_.from_client(data(fits)).own.frame.size(), 14U + 1396U);
    EXPECT_EQ(mtu_told(rig_.from_client(data(fits + 1)).own), fits);

    rig_.advance(std::chrono::minutes(9));
    EXPECT_EQ(mtu_told(rig_.from_client(data(fits + 1)).own), fits);
    rig_.advance(std::chrono::minutes(2));
    EXPECT_EQ(rig_.from_client(data(fits + 1)).own.frame.size(), 14U + 1397U);
}

TEST_P(TunnelError, TooBigAboutAnUnknownFlowTeachesNothing) {
    rig_.from_client(from_client().tcp(1001, 80, "S"));
    Bytes other = rig_.from_client(data(1400)).own.frame;
    other[14U + GetParam().added + (GetParam().service_is_v6 ? 40U : 20U) + 1] ^= 1;  // its port
    EXPECT_TRUE(punts(rig_.from_server(too_big(other, 1396)).own, lb::PuntReason::LocalAddress));
    rig_.settle();
    EXPECT_EQ(rig_.from_client(data(1400)).own.frame.size(), 14U + 1400U + GetParam().added);
}

TEST_P(TunnelError, TimeExceededInsideTheTunnelReachesTheClient) {
    const Bytes syn = from_client().tcp(1001, 80, "S");
    const Reaction sent = rig_.from_client(syn);

    const Reaction told = rig_.from_server(error_about(sent.own.frame, 11, 0, 3, 0));

    const Bytes forwarded = GetParam().service_is_v6 ? from_client().ttl(63).tcp(1001, 80, "S")
                                                     : from_client().ttl(63).tcp(1001, 80, "S");
    const Bytes expected = GetParam().service_is_v6 ? to_client().icmpv6(3, 0).quote(forwarded)
                                                    : to_client().icmp(11, 0).quote(forwarded);
    Bytes actual = told.own.frame;
    if (!GetParam().service_is_v6) {  // our own identification
        for (const std::size_t at : {18U, 19U, 24U, 25U}) actual[at] = expected[at];
    }
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(told.own.drop_reason, DropReason::TunnelError);
}

INSTANTIATE_TEST_SUITE_P(, TunnelError,
                         ::testing::Values(TunnelCase{"Ipip", false, false, kIpip, 20},
                                           TunnelCase{"IpipV6", true, true, kIpip, 40},
                                           TunnelCase{"IpipV4InV6", false, true, kIpip, 40},
                                           TunnelCase{"IpipV6InV4", true, false, kIpip, 20},
                                           TunnelCase{"Gue", false, false, kGue, 32},
                                           TunnelCase{"GueCheckedV6", true, true, kGueChecked, 52},
                                           TunnelCase{"Gre", false, false, kGre, 24},
                                           TunnelCase{"GreCheckedV6InV4", true, false, kGreChecked,
                                                      28}),
                         [](const auto& param) { return param.param.name; });

class IpipError : public ::testing::Test {
  protected:
    IpipError() {
        rig.spec.services = {
            service(Protocol::Tcp, "10.1.0.10:80", {real_server({1, ForwardingMethod::Tunnel})})};
        rig.apply();
        tunnelled =
            rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S")).own.frame;
    }
    static FrameBuilder error(std::uint32_t mtu) {
        return server_frame(2).ipv4(kPathRouter, kDirector).icmp(3, 4, mtu);
    }
    Reaction send_1400() {
        rig.settle();
        return rig.from_client(
            client_frame().ipv4(kClient, kVip).tcp(1001, 80, "PA").payload(1360));
    }
    Rig rig;
    Bytes tunnelled;
};

TEST_F(IpipError, NobodyTalksUsBelow552Bytes) {
    rig.from_server(error(68).quote(tunnelled));
    rig.settle();
    const auto payload = [this](std::size_t bytes) {
        return rig.from_client(
            client_frame().ipv4(kClient, kVip).tcp(1001, 80, "PA").payload(bytes));
    };
    EXPECT_EQ(payload(552 - 20 - 40).own.frame.size(), 14U + 552U);
    EXPECT_EQ(payload(552 - 20 - 39).own.drop_reason, DropReason::MtuExceeded);
}

TEST_F(IpipError, ErrorAboutAnUnknownFlowTeachesNothing) {
    Bytes other = tunnelled;
    other[14 + 20 + 20 + 1] ^= 1;  // the client's port
    EXPECT_TRUE(punts(rig.from_server(error(1000).quote(other)).own, lb::PuntReason::LocalAddress));
    EXPECT_EQ(send_1400().own.frame.size(), 14U + 1420U);
}

TEST_F(IpipError, ErrorAboutAnotherServerTeachesNothing) {
    Bytes other = tunnelled;
    other[14 + 19] = 2;  // the outer destination
    EXPECT_TRUE(punts(rig.from_server(error(1000).quote(other)).own, lb::PuntReason::LocalAddress));
    EXPECT_EQ(send_1400().own.frame.size(), 14U + 1420U);
}

TEST_F(IpipError, WrongChecksumTeachesNothing) {
    EXPECT_TRUE(drops(rig.from_server(error(1000).bad_checksum().quote(tunnelled)).own,
                      DropReason::IcmpBadChecksum));
    EXPECT_EQ(send_1400().own.frame.size(), 14U + 1420U);
}

TEST_F(IpipError, QuoteWithoutThePortsInsideTeachesNothing) {
    EXPECT_TRUE(
        punts(rig.from_server(error(1000).quote(tunnelled, 28)).own, lb::PuntReason::LocalAddress));
    EXPECT_EQ(send_1400().own.frame.size(), 14U + 1420U);
}

TEST_F(IpipError, ClientThatAllowsFragmentsIsNotTold) {
    const Bytes loose =
        rig.from_client(client_frame().ipv4(kClient, kVip).may_fragment().tcp(1001, 80, "A"))
            .own.frame;
    EXPECT_TRUE(drops(rig.from_server(error(1000).quote(loose)).own, DropReason::TunnelError));
    EXPECT_EQ(send_1400().own.drop_reason, DropReason::MtuExceeded) << "but it is learnt";
}

TEST_F(IpipError, AllTunnelsToTheServerLearn) {
    rig.spec.services.push_back(
        service(Protocol::Tcp, "10.1.0.10:81", {real_server({1, ForwardingMethod::Tunnel})}));
    rig.apply();
    rig.from_server(error(1000).quote(tunnelled));
    rig.settle();
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 81, "S"));
    const Reaction out =
        rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 81, "PA").payload(1000));
    EXPECT_EQ(out.own.drop_reason, DropReason::MtuExceeded);
}

}  // namespace
}  // namespace pollux::test
