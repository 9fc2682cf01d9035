// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/parse.h"

#include <gtest/gtest.h>

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

FrameBuilder v4() {
    return frame().eth().ipv4(kClient4, kVip4);
}
FrameBuilder v6() {
    return frame().eth().ipv6(kClient6, kVip6);
}

ParsedPacket accepted(const Bytes& bytes, std::uint16_t checksums = 0) {
    ParsedPacket packet;
    const ParseInput input{bytes, static_cast<std::uint32_t>(bytes.size()), checksums};
    EXPECT_EQ(parse(input, packet), ParseError::None) << test::describe(bytes);
    return packet;
}

TEST(Parse, FindsTheHeadersOfTcpOverIpv4) {
    const Bytes bytes = v4().ttl(57).tcp(1001, 80, "SA").tcp_options({2, 4, 5, 0xb4}).payload(10);
    const ParsedPacket packet = accepted(bytes);
    EXPECT_EQ(packet.kind, PacketKind::Ipv4);
    EXPECT_EQ(packet.l3_offset, 14);
    EXPECT_EQ(packet.l4_offset, 34);
    EXPECT_EQ(packet.payload_offset, 58);
    EXPECT_EQ(packet.ip_length, 54U);
    EXPECT_EQ(packet.l4_length(), 34U);
    EXPECT_EQ(packet.protocol, 6);
    EXPECT_EQ(packet.ttl, 57);
    EXPECT_EQ(packet.tcp_flags, kTcpSyn | kTcpAck);
    EXPECT_TRUE(packet.has_ports());
    EXPECT_EQ(packet.source_port.host(), 1001);
    EXPECT_EQ(packet.destination_port.host(), 80);
    EXPECT_FALSE(packet.has_options());
    EXPECT_FALSE(packet.is_fragment());
    EXPECT_FALSE(packet.is_icmp_error());
    EXPECT_EQ(packet.vlan_count, 0);
    EXPECT_EQ(packet.source(bytes.data()), *IpAddress::parse(kClient4));
    EXPECT_EQ(packet.destination(bytes.data()), *IpAddress::parse(kVip4));
    EXPECT_EQ(packet.tcp(bytes.data()).window.host(), 65535);
}

TEST(Parse, FindsTheHeadersOfUdpOverIpv6) {
    const Bytes bytes = v6().ttl(3).udp(5353, 53).payload(7);
    const ParsedPacket packet = accepted(bytes);
    EXPECT_EQ(packet.kind, PacketKind::Ipv6);
    EXPECT_EQ(packet.l3_offset, 14);
    EXPECT_EQ(packet.l4_offset, 54);
    EXPECT_EQ(packet.payload_offset, 62);
    EXPECT_EQ(packet.ip_length, 55U);
    EXPECT_EQ(packet.protocol, 17);
    EXPECT_EQ(packet.ttl, 3);
    EXPECT_EQ(packet.tcp_flags, 0);
    EXPECT_TRUE(packet.has_ports());
    EXPECT_EQ(packet.source_port.host(), 5353);
    EXPECT_EQ(packet.destination_port.host(), 53);
    EXPECT_EQ(packet.source(bytes.data()), *IpAddress::parse(kClient6));
    EXPECT_EQ(packet.destination(bytes.data()), *IpAddress::parse(kVip6));
    EXPECT_EQ(packet.udp(bytes.data()).length.host(), 15);
}

TEST(Parse, FindsSctpPorts) {
    const ParsedPacket packet = accepted(v4().sctp(1001, 2905, 7).sctp_chunk(1, 16));
    EXPECT_TRUE(packet.has_ports());
    EXPECT_EQ(packet.protocol, 132);
    EXPECT_EQ(packet.source_port.host(), 1001);
    EXPECT_EQ(packet.destination_port.host(), 2905);
    EXPECT_EQ(packet.payload_offset, 46);
}

TEST(Parse, IgnoresEthernetPadding) {
    const Bytes bytes = v4().tcp(1, 2, "A").pad_to(60, 0xee);
    const ParsedPacket packet = accepted(bytes);
    EXPECT_EQ(packet.ip_length, 40U);
    EXPECT_EQ(packet.l4_length(), 20U);
}

TEST(Parse, WalksVlanTags) {
    const Bytes one = frame().eth().vlan(5, 3).ipv4(kClient4, kVip4).udp(1, 2);
    EXPECT_EQ(accepted(one).vlan_count, 1);
    EXPECT_EQ(accepted(one).vlan_control[0].host(), 0x6005);
    EXPECT_EQ(accepted(one).l3_offset, 18);
    EXPECT_EQ(accepted(one).destination_port.host(), 2);

    const Bytes priority = frame().eth().vlan(0, 7).ipv6(kClient6, kVip6).tcp(1, 2, "S");
    EXPECT_EQ(accepted(priority).vlan_count, 1);
    EXPECT_EQ(accepted(priority).vlan_control[0].host(), 0xe000);

    const Bytes two = frame().eth().service_vlan(100).vlan(5).ipv4(kClient4, kVip4).tcp(1, 2, "S");
    const ParsedPacket packet = accepted(two);
    EXPECT_EQ(packet.vlan_count, 2);
    EXPECT_EQ(packet.vlan_control[0].host(), 100);
    EXPECT_EQ(packet.vlan_control[1].host(), 5);
    EXPECT_EQ(packet.l3_offset, 22);
    EXPECT_EQ(packet.tcp_flags, kTcpSyn);
}

