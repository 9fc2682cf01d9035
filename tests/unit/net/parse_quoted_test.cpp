// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dataplane/net/parse.h"
#include "tests/support/frame_builder.h"
#include "tests/support/frame_text.h"

namespace pollux::net {
namespace {

using test::Bytes;
using test::frame;
using test::FrameBuilder;

constexpr const char* kRouter4 = "192.0.2.1";
constexpr const char* kClient4 = "10.0.0.1";
constexpr const char* kVip4 = "10.1.0.10";
constexpr const char* kRouter6 = "2001:db8:ffff::1";
constexpr const char* kClient6 = "2001:db8::1";
constexpr const char* kVip6 = "2001:db8:1::10";

// What the balancer once sent to the client.
FrameBuilder sent4() {
    return frame().eth().ipv4(kVip4, kClient4);
}
FrameBuilder sent6() {
    return frame().eth().ipv6(kVip6, kClient6);
}

Bytes error4(const Bytes& offender, std::size_t quoted = SIZE_MAX) {
    return frame().eth().ipv4(kRouter4, kVip4).icmp(3, 4, 1400).quote(offender, quoted);
}

Bytes error6(const Bytes& offender, std::size_t quoted = SIZE_MAX) {
    return frame().eth().ipv6(kRouter6, kVip6).icmpv6(2, 0, 1400).quote(offender, quoted);
}

ParseError quoted_in(const Bytes& bytes, QuotedPacket& quoted) {
    const ParseInput input{bytes, static_cast<std::uint32_t>(bytes.size()), 0};
    ParsedPacket packet;
    EXPECT_EQ(parse(input, packet), ParseError::None) << test::describe(bytes);
    EXPECT_TRUE(packet.is_icmp_error());
    return parse_quoted(input, packet, quoted);
}

QuotedPacket accepted(const Bytes& bytes) {
    QuotedPacket quoted;
    EXPECT_EQ(quoted_in(bytes, quoted), ParseError::None) << test::describe(bytes);
    return quoted;
}

ParseError refused(const Bytes& bytes) {
    QuotedPacket quoted;
    return quoted_in(bytes, quoted);
}

TEST(ParseQuoted, FindsPortsInEightBytesOfTcp) {
    const Bytes bytes = error4(sent4().tcp(80, 1001, "A").payload(100), 28);
    const QuotedPacket quoted = accepted(bytes);
    EXPECT_EQ(quoted.kind, PacketKind::Ipv4);
    EXPECT_EQ(quoted.l3_offset, 42);
    EXPECT_EQ(quoted.l4_offset, 62);
    EXPECT_EQ(quoted.l4_available, 8);
    EXPECT_EQ(quoted.protocol, 6);
    EXPECT_TRUE(quoted.has_ports());
    EXPECT_EQ(quoted.source_port.host(), 80);
    EXPECT_EQ(quoted.destination_port.host(), 1001);
    EXPECT_EQ(quoted.source(bytes.data()), *IpAddress::parse(kVip4));
    EXPECT_EQ(quoted.destination(bytes.data()), *IpAddress::parse(kClient4));
}

TEST(ParseQuoted, FindsPortsOfEveryProtocolAndLength) {
    for (const std::size_t extra : {0U, 4U, 12U, 60U}) {
        EXPECT_EQ(accepted(error4(sent4().udp(80, 1001).payload(60), 28 + extra)).l4_available,
                  8 + extra);
        EXPECT_EQ(accepted(error4(sent4().sctp(80, 1001).payload(60), 28 + extra)).l4_available,
                  8 + extra);
        EXPECT_EQ(accepted(error6(sent6().tcp(80, 1001, "A").payload(60), 48 + extra)).l4_available,
                  8 + extra);
        EXPECT_EQ(
            accepted(error6(sent6().udp(80, 1001).payload(60), 48 + extra)).source_port.host(), 80);
    }
}

TEST(ParseQuoted, WalksOptionsAndExtensionHeaders) {
    const QuotedPacket four =
        accepted(error4(sent4().ip_options({7, 7, 4, 1, 2, 3, 4}).udp(80, 9)));
    EXPECT_NE(four.flags & ParsedPacket::kHasOptions, 0);
    EXPECT_EQ(four.destination_port.host(), 9);
    const QuotedPacket six =
        accepted(error6(sent6().hop_by_hop().destination_options(16).udp(80, 9)));
    EXPECT_NE(six.flags & ParsedPacket::kHasOptions, 0);
    EXPECT_EQ(six.l4_offset, 14 + 48 + 40 + 24);
    EXPECT_EQ(six.destination_port.host(), 9);
}

TEST(ParseQuoted, FindsNoPortsInLaterFragments) {
    const QuotedPacket four =
        accepted(error4(sent4().fragment(1480, true, 7).protocol(17).payload(8)));
    EXPECT_TRUE(four.is_fragment());
    EXPECT_FALSE(four.has_ports());
    EXPECT_EQ(four.fragment_offset, 1480);
    const QuotedPacket six =
        accepted(error6(sent6().fragment(1232, false, 7).protocol(17).payload(8)));
    EXPECT_TRUE(six.is_fragment());
    EXPECT_FALSE(six.has_ports());
    const QuotedPacket first = accepted(error4(sent4().fragment(0, true, 7).udp(80, 9).payload(8)));
    EXPECT_TRUE(first.is_fragment());
    EXPECT_TRUE(first.has_ports());
}

TEST(ParseQuoted, LeavesOtherProtocolsWithoutPorts) {
    const QuotedPacket quoted = accepted(error4(sent4().icmp(8, 0, 0x00070001).payload(8)));
    EXPECT_EQ(quoted.protocol, 1);
    EXPECT_FALSE(quoted.has_ports());
    EXPECT_EQ(quoted.source_port.host(), 0);
}

// Routers quote what they received, with the TTL that they have already changed.
TEST(ParseQuoted, DoesNotVerifyTheQuotedChecksum) {
    EXPECT_TRUE(accepted(error4(sent4().bad_checksum().udp(80, 1001))).has_ports());
}

// The total length is the sender's; only the beginning is quoted.
TEST(ParseQuoted, DoesNotRelyOnTheQuotedTotalLength) {
    EXPECT_EQ(accepted(error4(sent4().set16(2, 1500).udp(80, 1001), 28)).l4_available, 8);
}

TEST(ParseQuoted, RefusesMalformedQuotes) {
    const Bytes tcp = sent4().tcp(80, 1001, "A");
    const Bytes tcp6 = sent6().tcp(80, 1001, "A");
    EXPECT_EQ(refused(error4(tcp, 0)), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error4(tcp, 19)), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error4(tcp, 27)), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error4(sent4().set8(0, 0x65).udp(1, 2))), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error4(sent4().set8(0, 0x44).udp(1, 2))), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error4(sent4().set8(0, 0x4f).udp(1, 2))), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error6(tcp6, 39)), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error6(tcp6, 47)), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error6(sent6().set8(0, 0x45).udp(1, 2))), ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error6(sent6().destination_options().hop_by_hop().udp(1, 2))),
              ParseError::IcmpBadQuote);
    EXPECT_EQ(refused(error6(sent6().routing(0, 1, 24).udp(1, 2))), ParseError::IcmpBadQuote);
    // An IPv6 packet in an ICMP error of IPv4.
    EXPECT_EQ(refused(error4(tcp6)), ParseError::IcmpBadQuote);
}

