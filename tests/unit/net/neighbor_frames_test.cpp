// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/neighbor_frames.h"

#include <memory>

#include <gtest/gtest.h>

#include "tests/support/frame_builder.h"
#include "tests/support/frame_text.h"

namespace pollux::net {
namespace {

using test::Bytes;
using test::frame;
using test::FrameBuilder;
using test::kClientMac;
using test::kOurMac;

constexpr const char* kBroadcast = "ff:ff:ff:ff:ff:ff";
constexpr const char* kClient4 = "10.0.0.1";
constexpr const char* kVip4 = "10.0.0.9";
constexpr const char* kClient6 = "fe80::1";
constexpr const char* kVip6 = "2001:db8::17:2a";

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}
MacAddress mac(const char* text) {
    return *MacAddress::parse(text);
}

Bytes address6(const char* text) {
    const IpAddress address = ip(text);
    return {address.bytes.begin(), address.bytes.end()};
}

Bytes link_option(std::uint8_t type, const char* text) {
    Bytes option{type, 1};
    const MacAddress address = mac(text);
    option.insert(option.end(), address.bytes.begin(), address.bytes.end());
    return option;
}

FrameBuilder solicitation(const char* source = kClient6) {
    auto builder = frame();
    builder.eth(kClientMac, "33:33:ff:17:00:2a")
        .ipv6(source, "ff02::1:ff17:2a")
        .ttl(255)
        .icmpv6(135)
        .raw(address6(kVip6));
    return builder;
}

FrameBuilder advertisement(const char* destination_mac, const char* destination,
                           std::uint32_t flags) {
    auto builder = frame();
    builder.eth(kOurMac, destination_mac)
        .ipv6(kVip6, destination)
        .ttl(255)
        .icmpv6(136, 0, flags)
        .raw(address6(kVip6))
        .raw(link_option(2, kOurMac));
    return builder;
}

TEST(NeighborQuestion, IsReadFromAnArpRequest) {
    const auto question = parse_neighbor_question(
        frame().eth(kClientMac, kBroadcast).arp_request(kClientMac, kClient4, kVip4).bytes());
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->target, ip(kVip4));
    EXPECT_EQ(question->asker, ip(kClient4));
    EXPECT_EQ(question->asker_mac, mac(kClientMac));
}

TEST(NeighborQuestion, IsReadFromASolicitation) {
    const auto question =
        parse_neighbor_question(solicitation().raw(link_option(1, "02:00:00:00:00:77")).bytes());
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->target, ip(kVip6));
    EXPECT_EQ(question->asker, ip(kClient6));
    EXPECT_EQ(question->asker_mac, mac("02:00:00:00:00:77"));
    const auto without_option = parse_neighbor_question(solicitation().bytes());
    ASSERT_TRUE(without_option.has_value());
    EXPECT_EQ(without_option->asker_mac, mac(kClientMac));
}

TEST(NeighborQuestion, OfADuplicateAddressProbeHasNoAsker) {
    const auto question = parse_neighbor_question(solicitation("::").bytes());
    ASSERT_TRUE(question.has_value());
    EXPECT_TRUE(question->asker.is_unspecified());
    // RFC 4861 section 7.1.1: then there must be no option.
    EXPECT_FALSE(
        parse_neighbor_question(solicitation("::").raw(link_option(1, kClientMac)).bytes()));
}

// RFC 4861 section 7.1.1, RFC 826.
TEST(NeighborQuestion, IsNotReadFromForgedOrOtherFrames) {
    for (const Bytes& bytes :
         {solicitation().ttl(254).bytes(), solicitation().bytes(),
          frame().eth().ipv6(kClient6, kVip6).ttl(255).icmpv6(135, 1).raw(address6(kVip6)).bytes(),
          frame()
              .eth()
              .ipv6(kClient6, kVip6)
              .ttl(255)
              .icmpv6(135)
              .bad_checksum()
              .raw(address6(kVip6))
              .bytes(),
          frame().eth().ipv6(kClient6, kVip6).ttl(255).icmpv6(135).raw(address6("ff02::1")).bytes(),
          frame().eth().ipv6(kClient6, kVip6).ttl(255).icmpv6(136).raw(address6(kVip6)).bytes(),
          frame().eth().ipv6(kClient6, kVip6).ttl(255).udp(135, 0).payload(20).bytes(),
          frame().eth().arp_reply(kClientMac, kClient4, kOurMac, kVip4).bytes(),
          frame().eth().arp_request(kClientMac, kVip4, kVip4).bytes(),
          frame().eth().arp_request(kClientMac, kClient4, kVip4).set16(0, 6).bytes(),
          frame().eth().ipv4(kClient4, kVip4).udp(1, 2).bytes()}) {
        const bool good = bytes == solicitation().bytes();
        EXPECT_EQ(parse_neighbor_question(bytes).has_value(), good) << test::describe(bytes);
    }
}

// RFC 4861 section 7.1.1: all options have a length greater than zero.
TEST(NeighborQuestion, WithMalformedOptionsIsNoQuestion) {
    EXPECT_FALSE(parse_neighbor_question(solicitation().raw({1, 0, 0, 0, 0, 0, 0, 0}).bytes()));
    EXPECT_FALSE(parse_neighbor_question(solicitation().raw({14, 2, 0, 0, 0, 0, 0, 0}).bytes()));
    EXPECT_FALSE(parse_neighbor_question(solicitation().raw({1}).bytes()));
    const auto question = parse_neighbor_question(solicitation()
                                                      .raw({14, 1, 0, 0, 0, 0, 0, 0})
                                                      .raw(link_option(1, "02:00:00:00:00:77"))
                                                      .bytes());
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->asker_mac, mac("02:00:00:00:00:77"));
}

