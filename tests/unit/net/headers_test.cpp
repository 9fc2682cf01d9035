// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/net/arp.h"
#include "dataplane/net/crc32c.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/sctp.h"
#include "dataplane/net/tcp.h"
#include "dataplane/net/udp.h"

namespace pollux::net {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kSeed = 3309;

TEST(HeaderAt, GivesAViewOnlyWhereTheWholeHeaderFits) {
    Bytes bytes(20);
    EXPECT_EQ(header_at<UdpHeader>(std::span(bytes), 12),
              reinterpret_cast<UdpHeader*>(bytes.data() + 12));
    EXPECT_EQ(header_at<UdpHeader>(std::span(bytes), 13), nullptr);
    EXPECT_EQ(header_at<UdpHeader>(std::span(bytes), 21), nullptr);
    EXPECT_EQ(header_at<UdpHeader>(std::span(bytes), SIZE_MAX), nullptr);
    EXPECT_EQ(header_at<UdpHeader>(std::span<const std::uint8_t>{}, 0), nullptr);
}

TEST(VlanTag, SplitsTheControlField) {
    const VlanTag tag{Be16::from_host(0xb123), kEtherTypeIpv4};  // priority 5, DEI, VLAN 0x123
    EXPECT_EQ(tag.vlan_id(), 0x123);
    EXPECT_EQ(tag.priority(), 5);
    EXPECT_TRUE(is_vlan_ether_type(Be16::from_host(0x8100)));
    EXPECT_TRUE(is_vlan_ether_type(Be16::from_host(0x88a8)));
    EXPECT_FALSE(is_vlan_ether_type(Be16::from_host(0x0800)));
}

// RFC 9568 section 7.2 names the groups of VRRP, 224.0.0.18 and ff02::12.
TEST(Ethernet, MapsGroupsToMacAddresses) {
    EXPECT_EQ(multicast_mac(IpAddress::parse("224.0.0.18")->v4()).to_string(), "01:00:5e:00:00:12");
    EXPECT_EQ(multicast_mac(IpAddress::parse("239.255.1.2")->v4()).to_string(),
              "01:00:5e:7f:01:02");
    EXPECT_EQ(multicast_mac(IpAddress::parse("ff02::12")->v6()).to_string(), "33:33:00:00:00:12");
}

TEST(Ipv4Header, SplitsItsPackedFields) {
    Ipv4Header header{};
    header.version_ihl = 0x4f;
    EXPECT_EQ(header.version(), 4U);
    EXPECT_EQ(header.header_length(), 60U);

    struct Case {
        std::uint16_t field;
        bool dont_fragment, more, fragment;
        std::uint16_t offset;
    };
    for (const Case& c :
         {Case{0x0000, false, false, false, 0}, Case{0x4000, true, false, false, 0},
          Case{0x2000, false, true, true, 0}, Case{0x00b9, false, false, true, 1480},
          Case{0x20b9, false, true, true, 1480}, Case{0x1fff, false, false, true, 65528},
          Case{0x8000, false, false, false, 0}}) {
        header.flags_and_offset = Be16::from_host(c.field);
        EXPECT_EQ(header.dont_fragment(), c.dont_fragment) << c.field;
        EXPECT_EQ(header.more_fragments(), c.more) << c.field;
        EXPECT_EQ(header.is_fragment(), c.fragment) << c.field;
        EXPECT_EQ(header.fragment_offset(), c.offset) << c.field;
    }
}

TEST(Ipv6Header, SplitsAndSetsItsFirstWord) {
    Ipv6Header header{};
    header.version_class_flow = Be32::from_host(0x6ab12345);
    EXPECT_EQ(header.version(), 6U);
    EXPECT_EQ(header.traffic_class(), 0xab);
    EXPECT_EQ(header.flow_label(), 0x12345U);
    header.set_class_and_flow(0xcd, 0xfff54321);
    EXPECT_EQ(header.version_class_flow.host(), 0x6cd54321U);
}

TEST(Ipv6, KnowsExtensionLengthsAndFragments) {
    const Ipv6ExtensionHeader extension{6, 3, 0, 0, {}};
    EXPECT_EQ(extension.length(), 32U);
    EXPECT_EQ(extension.ah_length(), 20U);
    const Ipv6FragmentHeader fragment{6, 0, Be16::from_host(0x05a9), Be32::from_host(7)};
    EXPECT_EQ(fragment.fragment_offset(), 0x05a8);
    EXPECT_TRUE(fragment.more_fragments());
}

// RFC 4291 section 2.7.1 has this example.
TEST(Ipv6, DerivesTheSolicitedNodeAddress) {
    const auto address = IpAddress::parse("4037::01:800:200e:8c6c")->v6();
    EXPECT_EQ(IpAddress::from_v6(solicited_node_address(address)).to_string(), "ff02::1:ff0e:8c6c");
}

TEST(Ipv6, KnowsMappedAddresses) {
    EXPECT_TRUE(is_v4_mapped(IpAddress::parse("::ffff:10.0.0.1")->v6()));
    EXPECT_FALSE(is_v4_mapped(IpAddress::parse("::fffe:10.0.0.1")->v6()));
    EXPECT_FALSE(is_v4_mapped(IpAddress::parse("1::ffff:10.0.0.1")->v6()));
    EXPECT_FALSE(is_v4_mapped(IpAddress::parse("::1")->v6()));
}

TEST(TcpHeader, CountsItsLengthInWords) {
    TcpHeader header{};
    header.data_offset = 0x8f;
    EXPECT_EQ(header.header_length(), 32U);
}

TEST(Icmp, KnowsWhichTypesQuoteAPacket) {
    for (unsigned type = 0; type < 256; ++type) {
        const bool quotes = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        EXPECT_EQ(is_icmp_error(static_cast<std::uint8_t>(type)), quotes) << type;
        EXPECT_EQ(is_icmpv6_error(static_cast<std::uint8_t>(type)), type <= 127) << type;
        EXPECT_EQ(is_neighbor_discovery(static_cast<std::uint8_t>(type)),
                  type >= 133 && type <= 137)
            << type;
    }
}

TEST(ArpPacket, KnowsItsKind) {
    ArpPacket packet{Be16::from_host(1), Be16::from_host(0x800), 6, 4, kArpRequest, {}, {}, {}, {}};
    EXPECT_TRUE(packet.is_ipv4_over_ethernet());
    EXPECT_TRUE(packet.is_announcement());
    packet.sender_address = Ipv4Address::from_host(1);
    EXPECT_FALSE(packet.is_announcement());
    packet.hardware_length = 8;
    EXPECT_FALSE(packet.is_ipv4_over_ethernet());
}

// Bit by bit, straight from the polynomial.
std::uint32_t slow_crc32c(const Bytes& bytes) {
    std::uint32_t reg = 0xffffffffU;
    for (const std::uint8_t byte : bytes) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            const bool feedback = ((reg ^ (byte >> bit)) & 1U) != 0;
            reg >>= 1U;
            if (feedback) reg ^= 0x82f63b78U;
        }
    }
    return ~reg;
}