TEST(ParseQuoted, IgnoresTheEthernetPadding) {
    Bytes bytes = error4(sent4().protocol(6).payload(4), 24);
    bytes.resize(90);
    EXPECT_EQ(refused(bytes), ParseError::IcmpBadQuote);
}

// `needed`: up to the ports of the quoted packet. The quote begins at `quote`.
void expect_segment_limit(const Bytes& bytes, std::size_t quote, std::size_t needed) {
    for (std::size_t contiguous = quote; contiguous <= bytes.size(); ++contiguous) {
        const ParseInput input{std::span(bytes).first(contiguous),
                               static_cast<std::uint32_t>(bytes.size()), 0};
        ParsedPacket packet;
        QuotedPacket quoted;
        ASSERT_EQ(parse(input, packet), ParseError::None);
        EXPECT_EQ(parse_quoted(input, packet, quoted),
                  contiguous < needed ? ParseError::MultiSegment : ParseError::None);
        if (contiguous < needed) continue;
        EXPECT_EQ(quoted.l4_available, contiguous - quoted.l4_offset);
    }
}

TEST(ParseQuoted, SaysWhenTheQuoteLiesInAnotherSegment) {
    expect_segment_limit(error4(sent4().tcp(80, 1001, "A").payload(100)), 42, 70);
    expect_segment_limit(error6(sent6().hop_by_hop().tcp(80, 1001, "A").payload(100)), 62, 118);
}

}  // namespace
}  // namespace pollux::net