TEST(Parse, KnowsArp) {
    const Bytes bytes = frame().eth().vlan(9).arp_request("02:00:00:00:00:01", kClient4, kVip4);
    const ParsedPacket packet = accepted(bytes);
    EXPECT_EQ(packet.kind, PacketKind::Arp);
    EXPECT_EQ(packet.l3_offset, 18);
    EXPECT_FALSE(packet.has_ports());
}

TEST(Parse, KeepsIpv4Options) {
    const Bytes bytes = v4().ip_options({148, 4, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0}).udp(1, 2);
    const ParsedPacket packet = accepted(bytes);
    EXPECT_TRUE(packet.has_options());
    EXPECT_EQ(packet.l4_offset, 14 + 20 + 12);
    EXPECT_EQ(packet.destination_port.host(), 2);
}

TEST(Parse, StopsAtTheEndOfOptions) {
    EXPECT_TRUE(accepted(v4().ip_options({1, 0, 131, 99}).udp(1, 2)).has_options());
}

TEST(Parse, FindsNoPortsInOtherProtocols) {
    for (const unsigned protocol : {2U, 4U, 41U, 47U, 50U, 51U, 58U, 112U}) {
        const Bytes bytes = v4().protocol(static_cast<std::uint8_t>(protocol)).payload(40);
        const ParsedPacket packet = accepted(bytes);
        EXPECT_EQ(packet.protocol, protocol);
        EXPECT_FALSE(packet.has_ports()) << protocol;
        EXPECT_FALSE(packet.is_icmp_error()) << protocol;
        EXPECT_EQ(packet.payload_offset, 34);
    }
    EXPECT_FALSE(accepted(v6().protocol(59).payload(4)).has_ports());
    EXPECT_FALSE(accepted(v6().protocol(1).payload(8)).is_icmp_error());
}

TEST(Parse, KnowsIcmpErrorsFromOtherIcmp) {
    const Bytes offender = frame().eth().ipv4(kVip4, kClient4).udp(80, 1001).payload(20);
    EXPECT_TRUE(accepted(v4().icmp(3, 3).quote(offender, 28)).is_icmp_error());
    EXPECT_TRUE(accepted(v4().icmp(11).quote(offender)).is_icmp_error());
    EXPECT_EQ(accepted(v4().icmp(3, 3).quote(offender, 28)).payload_offset, 42);
    EXPECT_FALSE(accepted(v4().icmp(8).payload(56)).is_icmp_error());
    EXPECT_FALSE(accepted(v4().icmp(0).payload(56)).is_icmp_error());
    const Bytes offender6 = frame().eth().ipv6(kVip6, kClient6).udp(80, 1001).payload(20);
    EXPECT_TRUE(accepted(v6().icmpv6(2, 0, 1280).quote(offender6)).is_icmp_error());
    EXPECT_FALSE(accepted(v6().icmpv6(128).payload(56)).is_icmp_error());
    EXPECT_FALSE(accepted(v6().icmpv6(135).payload(16)).is_icmp_error());
}

// The checksum of an ICMP error covers the whole datagram; one part cannot tell.
TEST(Parse, DoesNotJudgeTheChecksumOfAFragmentedIcmpError) {
    const Bytes offender = frame().eth().ipv4(kVip4, kClient4).udp(80, 1001).payload(100);
    const auto parts = test::fragment_frame(v4().icmp(3, 3).quote(offender), 60, 7);
    EXPECT_TRUE(accepted(parts[0]).is_icmp_error());
    EXPECT_TRUE(accepted(parts[0]).is_fragment());
    EXPECT_FALSE(accepted(parts[1]).is_icmp_error());
}

TEST(Parse, LeavesWrongTransportChecksumsAlone) {
    accepted(v4().tcp(1, 2, "S").bad_checksum());
    accepted(v4().udp(1, 2).bad_checksum());
    accepted(v6().sctp(1, 2).bad_checksum());
    accepted(v4().icmp(8).bad_checksum());
    accepted(v4().udp(1, 2), RxChecksum::kL4Bad);
}

TEST(Parse, TrustsTheNicAboutTheIpv4Checksum) {
    const Bytes wrong = v4().bad_checksum().tcp(1, 2, "S");
    EXPECT_EQ(accepted(wrong, RxChecksum::kIpGood).ip_length, 40U);
    const Bytes tagged = frame().eth().vlan(1).ipv4(kClient4, kVip4).bad_checksum().udp(1, 2);
    EXPECT_EQ(accepted(tagged, RxChecksum::kIpGood).ip_length, 28U);
}