// The check value of CRC-32C, and the examples of RFC 3720 appendix B.4 (iSCSI uses the same CRC).
TEST(Crc32c, GivesThePublishedValues) {
    constexpr std::string_view kDigits = "123456789";
    EXPECT_EQ(crc32c(Bytes(kDigits.begin(), kDigits.end())), 0xe3069283U);
    EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8a9136aaU);
    EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43U);
    Bytes ascending(32);
    for (std::uint8_t i = 0; i < 32; ++i) ascending[i] = i;
    EXPECT_EQ(crc32c(ascending), 0x46dd794eU);
}

TEST(Crc32c, ByTableAndByCpuEqualTheBitwiseModel) {
    std::mt19937_64 random(kSeed);
    for (std::size_t size = 0; size < 300; ++size) {
        Bytes bytes(size);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        const std::uint32_t expected = slow_crc32c(bytes);
        ASSERT_EQ(~crc32c_advance_by_table(0xffffffffU, bytes), expected) << size;
        ASSERT_EQ(~crc32c_advance_by_cpu(0xffffffffU, bytes), expected) << size;
        const std::size_t cut = size == 0 ? 0 : random() % size;
        Crc32c pieces;
        pieces.add(std::span(bytes).first(cut));
        pieces.add(std::span(bytes).subspan(cut));
        ASSERT_EQ(pieces.finish(), expected) << size << " cut at " << cut << " seed " << kSeed;
    }
}

TEST(Sctp, ChecksumIgnoresItsOwnFieldAndGoesOutLowestByteFirst) {
    Bytes packet{0x13, 0x88, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, 0x0b, 0, 0, 4};
    const std::uint32_t crc = slow_crc32c(packet);
    packet[8] = packet[9] = packet[10] = packet[11] = 0xee;
    const Be32 checksum = sctp_checksum(packet);
    EXPECT_EQ(checksum.host(), __builtin_bswap32(crc));
}

}  // namespace
}  // namespace pollux::net
