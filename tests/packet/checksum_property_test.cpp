// SPDX-License-Identifier: Apache-2.0

// Through the whole data plane: a right checksum stays right, a wrong one never becomes right, for
// every method that rewrites, both directions, both families and random contents.

#include <random>

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::Protocol;

struct Way {
    const char* name;
    Protocol protocol;
    ForwardingMethod method;
    bool client_is_v6, server_is_v6, toa;
};

net::IpAddress address(const char* text) {
    return net::IpAddress::parse(text).value();
}

// Whether the L4 checksum of an unfragmented frame without options and extension headers is right,
// by the rule of the RFCs and plain arithmetic.
bool is_right(const Bytes& frame) {
    const bool v6 = frame[12] == 0x86;
    const std::size_t l4 = 14 + (v6 ? 40U : 20U);
    const std::uint8_t protocol = frame[v6 ? 20 : 23];
    std::uint64_t sum = protocol + (frame.size() - l4);
    const auto add = [&sum, &frame](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; i += 2) {
            sum += frame[i] * 256U + (i + 1 < to ? frame[i + 1] : 0U);
        }
    };
    add(v6 ? 22 : 26, l4);  // the addresses
    add(l4, frame.size());
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16U);
    return sum == 0xffff;
}

class Checksums : public ::testing::TestWithParam<Way> {
  protected:
    Checksums() {
        const Way& way = GetParam();
        rig.spec.sysctl.fullnat_toa = way.toa;
        rig.spec.local_addresses = {
            {address(way.server_is_v6 ? "fd00:b::200" : "10.2.0.200"), 5000, 5000}};
        rig.spec.services = {service(way.protocol,
                                     way.client_is_v6 ? "[fd00:a::10]:80" : "10.1.0.10:80",
                                     {real_server({1, way.method, 8080, 1, way.server_is_v6})})};
        rig.apply();
    }
    std::uint32_t word() { return static_cast<std::uint32_t>(random()); }
    FrameBuilder l4(FrameBuilder ip, std::uint16_t from, std::uint16_t to, const char* flags) {
        const bool tcp = GetParam().protocol == Protocol::Tcp;
        FrameBuilder builder = tcp ? ip.tcp(from, to, flags).seq(word(), word()) : ip.udp(from, to);
        Bytes payload(random() % 64);
        for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(random());
        return builder.raw(payload);
    }
    Bytes from_client(const char* flags) {
        return l4(GetParam().client_is_v6 ? client_frame().ipv6(kClient6, kVip6)
                                          : client_frame().ipv4(kClient, kVip),
                  1001, 80, flags);
    }
    Bytes from_server(const char* flags) {
        const bool full = GetParam().method == ForwardingMethod::FullNat;
        const bool v6 = GetParam().server_is_v6;
        FrameBuilder ip = v6 ? server_frame(1).ipv6(server_v6(1), full ? "fd00:b::200" : kClient6)
                             : server_frame(1).ipv4(server_v4(1), full ? "10.2.0.200" : kClient);
        return l4(ip, 8080, full ? 5000 : 1001, flags);
    }
    // Somewhere behind the ports, so that the packet stays what it is.
    void spoil(Bytes& frame, std::size_t l4) {
        const std::size_t checksum = l4 + (GetParam().protocol == Protocol::Tcp ? 16U : 6U);
        frame[checksum + random() % 2] ^= static_cast<std::uint8_t>(1U << random() % 8);
    }
    Rig rig;
    std::mt19937 random{20260};
};

TEST_P(Checksums, RightOnesStayRightAndWrongOnesWrong) {
    const Way& way = GetParam();
    ASSERT_EQ(rig.from_client(from_client("S")).own.verdict, lb::Verdict::Transmit);
    unsigned wrong = 0;
    for (unsigned i = 0; i < 4000; ++i) {
        const bool from_the_client = random() % 2 == 0;
        Bytes frame = from_the_client ? from_client("PA") : from_server("PA");
        const bool v6 = from_the_client ? way.client_is_v6 : way.server_is_v6;
        if (random() % 2 == 0) spoil(frame, 14 + (v6 ? 40U : 20U));
        const bool before = is_right(frame);
        const Output out = (from_the_client ? rig.from_client(frame) : rig.from_server(frame)).own;
        ASSERT_EQ(out.verdict, lb::Verdict::Transmit);
        ASSERT_EQ(is_right(out.frame), before) << "packet " << i;
        wrong += before ? 0 : 1;
    }
    EXPECT_GT(wrong, 1000U);
}

INSTANTIATE_TEST_SUITE_P(
    , Checksums,
    ::testing::Values(
        Way{"NatTcp", Protocol::Tcp, ForwardingMethod::Nat, false, false, false},
        Way{"NatTcpV6", Protocol::Tcp, ForwardingMethod::Nat, true, true, false},
        Way{"NatUdp", Protocol::Udp, ForwardingMethod::Nat, false, false, false},
        Way{"NatUdpV6", Protocol::Udp, ForwardingMethod::Nat, true, true, false},
        Way{"FullNatTcp", Protocol::Tcp, ForwardingMethod::FullNat, false, false, false},
        Way{"FullNatTcpToa", Protocol::Tcp, ForwardingMethod::FullNat, false, false, true},
        Way{"FullNatTcpV6Toa", Protocol::Tcp, ForwardingMethod::FullNat, true, true, true},
        Way{"SixToFourTcpToa", Protocol::Tcp, ForwardingMethod::FullNat, true, false, true},
        Way{"SixToFourUdp", Protocol::Udp, ForwardingMethod::FullNat, true, false, false},
        Way{"FourToSixTcp", Protocol::Tcp, ForwardingMethod::FullNat, false, true, false}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace pollux::test