TEST(NeighborClaim, IsReadFromArpAndAdvertisements) {
    const auto claimed = [](const Bytes& bytes) { return parse_neighbor_claim(bytes); };
    const auto arp = claimed(frame().eth().arp_reply(kClientMac, kClient4, kOurMac, kVip4));
    ASSERT_TRUE(arp.has_value());
    EXPECT_EQ(arp->address, ip(kClient4));
    EXPECT_EQ(arp->mac, mac(kClientMac));
    const auto nd = claimed(advertisement(kClientMac, kClient6, 0x20000000));
    ASSERT_TRUE(nd.has_value());
    EXPECT_EQ(nd->address, ip(kVip6));
    EXPECT_EQ(nd->mac, mac(kOurMac));
    EXPECT_FALSE(claimed(frame().eth().arp_request(kClientMac, "0.0.0.0", kVip4)));
    EXPECT_FALSE(claimed(advertisement(kClientMac, kClient6, 0).ttl(64)));
    EXPECT_FALSE(claimed(solicitation()));
}

TEST(NeighborFrames, AreReadWithinTheirBytesOnly) {
    for (const Bytes& whole : {frame().eth().arp_request(kClientMac, kClient4, kVip4).bytes(),
                               solicitation().raw(link_option(1, kClientMac)).bytes(),
                               advertisement(kClientMac, kClient6, 0).bytes()}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto block = std::make_unique<std::uint8_t[]>(size);
            std::copy_n(whole.begin(), size, block.get());
            EXPECT_FALSE(parse_neighbor_question({block.get(), size})) << size;
            EXPECT_FALSE(parse_neighbor_claim({block.get(), size})) << size;
        }
    }
}

TEST(NeighborAnswer, ToArpGoesToTheAsker) {
    const NeighborQuestion question{ip(kVip4), ip(kClient4), mac(kClientMac)};
    EXPECT_TRUE(test::same_frame(build_neighbor_answer(question, mac(kOurMac), true).span(),
                                 frame()
                                     .eth(kOurMac, kClientMac)
                                     .arp_reply(kOurMac, kVip4, kClientMac, kClient4)
                                     .pad_to(60)
                                     .bytes()));
}

TEST(NeighborAnswer, ToASolicitationIsSolicitedAndOverrides) {
    const NeighborQuestion question{ip(kVip6), ip(kClient6), mac(kClientMac)};
    EXPECT_TRUE(test::same_frame(build_neighbor_answer(question, mac(kOurMac), false).span(),
                                 advertisement(kClientMac, kClient6, 0x60000000).bytes()));
    EXPECT_TRUE(test::same_frame(build_neighbor_answer(question, mac(kOurMac), true).span(),
                                 advertisement(kClientMac, kClient6, 0xe0000000).bytes()));
}

TEST(NeighborAnswer, ToAProbeGoesToAllNodes) {
    const NeighborQuestion question{ip(kVip6), ip("::"), mac(kClientMac)};
    EXPECT_TRUE(
        test::same_frame(build_neighbor_answer(question, mac(kOurMac), false).span(),
                         advertisement("33:33:00:00:00:01", "ff02::1", 0x20000000).bytes()));
}

TEST(NeighborQuestion, IsBuiltForBothFamilies) {
    EXPECT_TRUE(
        test::same_frame(build_neighbor_question({ip(kVip4), ip(kClient4), mac(kClientMac)}).span(),
                         frame()
                             .eth(kClientMac, kBroadcast)
                             .arp_request(kClientMac, kClient4, kVip4)
                             .pad_to(60)
                             .bytes()));
    EXPECT_TRUE(
        test::same_frame(build_neighbor_question({ip(kVip6), ip(kClient6), mac(kClientMac)}).span(),
                         solicitation().raw(link_option(1, kClientMac)).bytes()));
    EXPECT_TRUE(
        test::same_frame(build_neighbor_question({ip(kVip6), ip("::"), mac(kClientMac)}).span(),
                         solicitation("::").bytes()));
}

TEST(NeighborAnnouncement, IsAGratuitousArpRequestOrAnUnsolicitedAdvertisement) {
    EXPECT_TRUE(
        test::same_frame(build_neighbor_announcement({ip(kVip4), mac(kOurMac)}, true).span(),
                         frame()
                             .eth(kOurMac, kBroadcast)
                             .arp_reply(kOurMac, kVip4, kBroadcast, kVip4)
                             .set16(6, 1)
                             .bytes()));
    EXPECT_TRUE(
        test::same_frame(build_neighbor_announcement({ip(kVip6), mac(kOurMac)}, false).span(),
                         advertisement("33:33:00:00:00:01", "ff02::1", 0x20000000).bytes()));
    EXPECT_TRUE(
        test::same_frame(build_neighbor_announcement({ip(kVip6), mac(kOurMac)}, true).span(),
                         advertisement("33:33:00:00:00:01", "ff02::1", 0xa0000000).bytes()));
}

}  // namespace
}  // namespace pollux::net
