// SPDX-License-Identifier: Apache-2.0
#include "tests/support/frame_builder.h"

#include <gtest/gtest.h>

#include "tests/support/frame_text.h"

namespace pollux::test {
namespace {

Bytes hex(std::string_view digits) {
    Bytes bytes;
    std::string pair;
    for (const char digit : digits) {
        if (digit != ' ') pair += digit;
        if (pair.size() == 2) {
            bytes.push_back(static_cast<std::uint8_t>(std::stoul(pair, nullptr, 16)));
            pair.clear();
        }
    }
    return bytes;
}

// The expected bytes were recorded from scapy 2.5.0.
TEST(FrameBuilder, BuildsTcpOverIpv4) {
    EXPECT_TRUE(same_frame(
        frame().eth().ipv4("10.0.0.1", "10.1.0.10").tcp(1001, 80, "S").payload(5).bytes(),
        hex("02000000000202000000000108004500002d00014000400626bf0a0000010a01000a03e9005000000000"
            "000000005002ffff919500000001020304")));
}

TEST(FrameBuilder, BuildsUdpOverIpv6WithVlanTagAndExtensionHeader) {
    const Bytes built = frame()
                            .eth()
                            .vlan(7, 3)
                            .ipv6("2001:db8::1", "2001:db8::2")
                            .ttl(63)
                            .traffic_class(0xb8)
                            .flow_label(0x12345)
                            .hop_by_hop(8)
                            .udp(53, 5353)
                            .payload("hi");
    EXPECT_TRUE(same_frame(
        built,
        hex("0200000000020200000000018100600786dd6b8123450012003f20010db8000000000000000000000001"
            "20010db80000000000000000000000021100010400000000003514e9000a26de6869")));
}

TEST(FrameBuilder, BuildsIcmpErrorWithQuote) {
    const Bytes offender = frame()
                               .eth()
                               .ipv4("10.1.0.10", "10.0.0.1")
                               .id(9)
                               .may_fragment()
                               .udp(80, 1001)
                               .payload("abcdefgh");
    const Bytes built =
        frame().eth().ipv4("192.0.2.1", "10.1.0.10").icmp(3, 4, 1400).quote(offender, 28);
    EXPECT_TRUE(same_frame(
        built,
        hex("0200000000020200000000010800450000380001400040016eb8c00002010a01000a03049d4600000578"
            "4500002400090000401166b50a01000a0a000001005003e9001055f4")));
}

TEST(FrameBuilder, BuildsSctp) {
    const Bytes built =
        frame().eth().ipv4("10.0.0.1", "10.1.0.10").sctp(1001, 2905, 0x01020304).sctp_chunk(11);
    EXPECT_TRUE(same_frame(
        built,
        hex("020000000002020000000001080045000024000140004084264a0a0000010a01000a03e90b5901020304"
            "a0a9e8540b000004")));
}

TEST(FrameBuilder, BuildsGreTunnel) {
    const Bytes built =
        frame().eth().ipv4("192.0.2.1", "192.0.2.2").gre().ipv4("10.0.0.1", "10.1.0.10").udp(1, 2);
    EXPECT_TRUE(same_frame(
        built,
        hex("02000000000202000000000108004500003800014000402fb692c0000201c0000202800008008c240000"
            "4500001c00014000401126c50a0000010a01000a000100020008ebcf")));
}

TEST(FrameBuilder, BuildsArp) {
    const Bytes built = frame()
                            .eth(kClientMac, "ff:ff:ff:ff:ff:ff")
                            .arp_request(kClientMac, "10.0.0.1", "10.0.0.2");
    EXPECT_TRUE(same_frame(
        built, hex("ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a"
                   "000002")));
}

TEST(FrameBuilder, FragmentsIpv4) {
    const Bytes whole = frame().eth().ipv4("10.0.0.1", "10.1.0.10").udp(1, 2).payload(40);
    const auto parts = fragment_frame(whole, 44, 77);
    ASSERT_EQ(parts.size(), 2U);
    const Bytes first =
        hex("4500002c004d2000401146690a0000010a01000a0001000200306dee0001020304050607"
            "08090a0b0c0d0e0f");
    const Bytes second =
        hex("4500002c004d0003401166660a0000010a01000a101112131415161718191a1b1c1d1e"
            "1f2021222324252627");
    EXPECT_TRUE(same_frame(std::span(parts[0]).subspan(14), first));
    EXPECT_TRUE(same_frame(std::span(parts[1]).subspan(14), second));
}

TEST(FrameBuilder, FragmentsIpv6) {
    const Bytes whole = frame().eth().ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).payload(40);
    const auto parts = fragment_frame(whole, 80, 77);
    ASSERT_EQ(parts.size(), 2U);
    const Bytes first =
        hex("6000000000282c4020010db800000000000000000000000120010db8000000000000000000000002110000"
            "010000004d0001000200302685000102030405060708090a0b0c0d0e0f1011121314151617");
    const Bytes second =
        hex("6000000000182c4020010db800000000000000000000000120010db8000000000000000000000002110000"
            "200000004d18191a1b1c1d1e1f2021222324252627");
    EXPECT_TRUE(same_frame(std::span(parts[0]).subspan(14), first));
    EXPECT_TRUE(same_frame(std::span(parts[1]).subspan(14), second));
}

TEST(FrameBuilder, LiesWithRightChecksums) {
    const Bytes honest = frame().eth().ipv4("10.0.0.1", "10.1.0.10").udp(1, 2);
    const Bytes lying = frame().eth().ipv4("10.0.0.1", "10.1.0.10").set16(2, 9999).udp(1, 2);
    EXPECT_EQ(lying[16] * 256 + lying[17], 9999);
    EXPECT_NE(lying[24], honest[24]);
    EXPECT_NE(describe(lying).find("length 9999 protocol 17 checksum 0xffd1 ok"), std::string::npos)
        << describe(lying);
}

TEST(FrameText, DecodesEveryLayerAndJudgesChecksums) {
    const Bytes bad =
        frame().eth().ipv4("10.0.0.1", "10.1.0.10").tcp(1001, 80, "SA").bad_checksum().pad_to(64);
    const std::string text = describe(bad);
    EXPECT_NE(text.find("10.0.0.1 > 10.1.0.10 ttl 64"), std::string::npos) << text;
    EXPECT_NE(text.find("1001 > 80 [SA]"), std::string::npos) << text;
    EXPECT_NE(text.find("WRONG"), std::string::npos) << text;
    EXPECT_NE(text.find("padding    10 bytes"), std::string::npos) << text;
}

TEST(FrameText, NamesTheDifferingBytes) {
    const Bytes expected = frame().eth().ipv4("10.0.0.1", "10.1.0.10").tcp(1, 80, "S");
    Bytes actual = expected;
    actual[22] = 63;
    actual.push_back(0);
    const auto result = same_frame(actual, expected);
    EXPECT_FALSE(result);
    EXPECT_NE(std::string(result.message()).find("byte 22 (ipv4+8): 3f, expected 40"),
              std::string::npos)
        << result.message();
    EXPECT_NE(std::string(result.message()).find("length 55, expected 54"), std::string::npos);
}

TEST(FrameText, DescribesAnyTruncation) {
    const Bytes offender = frame().eth().ipv6("2001:db8::1", "2001:db8::2").tcp(1, 2, "R");
    const Bytes whole = frame()
                            .eth()
                            .vlan(5)
                            .ipv6("2001:db8::2", "2001:db8::1")
                            .hop_by_hop()
                            .icmpv6(1)
                            .quote(offender);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(describe(cut).empty());
    }
}

}  // namespace
}  // namespace pollux::test
