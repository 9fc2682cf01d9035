// SPDX-License-Identifier: Apache-2.0
// Whole-packet equality of what we originate with packets that the test support builds.
#include <gtest/gtest.h>

#include "dataplane/net/icmp_build.h"
#include "dataplane/net/ip_build.h"
#include "dataplane/net/parse.h"
#include "dataplane/net/tcp_reset.h"
#include "tests/support/frame_builder.h"
#include "tests/support/frame_text.h"

namespace pollux::net {
namespace {

using test::Bytes;
using test::frame;
using test::FrameBuilder;

constexpr const char* kClient4 = "10.0.0.1";
constexpr const char* kVip4 = "10.1.0.10";
constexpr const char* kClient6 = "2001:db8::1";
constexpr const char* kVip6 = "2001:db8:1::10";
constexpr const char* kGroupMac = "01:00:5e:00:00:12";

FrameBuilder v4() {
    return frame().eth().ipv4(kClient4, kVip4);
}
FrameBuilder v6() {
    return frame().eth().ipv6(kClient6, kVip6);
}

// Our packets as the test support builds them: bare IP, id 0.
FrameBuilder ours4() {
    return frame().ipv4(kVip4, kClient4).id(0);
}
FrameBuilder ours6() {
    return frame().ipv6(kVip6, kClient6);
}

ParsedPacket parsed(const Bytes& bytes) {
    ParsedPacket packet;
    const ParseInput input{bytes, static_cast<std::uint32_t>(bytes.size()), 0};
    EXPECT_EQ(parse(input, packet), ParseError::None) << test::describe(bytes);
    return packet;
}

// Bare IP packets have no link layer to describe: one is put before them.
::testing::AssertionResult same_packet(const Bytes& actual, const Bytes& expected) {
    const auto framed = [](const Bytes& ip) {
        return frame().eth().ether_type(ip.at(0) >> 4U == 4 ? 0x0800 : 0x86dd).raw(ip).bytes();
    };
    return test::same_frame(framed(actual), framed(expected));
}

Bytes error_about(const Bytes& offender, const IcmpError& error) {
    Bytes out(1500, 0xee);
    out.resize(build_icmp_error(error, parsed(offender), offender, out));
    return out;
}

IcmpError from(const char* source, unsigned type, unsigned code, unsigned mtu = 0) {
    return {*IpAddress::parse(source), static_cast<std::uint8_t>(type),
            static_cast<std::uint8_t>(code), static_cast<std::uint16_t>(mtu)};
}

TEST(IcmpError, QuotesAWholeSmallPacketOfIpv4) {
    const Bytes offender = v4().udp(1001, 53).payload(30);
    EXPECT_TRUE(same_packet(error_about(offender, from(kVip4, 3, 3)),
                            ours4().traffic_class(0xc0).icmp(3, 3).quote(offender)));
}

TEST(IcmpError, CarriesTheMtuAndKeepsTheTosBits) {
    const Bytes offender = v4().traffic_class(0xfd).tcp(1001, 80, "A").payload(1400);
    const Bytes expected = ours4().traffic_class(0xdc).icmp(3, 4, 1300).quote(offender, 576 - 28);
    EXPECT_EQ(expected.size(), 576U);
    EXPECT_TRUE(same_packet(error_about(offender, from(kVip4, 3, 4, 1300)), expected));
}

TEST(IcmpError, LeavesEthernetPaddingOut) {
    const Bytes offender = v4().udp(1001, 53).pad_to(60, 0xaa);
    const Bytes unpadded = v4().udp(1001, 53);
    EXPECT_TRUE(same_packet(
        error_about(offender, from("192.0.2.1", 11, 0)),
        frame().ipv4("192.0.2.1", kClient4).id(0).traffic_class(0xc0).icmp(11).quote(unpadded)));
}

TEST(IcmpError, QuotesUpTo1280BytesOfIpv6) {
    const Bytes offender = v6().hop_by_hop().tcp(1001, 80, "A").payload(1400);
    const Bytes expected = ours6().icmpv6(2, 0, 1300).quote(offender, 1280 - 48);
    EXPECT_EQ(expected.size(), 1280U);
    EXPECT_TRUE(same_packet(error_about(offender, from(kVip6, 2, 0, 1300)), expected));
    const Bytes small = v6().udp(1001, 53).payload(3);
    EXPECT_TRUE(
        same_packet(error_about(small, from(kVip6, 1, 4)), ours6().icmpv6(1, 4).quote(small)));
}

TEST(IcmpError, QuotesWhatTheFirstSegmentHolds) {
    const Bytes whole = v4().udp(1001, 53).payload(400);
    const auto bytes = std::span(whole).first(100);
    ParsedPacket packet;
    ASSERT_EQ(parse({bytes, static_cast<std::uint32_t>(whole.size()), 0}, packet),
              ParseError::None);
    Bytes out(1500);
    out.resize(build_icmp_error(from(kVip4, 3, 3), packet, bytes, out));
    EXPECT_TRUE(same_packet(out, ours4().traffic_class(0xc0).icmp(3, 3).quote(whole, 86)));
}

TEST(IcmpError, NeedsRoom) {
    const Bytes offender = v4().udp(1001, 53).payload(30);
    Bytes out(20 + 8 + 58);
    EXPECT_EQ(build_icmp_error(from(kVip4, 3, 3), parsed(offender), offender, out), out.size());
    EXPECT_EQ(build_icmp_error(from(kVip4, 3, 3), parsed(offender), offender,
                               std::span(out).first(out.size() - 1)),
              0U);
}

// RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e).
TEST(IcmpError, IsNotSentAboutEverything) {
    struct Case {
        const char* what;
        Bytes bytes;
        bool any, too_big;
    };
    const Bytes reply4 = frame().eth().ipv4(kVip4, kClient4).udp(1, 2);
    const Bytes reply6 = frame().eth().ipv6(kVip6, kClient6).udp(1, 2);
    for (const Case& c : {
             Case{"UDP", v4().udp(1, 2), true, true},
             Case{"echo", v4().icmp(8), true, true},
             Case{"first fragment", v4().fragment(0, true, 1).udp(1, 2).payload(8), true, true},
             Case{"later fragment", v4().fragment(8, true, 1).payload(8), false, false},
             Case{"error", v4().icmp(3).quote(reply4), false, false},
             Case{"error v6", v6().icmpv6(1).quote(reply6), false, false},
             Case{"to a group", frame().eth().ipv4(kClient4, "224.0.0.5").udp(1, 2), false, false},
             Case{"to a group v6", frame().eth().ipv6(kClient6, "ff05::2").udp(1, 2), false, true},
             Case{
                 "by link-layer broadcast",
                 frame().eth(test::kClientMac, "ff:ff:ff:ff:ff:ff").ipv4(kClient4, kVip4).udp(1, 2),
                 false, false},
             Case{"from nobody", frame().eth().ipv6("::", kVip6).icmpv6(135).payload(16), false,
                  false},
             Case{"ARP", frame().eth().arp_request(test::kClientMac, kClient4, kVip4), false,
                  false},
         }) {
        EXPECT_EQ(may_send_icmp_error(parsed(c.bytes), c.bytes.data(), false), c.any) << c.what;
        EXPECT_EQ(may_send_icmp_error(parsed(c.bytes), c.bytes.data(), true), c.too_big) << c.what;
    }
}

TEST(EchoReply, AnswersInPlace) {
    Bytes four =
        frame().eth().vlan(5).ipv4(kClient4, kVip4).ttl(9).icmp(8, 0, 0x12345678).payload(33);
    ASSERT_TRUE(turn_into_echo_reply(parsed(four), four.data()));
    EXPECT_TRUE(test::same_frame(
        four,
        frame().eth().vlan(5).ipv4(kVip4, kClient4).icmp(0, 0, 0x12345678).payload(33).bytes()));
    Bytes six = v6().ttl(255).icmpv6(128, 0, 0x12345678).payload(32);
    ASSERT_TRUE(turn_into_echo_reply(parsed(six), six.data()));
    EXPECT_TRUE(test::same_frame(
        six, frame().eth().ipv6(kVip6, kClient6).icmpv6(129, 0, 0x12345678).payload(32).bytes()));
}

TEST(EchoReply, KeepsAWrongChecksumWrong) {
    Bytes bytes = v4().icmp(8).bad_checksum().payload(8);
    ASSERT_TRUE(turn_into_echo_reply(parsed(bytes), bytes.data()));
    EXPECT_TRUE(test::same_frame(
        bytes, frame().eth().ipv4(kVip4, kClient4).icmp(0).bad_checksum().payload(8).bytes()));
}

TEST(EchoReply, LeavesOtherPacketsAlone) {
    const Bytes reply = frame().eth().ipv4(kVip4, kClient4).udp(1, 2);
    for (const Bytes& original :
         {v4().icmp(0).bytes(), v4().icmp(13).payload(12).bytes(),
          v4().icmp(3).quote(reply).bytes(), v4().udp(8, 8).bytes(), v6().icmpv6(129).bytes(),
          v4().fragment(0, true, 1).icmp(8).bytes(),
          frame().eth(test::kClientMac, kGroupMac).ipv4(kClient4, "224.0.0.1").icmp(8).bytes(),
          frame().eth().arp_request(test::kClientMac, kClient4, kVip4).bytes()}) {
        Bytes bytes = original;
        EXPECT_FALSE(turn_into_echo_reply(parsed(bytes), bytes.data()));
        EXPECT_TRUE(test::same_frame(bytes, original));
    }
}

Bytes reset_for(const Bytes& bytes) {
    Bytes out(kMaxTcpResetLength);
    out.resize(build_tcp_reset(parsed(bytes), bytes.data(), out));
    return out;
}

// RFC 9293 section 3.10.7.1.
TEST(TcpReset, TakesItsNumbersFromTheSegment) {
    EXPECT_TRUE(same_packet(reset_for(v4().tcp(1001, 80, "S").seq(7000)),
                            ours4().tcp(80, 1001, "RA").seq(0, 7001).window(0)));
    EXPECT_TRUE(same_packet(reset_for(v4().tcp(1001, 80, "PA").seq(7000, 9000).payload(10)),
                            ours4().tcp(80, 1001, "R").seq(9000, 0).window(0)));
    EXPECT_TRUE(same_packet(
        reset_for(v4().tcp(1001, 80, "F").seq(0xffffffff).tcp_options({1}).payload(10).pad_to(90)),
        ours4().tcp(80, 1001, "RA").seq(0, 10).window(0)));
    EXPECT_TRUE(same_packet(reset_for(v6().hop_by_hop().tcp(1001, 80, "S").seq(1)),
                            ours6().tcp(80, 1001, "RA").seq(0, 2).window(0)));
}

TEST(TcpReset, IsNotSentForEverything) {
    EXPECT_TRUE(reset_for(v4().tcp(1, 2, "R")).empty());
    EXPECT_TRUE(reset_for(v4().tcp(1, 2, "RA")).empty());
    EXPECT_TRUE(reset_for(v4().udp(1, 2)).empty());
    EXPECT_TRUE(reset_for(v4().fragment(0, true, 1).tcp(1, 2, "S").payload(4)).empty());
    EXPECT_TRUE(reset_for(frame().eth().ipv4(kClient4, "224.0.0.1").tcp(1, 2, "S")).empty());
    const Bytes syn = v4().tcp(1, 2, "S");
    Bytes small(39);
    EXPECT_EQ(build_tcp_reset(parsed(syn), syn.data(), small), 0U);
}

TEST(IpBuild, RefusesWhatItsLengthFieldsCannotCount) {
    Bytes out(70000);
    IpHeaderFields fields{*IpAddress::parse(kVip4), *IpAddress::parse(kClient4), 17};
    fields.payload_length = 65515;
    EXPECT_EQ(write_ip_header(fields, out), 20U);
    fields.payload_length = 65516;
    EXPECT_EQ(write_ip_header(fields, out), 0U);
    fields.source = *IpAddress::parse(kVip6);
    fields.destination = *IpAddress::parse(kClient6);
    fields.payload_length = 65535;
    EXPECT_EQ(write_ip_header(fields, out), 40U);
    fields.payload_length = 65536;
    EXPECT_EQ(write_ip_header(fields, out), 0U);
}

}  // namespace
}  // namespace pollux::net
