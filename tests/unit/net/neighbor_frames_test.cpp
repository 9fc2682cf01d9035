// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/neighbor_frames.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace pollux::net {
namespace {

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

MacAddress mac(const char* text) {
    return *MacAddress::parse(text);
}

// 10.0.0.1 at 02:00:00:00:00:01 asks for 10.0.0.100, as tcpdump shows it.
const std::vector<std::uint8_t> kArpRequest = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0,  0, 1, 0x08, 0x06,  // Ethernet
    0,    1,    8,    0,    6,    4,    0,    1,                           // request
    0x02, 0,    0,    0,    0,    1,    10,   0, 0, 1,                     // sender
    0,    0,    0,    0,    0,    0,    10,   0, 0, 100};                  // target

// fe80::1 asks for 2001:db8::64 (hop limit 255); the checksum was computed by hand in Python.
const std::vector<std::uint8_t> kSolicitation = {
    0x33, 0x33, 0xff, 0,    0, 0x64, 0x02, 0, 0, 0, 0, 1, 0x86,
    0xdd,  // Ethernet
    0x60, 0,    0,    0,    0, 32,   58,
    255,  // IPv6
    0xfe, 0x80, 0,    0,    0, 0,    0,    0, 0, 0, 0, 0, 0,    0, 0,
    1,  // source
    0xff, 2,    0,    0,    0, 0,    0,    0, 0, 0, 0, 1, 0xff, 0, 0,
    0x64,  // destination
    135,  0,    0x4a, 0x9b, 0, 0,    0,
    0,  // solicitation
    0x20, 0x01, 0x0d, 0xb8, 0, 0,    0,    0, 0, 0, 0, 0, 0,    0, 0,
    0x64,                                       // target
    1,    1,    0x02, 0,    0, 0,    0,    1};  // source link layer

TEST(NeighborQuestion, ArpRequestAsksForItsTarget) {
    const auto question = parse_neighbor_question(kArpRequest);
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->target, ip("10.0.0.100"));
    EXPECT_EQ(question->asker, ip("10.0.0.1"));
    EXPECT_EQ(question->asker_mac, mac("02:00:00:00:00:01"));
}

TEST(NeighborQuestion, SolicitationAsksForItsTarget) {
    const auto question = parse_neighbor_question(kSolicitation);
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->target, ip("2001:db8::64"));
    EXPECT_EQ(question->asker, ip("fe80::1"));
    EXPECT_EQ(question->asker_mac, mac("02:00:00:00:00:01"));
}

TEST(NeighborQuestion, ForgedSolicitationsAreIgnored) {
    struct Case {
        const char* name;
        std::size_t at;
        std::uint8_t value;
    };
    const Case cases[] = {
        {"hop limit 254: from another link", 21, 254},
        {"code", 55, 1},
        {"checksum", 57, 0x99},
        {"advertisement", 54, 136},
        {"payload beyond the frame", 19, 64},
        {"IPv4 in disguise", 14, 0x40},
    };
    for (const Case& test : cases) {
        auto frame = kSolicitation;
        frame.at(test.at) = test.value;
        EXPECT_FALSE(parse_neighbor_question(frame).has_value()) << test.name;
    }
}

TEST(NeighborQuestion, NoTruncationIsReadBeyondItsEnd) {
    for (const auto& whole : {kArpRequest, kSolicitation}) {
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::vector<std::uint8_t> cut(whole.begin(),
                                                whole.begin() + static_cast<long>(length));
            EXPECT_FALSE(parse_neighbor_question(cut).has_value()) << length;
            (void)parse_neighbor_claim(cut);
        }
    }
}

TEST(NeighborQuestion, GratuitousArpAsksNobody) {
    auto frame = kArpRequest;
    frame.at(41) = 1;  // target 10.0.0.1, the sender itself
    EXPECT_FALSE(parse_neighbor_question(frame).has_value());
    EXPECT_EQ(parse_neighbor_claim(frame)->address, ip("10.0.0.1"));
}

