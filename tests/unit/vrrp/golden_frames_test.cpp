// SPDX-License-Identifier: Apache-2.0

// Frames recorded from keepalived 2.2.7 (Debian 12) on a bridge: 10.0.0.5 02:00:00:00:00:01, VIP
// 10.0.0.3, VRID 51, priority 100, interval 1 s. Ours must be the same, byte for byte.

#include <gtest/gtest.h>

#include "dataplane/net/neighbor_frames.h"
#include "tests/support/vrrp_builders.h"

namespace pollux::vrrp::test {
namespace {

constexpr std::string_view kMulticastV4 = "01005e000012 020000000001 0800 ";
// TOS C0, no DF, TTL FF, protocol 112; identification 1; then checksum and addresses.
constexpr std::string_view kV2Ip = "45c0002800010000ff70d08d 0a000005 e0000012 ";

struct GoldenV4 {
    const char* name;
    std::uint8_t version;
    const char* password;  // nullptr: no authentication
    std::uint8_t priority;
    Duration interval;
    std::vector<const char*> addresses;
    const char* vrrp;  // the message in hexadecimal
};

void PrintTo(const GoldenV4& golden, std::ostream* out) {
    *out << golden.name;
}

class GoldenMessage : public testing::TestWithParam<GoldenV4> {};

std::array<std::uint8_t, kAuthDataLength> password(std::string_view text) {
    std::array<std::uint8_t, kAuthDataLength> data{};
    std::ranges::copy(text, data.begin());
    return data;
}

std::vector<std::uint8_t> write(const AdvertMessage& message, const AdvertEnvelope& envelope) {
    std::vector<std::uint8_t> frame(advert_frame_length(message));
    EXPECT_EQ(write_advert_frame(message, envelope, frame), frame.size());
    return frame;
}

AdvertEnvelope multicast_v4() {
    AdvertEnvelope envelope;
    envelope.source_mac = kOurMac;
    envelope.destination_mac = group_mac(net::IpAddress::from_v4(kGroupV4));
    envelope.source = kOurAddress;
    envelope.destination = net::IpAddress::from_v4(kGroupV4);
    envelope.identification = 1;
    return envelope;
}

TEST_P(GoldenMessage, IsWrittenAsKeepalivedWritesIt) {
    const GoldenV4& golden = GetParam();
    std::vector<net::IpAddress> addresses;
    for (const char* text : golden.addresses) addresses.push_back(ip(text));
    AdvertMessage message;
    message.version = golden.version;
    message.virtual_router_id = 51;
    message.priority = golden.priority;
    message.interval = golden.interval;
    message.addresses = addresses;
    if (golden.password != nullptr) {
        message.auth_type = kAuthPass;
        message.auth_data = password(golden.password);
    }
    const auto frame = write(message, multicast_v4());
    EXPECT_EQ(std::vector(frame.begin() + 34, frame.end()), hex(golden.vrrp));
}

INSTANTIATE_TEST_SUITE_P(
    Keepalived, GoldenMessage,
    testing::Values(
        GoldenV4{"v2 PASS",
                 2,
                 "1111",
                 100,
                 1s,
                 {"10.0.0.3"},
                 "2133 6401 0101 0d65 0a00 0003 3131 3131 0000 0000"},
        GoldenV4{"v2 PASS priority 0",
                 2,
                 "1111",
                 0,
                 1s,
                 {"10.0.0.3"},
                 "2133 0001 0101 7165 0a00 0003 3131 3131 0000 0000"},
        GoldenV4{"v2",
                 2,
                 nullptr,
                 100,
                 1s,
                 {"10.0.0.3"},
                 "2133 6401 0001 70c7 0a00 0003 0000 0000 0000 0000"},
        GoldenV4{"v2 priority 0",
                 2,
                 nullptr,
                 0,
                 1s,
                 {"10.0.0.3"},
                 "2133 0001 0001 d4c7 0a00 0003 0000 0000 0000 0000"},
        GoldenV4{"v2 owner",
                 2,
                 nullptr,
                 255,
                 1s,
                 {"10.0.0.3"},
                 "2133 ff01 0001 d5c6 0a00 0003 0000 0000 0000 0000"},
        GoldenV4{"v2 three addresses",
                 2,
                 nullptr,
                 100,
                 1s,
                 {"10.0.0.3", "10.0.0.30", "10.0.0.31"},
                 "2133 6403 0001 5c88 0a00 0003 0a00 001e 0a00 001f 0000 0000 0000 0000"},
        GoldenV4{"v3 1 s", 3, nullptr, 100, 1s, {"10.0.0.3"}, "3133 6401 0064 75d0 0a00 0003"},
        GoldenV4{"v3 0.1 s", 3, nullptr, 100, 100ms, {"10.0.0.3"}, "3133 6401 000a 762a 0a00 0003"},
        GoldenV4{
            "v3 priority 0", 3, nullptr, 0, 1s, {"10.0.0.3"}, "3133 0001 0064 d9d0 0a00 0003"}));

TEST(GoldenFrame, Version2WithPassword) {
    Node node([] {
        InstanceConfig config = config_v2();
        config.auth_type = kAuthPass;
        config.auth_data = password("1111");
        return config;
    }());
    const auto frame = write(node.instance.message(100), multicast_v4());
    EXPECT_EQ(frame, hex(std::string(kMulticastV4) + std::string(kV2Ip) +
                         "2133 6401 0101 0d65 0a00 0003 3131 3131 0000 0000"));
}

TEST(GoldenFrame, VirtualMacIsTheSource) {
    AdvertEnvelope envelope = multicast_v4();
    envelope.source_mac = virtual_mac(net::Family::V4, 51);
    const Node node(config_v2());
    const auto frame = write(node.instance.message(100), envelope);
    EXPECT_EQ(std::vector(frame.begin(), frame.begin() + 14),
              hex("01005e000012 00005e000133 0800"));
}

TEST(GoldenFrame, UnicastDiffersInTheDestinationAndInTheVersion3Checksum) {
    AdvertEnvelope envelope = multicast_v4();
    envelope.destination = ip("10.0.0.7");
    envelope.destination_mac = {{2, 0, 0, 0, 0, 3}};
    const Node v2([] {
        InstanceConfig config = config_v2();
        config.auth_type = kAuthPass;
        config.auth_data = password("1111");
        return config;
    }());
    const auto frame2 = write(v2.instance.message(100), envelope);
    EXPECT_EQ(std::vector(frame2.begin(), frame2.begin() + 6), hex("020000000003"));
    EXPECT_EQ(std::vector(frame2.begin() + 30, frame2.end()),
              hex("0a000007 2133 6401 0101 0d65 0a00 0003 3131 3131 0000 0000"));
    const Node v3(config_v3());
    const auto frame3 = write(v3.instance.message(100), envelope);
    EXPECT_EQ(std::vector(frame3.begin() + 34, frame3.end()), hex("3133 6401 0064 4bdc 0a00 0003"));
}

TEST(GoldenFrame, Rfc9568ChecksumCoversTheMessageOnly) {
    InstanceConfig config = config_v3();
    config.checksum = ChecksumPolicy::MessageOnly;
    const Node one_second(config);
    auto frame = write(one_second.instance.message(100), multicast_v4());
    EXPECT_EQ(std::vector(frame.begin() + 34, frame.end()), hex("3133 6401 0064 6064 0a00 0003"));
    config.advert_interval = 100ms;
    const Node fast(config);
    frame = write(fast.instance.message(100), multicast_v4());
    EXPECT_EQ(std::vector(frame.begin() + 34, frame.end()), hex("3133 6401 000a 60be 0a00 0003"));
}

TEST(GoldenFrame, Version3OverIpv6) {
    InstanceConfig config = config_v6();
    config.addresses = {ip("fd00::3")};
    const Node node(config);
    AdvertEnvelope envelope;
    envelope.source_mac = kOurMac;
    envelope.destination_mac = group_mac(config.group);
    envelope.source = ip("fe80::ff:fe00:1");
    envelope.destination = config.group;
    envelope.flow_label = 0x15b9d;
    EXPECT_EQ(write(node.instance.message(100), envelope),
              hex("333300000012 020000000001 86dd 6c015b9d 0018 70ff"
                  "fe80000000000000 000000fffe000001 ff02000000000000 0000000000000012"
                  "3133 6401 0064 7044 fd000000000000000000000000000003"));
}

TEST(GoldenFrame, Version3OverIpv6WithTwoAddresses) {
    const Node node(config_v6());
    AdvertEnvelope envelope;
    envelope.source_mac = virtual_mac(net::Family::V6, 51);
    envelope.destination_mac = group_mac(node.instance.config().group);
    envelope.source = ip("fe80::ff:fe00:1");
    envelope.destination = node.instance.config().group;
    const auto frame = write(node.instance.message(100), envelope);
    EXPECT_EQ(std::vector(frame.begin(), frame.begin() + 14),
              hex("333300000012 00005e000233 86dd"));
    EXPECT_EQ(std::vector(frame.begin() + 54, frame.begin() + 62), hex("3133 6402 0064 71af"));
}

std::vector<std::uint8_t> announcement(std::string_view address, bool router) {
    const auto frame = net::build_neighbor_announcement({ip(address), kOurMac}, router);
    return {frame.span().begin(), frame.span().end()};
}

TEST(GoldenFrame, GratuitousArp) {
    EXPECT_EQ(announcement("10.0.0.3", true),
              hex("ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                  "020000000001 0a000003 ffffffffffff 0a000003"));
}

TEST(GoldenFrame, UnsolicitedNeighbourAdvertisement) {
    EXPECT_EQ(announcement("fd00::3", false),
              hex("333300000001 020000000001 86dd 60000000 0020 3aff"
                  "fd000000000000000000000000000003 ff020000000000000000000000000001"
                  "8800 5a97 20000000 fd000000000000000000000000000003 0201020000000001"));
}

// RFC 9568 section 6.4.2 with errata 7947 and 7949: R=1, S=0, O=1.
TEST(GoldenFrame, RouterFlagIsSetForARouter) {
    EXPECT_EQ(announcement("fd00::3", true)[58], 0xa0);
}

}  // namespace
}  // namespace pollux::vrrp::test
