// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/ip_address.h"

#include <gtest/gtest.h>

namespace pollux::net {
namespace {

IpAddress address(const char* text) {
    const auto result = IpAddress::parse(text);
    EXPECT_TRUE(result.has_value()) << text;
    return result.value_or(IpAddress{});
}

IpPrefix prefix(const char* text) {
    const auto result = IpPrefix::parse(text);
    EXPECT_TRUE(result.has_value()) << text;
    return result.value_or(IpPrefix{});
}

TEST(IpAddress, ParsesDottedQuad) {
    const IpAddress parsed = address("192.0.2.33");
    EXPECT_TRUE(parsed.is_v4());
    EXPECT_FALSE(parsed.is_v6());
    EXPECT_EQ(parsed.v4().host(), 0xc0000221U);
    EXPECT_EQ(parsed, IpAddress::from_v4(Ipv4Address::from_host(0xc0000221U)));
}

TEST(IpAddress, KeepsTheBytesBehindAnIpv4AddressZero) {
    const IpAddress parsed = address("255.255.255.255");
    for (unsigned i = 4; i < parsed.bytes.size(); ++i) EXPECT_EQ(parsed.bytes[i], 0) << i;
}

TEST(IpAddress, ParsesIpv6) {
    const IpAddress parsed = address("2001:db8::ff00:42:8329");
    EXPECT_TRUE(parsed.is_v6());
    EXPECT_EQ(parsed.bytes, (std::array<std::uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0,
                                                          0xff, 0x00, 0x00, 0x42, 0x83, 0x29}));
    EXPECT_EQ(parsed, IpAddress::from_v6(parsed.v6()));
}

TEST(IpAddress, RefusesEverythingElse) {
    using namespace std::string_view_literals;
    for (const std::string_view text :
         {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "1.2.3.256"sv, "01.2.3.4"sv, "1.2.3.4 "sv, " 1.2.3.4"sv,
          "1.2.3.4:80"sv, "1.2.3.4/8"sv, "fe80::1%eth0"sv, "[::1]"sv, ":::"sv, "1::2::3"sv,
          "12345::"sv, "::g"sv, "1.2.3.4\0"sv, "localhost"sv,
          "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
        EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
    }
}

// The examples of RFC 5952 section 4.
TEST(IpAddress, PrintsIpv6AsRfc5952Says) {
    EXPECT_EQ(address("2001:0db8::0001").to_string(), "2001:db8::1");
    EXPECT_EQ(address("2001:db8:0:0:0:0:2:1").to_string(), "2001:db8::2:1");
    EXPECT_EQ(address("2001:db8:0:1:1:1:1:1").to_string(), "2001:db8:0:1:1:1:1:1");
    EXPECT_EQ(address("2001:0:0:1:0:0:0:1").to_string(), "2001:0:0:1::1");
    EXPECT_EQ(address("2001:db8:0:0:1:0:0:1").to_string(), "2001:db8::1:0:0:1");
    EXPECT_EQ(address("2001:DB8::ABCD").to_string(), "2001:db8::abcd");
    EXPECT_EQ(address("::ffff:192.0.2.1").to_string(), "::ffff:192.0.2.1");
    EXPECT_EQ(address("::").to_string(), "::");
    EXPECT_EQ(address("10.0.0.1").to_string(), "10.0.0.1");
    EXPECT_EQ(IpAddress{}.to_string(), "");
}

TEST(IpAddress, OrdersIpv4InNetworkByteOrder) {
    EXPECT_LT(address("10.0.0.2"), address("10.0.1.1"));
    EXPECT_LT(address("10.0.0.2").v4(), address("10.0.1.1").v4());
    EXPECT_LT(address("9.255.255.255").v4(), address("10.0.0.0").v4());
    EXPECT_LT(address("fe80::1"), address("fe80::2"));
}

TEST(IpAddress, EqualityLooksAtTheFamilyToo) {
    EXPECT_NE(address("0.0.0.0"), address("::"));
    EXPECT_NE(address("1.2.3.4"), address("102:304::"));
    EXPECT_EQ(address("1.2.3.4"), address("1.2.3.4"));
    EXPECT_NE(address("2001:db8::1"), address("2001:db8:0:0:1::1"));
}

TEST(IpAddress, KnowsTheSpecialRanges) {
    struct Case {
        const char* text;
        bool multicast, loopback, link_local, unspecified;
    };
    for (const Case& c :
         {Case{"223.255.255.255", false, false, false, false},
          Case{"224.0.0.18", true, false, false, false},
          Case{"239.255.255.255", true, false, false, false},
          Case{"240.0.0.0", false, false, false, false},
          Case{"127.0.0.1", false, true, false, false},
          Case{"127.255.0.9", false, true, false, false},
          Case{"128.0.0.1", false, false, false, false},
          Case{"169.254.7.7", false, false, true, false},
          Case{"169.253.7.7", false, false, false, false},
          Case{"0.0.0.0", false, false, false, true}, Case{"ff02::12", true, false, false, false},
          Case{"fe80::1", false, false, true, false}, Case{"febf::1", false, false, true, false},
          Case{"fec0::1", false, false, false, false}, Case{"::1", false, true, false, false},
          Case{"::2", false, false, false, false}, Case{"::", false, false, false, true}}) {
        EXPECT_EQ(address(c.text).is_multicast(), c.multicast) << c.text;
        EXPECT_EQ(address(c.text).is_loopback(), c.loopback) << c.text;
        EXPECT_EQ(address(c.text).is_link_local(), c.link_local) << c.text;
        EXPECT_EQ(address(c.text).is_unspecified(), c.unspecified) << c.text;
    }
}

TEST(IpPrefix, ParsesWithAndWithoutLength) {
    EXPECT_EQ(prefix("10.0.0.5/24"), (IpPrefix{address("10.0.0.5"), 24}));
    EXPECT_EQ(prefix("10.0.0.5"), (IpPrefix{address("10.0.0.5"), 32}));
    EXPECT_EQ(prefix("2001:db8::/0"), (IpPrefix{address("2001:db8::"), 0}));
    EXPECT_EQ(prefix("2001:db8::1"), (IpPrefix{address("2001:db8::1"), 128}));
}

TEST(IpPrefix, RefusesEverythingElse) {
    for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/ 8",
                             "10.0.0.0/8x", "10.0.0.0/256", "/8", "10.0.0.0/8/8", ""}) {
        EXPECT_EQ(IpPrefix::parse(text), std::nullopt) << text;
    }
}