TEST(NeighborClaim, ArpProbeClaimsNothing) {
    auto frame = kArpRequest;
    std::fill_n(frame.begin() + 28, 4, std::uint8_t{0});
    EXPECT_FALSE(parse_neighbor_claim(frame).has_value());
}

// The parser verifies the solicitation's checksum, so a question that is still understood has a
// good one.
TEST(NeighborSender, FramesComeFromTheNewMacInsideAndOutside) {
    const MacAddress vmac = mac("00:00:5e:00:02:33");
    for (std::vector<std::uint8_t> frame : {kArpRequest, kSolicitation}) {
        set_sender_mac(frame, vmac);
        EXPECT_TRUE(std::equal(vmac.bytes.begin(), vmac.bytes.end(), frame.begin() + 6));
        const auto question = parse_neighbor_question(frame);
        ASSERT_TRUE(question.has_value());
        EXPECT_EQ(question->asker_mac, vmac);
    }
}

TEST(NeighborSender, AdvertisementsNameTheNewMac) {
    const NeighborFrame made =
        build_neighbor_announcement({ip("2001:db8::64"), mac("02:00:00:00:00:01")}, true);
    std::vector<std::uint8_t> frame(made.span().begin(), made.span().end());
    set_sender_mac(frame, mac("00:00:5e:00:02:33"));
    const auto claim = parse_neighbor_claim(frame);
    ASSERT_TRUE(claim.has_value());
    EXPECT_EQ(claim->mac, mac("00:00:5e:00:02:33"));
}

TEST(NeighborAnswer, ArpReplyGoesToTheAsker) {
    const auto answer = build_neighbor_answer(*parse_neighbor_question(kArpRequest),
                                              mac("00:00:5e:00:01:33"), true);
    std::vector<std::uint8_t> expected = {0x02, 0,    0,    0, 0, 1,    0,  0, 0x5e, 0,   1,
                                          0x33, 0x08, 0x06,                     // Ethernet
                                          0,    1,    8,    0, 6, 4,    0,  2,  // reply
                                          0,    0,    0x5e, 0, 1, 0x33, 10, 0, 0,    100,  // sender
                                          0x02, 0,    0,    0, 0, 1,    10, 0, 0,    1};   // target
    expected.resize(60);
    EXPECT_TRUE(
        std::equal(expected.begin(), expected.end(), answer.span().begin(), answer.span().end()));
}

TEST(NeighborAnswer, AdvertisementIsSolicitedAndOverrides) {
    const auto answer = build_neighbor_answer(*parse_neighbor_question(kSolicitation),
                                              mac("00:00:5e:00:02:33"), true);
    const auto bytes = answer.span();
    ASSERT_EQ(bytes.size(), 86U);
    EXPECT_EQ(bytes[0], 0x02);  // unicast to the asker
    EXPECT_EQ(bytes[21], 255);  // hop limit
    EXPECT_EQ(bytes[54], 136);
    EXPECT_EQ(bytes[58], 0xe0);                      // router, solicited, override
    EXPECT_EQ(bytes[78], 2);                         // target link layer
    const auto claim = parse_neighbor_claim(bytes);  // checks the checksum too
    ASSERT_TRUE(claim.has_value());
    EXPECT_EQ(claim->address, ip("2001:db8::64"));
    EXPECT_EQ(claim->mac, mac("00:00:5e:00:02:33"));
}

TEST(NeighborAnswer, DuplicateAddressProbeIsAnsweredToAllNodes) {
    NeighborQuestion question{ip("2001:db8::64"), ip("::"), mac("02:00:00:00:00:01")};
    const auto answer = build_neighbor_answer(question, mac("00:00:5e:00:02:33"), false);
    EXPECT_EQ(answer.span()[0], 0x33);  // 33:33:00:00:00:01
    EXPECT_EQ(answer.span()[5], 0x01);
    EXPECT_EQ(answer.span()[53], 0x01);  // ff02::1
    EXPECT_EQ(answer.span()[58], 0x20);  // override only
}

}  // namespace
}  // namespace pollux::net
