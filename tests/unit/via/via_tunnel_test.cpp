// SPDX-License-Identifier: Apache-2.0
#include "control/via/via_tunnel.h"

#include <gtest/gtest.h>

#include "tests/support/frame_builder.h"
#include "tests/support/frame_text.h"
#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using test::Bytes;
using test::frame;
using test::FrameBuilder;
using test::same_frame;

// Bare IP packets: what a probe sends once it has been translated.
FrameBuilder probe(bool v6) {
    FrameBuilder builder = frame();
    return v6 ? builder.ipv6("fd00:1::5", "fd00:1::100") : builder.ipv4("10.0.0.5", "10.0.0.100");
}

// What lies in the buffer from the outer header on.
Bytes wrapped(const Bytes& packet, const lb::TunnelTemplate& header, std::uint16_t ip_id) {
    constexpr std::size_t kRoom = lb::kMaxTunnelHeader;
    Bytes buffer(kRoom, 0xee);
    buffer.insert(buffer.end(), packet.begin(), packet.end());
    const std::size_t start = put_in_tunnel(buffer, kRoom, header, ip_id);
    return {buffer.begin() + static_cast<std::ptrdiff_t>(start), buffer.end()};
}

struct Ends {
    bool inner_v6 = false;
    bool outer_v6 = false;
};

lb::TunnelTemplate header(const lb::TunnelSpec& spec, const Ends& ends) {
    return lb::TunnelTemplate::make(spec, ip(ends.outer_v6 ? "fd00:2::5" : "10.0.1.5"),
                                    ip(ends.outer_v6 ? "fd00:2::21" : "10.0.1.21"),
                                    ends.inner_v6 ? net::Family::V6 : net::Family::V4);
}

FrameBuilder outer(const Ends& ends) {
    FrameBuilder builder = frame();
    return ends.outer_v6 ? builder.ipv6("fd00:2::5", "fd00:2::21")
                         : builder.ipv4("10.0.1.5", "10.0.1.21");
}

class ViaTunnelFamilies : public ::testing::TestWithParam<Ends> {};

TEST_P(ViaTunnelFamilies, IpipHasATtlOfItsOwn) {
    const Ends ends = GetParam();
    const Bytes packet = probe(ends.inner_v6).ttl(2).traffic_class(0x28).tcp(40000, 80, "S");
    // IPv6 has no "don't fragment" to take over, so the outer packet is numbered.
    FrameBuilder expected = outer(ends).traffic_class(0x28).ttl(64);
    if (!ends.outer_v6) {
        expected = ends.inner_v6 ? expected.id(7).may_fragment() : expected.id(0);
    }
    expected.protocol(ends.inner_v6 ? 41 : 4).raw(packet);

    EXPECT_TRUE(same_frame(wrapped(packet, header({}, ends), 7), expected.bytes()));
}

TEST_P(ViaTunnelFamilies, GreWithAChecksum) {
    const Ends ends = GetParam();
    lb::TunnelSpec spec;
    spec.kind = lb::TunnelKind::Gre;
    spec.checksum = true;
    const Bytes packet = probe(ends.inner_v6).ttl(2).udp(40000, 53).payload(5);
    FrameBuilder expected = outer(ends);
    if (!ends.outer_v6) expected = ends.inner_v6 ? expected.id(7).may_fragment() : expected.id(0);
    const Bytes whole =
        ends.inner_v6
            ? expected.gre().ipv6("fd00:1::5", "fd00:1::100").ttl(2).udp(40000, 53).payload(5)
            : expected.gre().ipv4("10.0.0.5", "10.0.0.100").ttl(2).udp(40000, 53).payload(5);

    EXPECT_TRUE(same_frame(wrapped(packet, header(spec, ends), 7), whole));
}

TEST_P(ViaTunnelFamilies, GueWithAChecksumAndAPortOfTheFlow) {
    const Ends ends = GetParam();
    lb::TunnelSpec spec;
    spec.kind = lb::TunnelKind::Gue;
    spec.gue_port = 6080;
    spec.checksum = true;
    const auto packet = [&](std::uint16_t port) -> Bytes {
        return probe(ends.inner_v6).ttl(2).tcp(port, 80, "S");
    };
    const Bytes actual = wrapped(packet(40000), header(spec, ends), 7);
    const std::size_t udp_at = ends.outer_v6 ? 40 : 20;
    const auto source = static_cast<std::uint16_t>((actual[udp_at] << 8U) | actual[udp_at + 1]);
    EXPECT_GE(source, 0x8000);
    FrameBuilder expected = outer(ends);
    if (!ends.outer_v6) expected = ends.inner_v6 ? expected.id(7).may_fragment() : expected.id(0);
    expected.udp(source, 6080).gue();
    const Bytes whole = ends.inner_v6
                            ? expected.ipv6("fd00:1::5", "fd00:1::100").ttl(2).tcp(40000, 80, "S")
                            : expected.ipv4("10.0.0.5", "10.0.0.100").ttl(2).tcp(40000, 80, "S");

    EXPECT_TRUE(same_frame(actual, whole));
    const Bytes other = wrapped(packet(40001), header(spec, ends), 7);
    EXPECT_FALSE(other[udp_at] == actual[udp_at] && other[udp_at + 1] == actual[udp_at + 1]);
}

INSTANTIATE_TEST_SUITE_P(All, ViaTunnelFamilies,
                         ::testing::Values(Ends{false, false}, Ends{false, true}, Ends{true, false},
                                           Ends{true, true}),
                         [](const auto& parameter) {
                             return std::string(parameter.param.inner_v6 ? "V6" : "V4") + "In" +
                                    (parameter.param.outer_v6 ? "V6" : "V4");
                         });

TEST(ViaTunnel, NumbersGoUpOnlyWhereTheyAreUsed) {
    std::uint16_t id = 5;
    const auto wrap = [&id](const Bytes& packet) {
        Bytes buffer(lb::kMaxTunnelHeader, 0);
        buffer.insert(buffer.end(), packet.begin(), packet.end());
        EXPECT_EQ(put_in_tunnel(buffer, lb::kMaxTunnelHeader, header({}, {}), id),
                  lb::kMaxTunnelHeader - 20);
    };
    wrap(probe(false).tcp(40000, 80, "S"));
    EXPECT_EQ(id, 5);
    wrap(probe(false).may_fragment().tcp(40000, 80, "S"));
    EXPECT_EQ(id, 6);
}

}  // namespace
}  // namespace pollux::control