TEST(IpPrefix, ContainsLooksAtExactlyItsBits) {
    EXPECT_TRUE(prefix("10.1.2.0/23").contains(address("10.1.3.255")));
    EXPECT_FALSE(prefix("10.1.2.0/23").contains(address("10.1.4.0")));
    EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("203.0.113.9")));
    EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
    EXPECT_TRUE(prefix("10.0.0.5/32").contains(address("10.0.0.5")));
    EXPECT_FALSE(prefix("10.0.0.5/32").contains(address("10.0.0.4")));
    EXPECT_TRUE(prefix("2001:db8::/33").contains(address("2001:db8:7fff::")));
    EXPECT_FALSE(prefix("2001:db8::/33").contains(address("2001:db8:8000::")));
    EXPECT_FALSE(IpPrefix{}.contains(IpAddress{}));
}

TEST(IpPrefix, NetworkClearsTheHostBits) {
    EXPECT_EQ(prefix("10.1.3.77/23").network().to_string(), "10.1.2.0/23");
    EXPECT_EQ(prefix("10.1.3.77").network().to_string(), "10.1.3.77/32");
    EXPECT_EQ(prefix("2001:db8:ffff::1/33").network().to_string(), "2001:db8:8000::/33");
    EXPECT_EQ(prefix("2001:db8::1/0").network().to_string(), "::/0");
    EXPECT_EQ(IpPrefix{}.to_string(), "");
}

}  // namespace
}  // namespace pollux::net