TEST(Parse, TakesFragmentsOfIpv4Apart) {
    const Bytes whole = v4().udp(1001, 53).payload(2000);
    const auto parts = test::fragment_frame(whole, 1500, 0x1234);
    ASSERT_EQ(parts.size(), 2U);
    const ParsedPacket first = accepted(parts[0]);
    EXPECT_TRUE(first.is_fragment());
    EXPECT_TRUE(first.more_fragments());
    EXPECT_FALSE(first.is_later_fragment());
    EXPECT_TRUE(first.has_ports());
    EXPECT_EQ(first.destination_port.host(), 53);
    EXPECT_EQ(first.fragment_id, 0x1234U);
    const ParsedPacket later = accepted(parts[1]);
    EXPECT_TRUE(later.is_later_fragment());
    EXPECT_FALSE(later.more_fragments());
    EXPECT_FALSE(later.has_ports());
    EXPECT_EQ(later.destination_port.host(), 0);
    EXPECT_EQ(later.fragment_offset, 1480);
    EXPECT_EQ(later.fragment_id, 0x1234U);
    EXPECT_EQ(later.protocol, 17);
    EXPECT_EQ(later.payload_offset, 34);
}

TEST(Parse, TakesFragmentsOfIpv6Apart) {
    const auto parts =
        test::fragment_frame(v6().tcp(1001, 80, "A").payload(2000), 1280, 0x12345678);
    ASSERT_EQ(parts.size(), 2U);
    const ParsedPacket first = accepted(parts[0]);
    EXPECT_TRUE(first.is_fragment() && first.more_fragments() && first.has_options());
    EXPECT_EQ(first.fragment_id, 0x12345678U);
    EXPECT_EQ(first.l4_offset, 14 + 40 + 8);
    EXPECT_EQ(first.destination_port.host(), 80);
    const ParsedPacket later = accepted(parts[1]);
    EXPECT_TRUE(later.is_later_fragment());
    EXPECT_EQ(later.fragment_offset, 1232);
    EXPECT_EQ(later.fragment_id, 0x12345678U);
    EXPECT_EQ(later.l4_offset, 14 + 40 + 8);
    EXPECT_FALSE(later.has_ports());
}

// What lies behind the fragment header of a later fragment is no header, whatever its number.
TEST(Parse, StopsAtTheFragmentHeaderOfALaterFragment) {
    const ParsedPacket packet =
        accepted(v6().fragment(1232, false, 7).protocol(60).payload("no header at all"));
    EXPECT_TRUE(packet.is_later_fragment());
    EXPECT_EQ(packet.protocol, 60);
    EXPECT_EQ(packet.l4_offset, 14 + 40 + 8);
}

// RFC 6946.
TEST(Parse, TreatsAnAtomicFragmentAsAWholePacket) {
    const ParsedPacket packet = accepted(v6().fragment(0, false, 7).udp(1, 2));
    EXPECT_FALSE(packet.is_fragment());
    EXPECT_TRUE(packet.has_options());
    EXPECT_TRUE(packet.has_ports());
}

TEST(Parse, WalksIpv6ExtensionHeaders) {
    const Bytes bytes = v6().hop_by_hop()
                            .destination_options(16)
                            .routing(2, 0, 24)
                            .authentication(24)
                            .destination_options()
                            .tcp(1001, 80, "S");
    const ParsedPacket packet = accepted(bytes);
    EXPECT_TRUE(packet.has_options());
    EXPECT_EQ(packet.protocol, 6);
    EXPECT_EQ(packet.l4_offset, 14 + 40 + 8 + 16 + 24 + 24 + 8);
    EXPECT_EQ(packet.destination_port.host(), 80);
}

TEST(Parse, WalksAsFarAsItsLimitsSay) {
    auto eight = v6();
    for (unsigned i = 0; i < kMaxIpv6ExtensionHeaders; ++i) eight.destination_options(32);
    EXPECT_EQ(accepted(eight.udp(1, 2)).l4_offset, 14 + 40 + 256);
}

// DHCP and the queries of IGMP snooping switches (RFC 4541 section 2.1.1).
TEST(Parse, AcceptsTheUnspecifiedSourceOfHostsWithoutAddress) {
    EXPECT_EQ(accepted(frame().eth().ipv4("0.0.0.0", "255.255.255.255").udp(68, 67)).protocol, 17);
    EXPECT_EQ(accepted(frame().eth().ipv4("0.0.0.0", "224.0.0.1").protocol(2).payload(8)).protocol,
              2);
}

TEST(Parse, AcceptsTheUnspecifiedSourceOfDuplicateAddressDetection) {
    const Bytes bytes =
        frame().eth().ipv6("::", "ff02::1:ff00:10").ttl(255).icmpv6(135).payload(16);
    EXPECT_EQ(accepted(bytes).protocol, 58);
}

}  // namespace
}  // namespace pollux::net
