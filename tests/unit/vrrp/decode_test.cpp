// SPDX-License-Identifier: Apache-2.0

// The decoder on hostile input: every malformed packet has its error, no byte beyond the frame is
// read (the frames live in exactly sized heap blocks, so AddressSanitizer would see it).

#include <random>

#include <gtest/gtest.h>

#include "tests/support/vrrp_builders.h"

namespace pollux::vrrp::test {
namespace {

constexpr std::size_t kVrrpV4 = 34;  // offset of the VRRP header: Ethernet, IPv4
constexpr std::size_t kVrrpV6 = 54;

// 46 bytes: recorded from keepalived 2.2.7, version 3, one address.
std::vector<std::uint8_t> recorded_v3() {
    return hex(
        "01005e000012 020000000001 0800 45c0 0020 0001 0000 ff70 d095 0a00 0005 e000 0012"
        "3133 6401 0064 75d0 0a00 0003");
}

// The checksums of IPv4 header and message made good again after an edit.
void repair(std::vector<std::uint8_t>& frame) {
    const auto sum = [&](std::size_t from, std::size_t length) {
        std::uint32_t total = 0;
        for (std::size_t i = 0; i < length; i += 2) {
            const unsigned low = i + 1 < length ? frame[from + i + 1] : 0;
            total += (static_cast<unsigned>(frame[from + i]) << 8U) | low;
        }
        while (total > 0xffff) total = (total & 0xffffU) + (total >> 16U);
        return ~total;
    };
    const auto store = [&](std::size_t at, std::uint32_t value) {
        frame[at] = static_cast<std::uint8_t>(value >> 8U);
        frame[at + 1] = static_cast<std::uint8_t>(value);
    };
    store(24, 0);
    store(24, sum(14, 20));
    const std::size_t length = (static_cast<std::size_t>(frame[16]) << 8U | frame[17]) - 20U;
    store(kVrrpV4 + 6, 0);
    store(kVrrpV4 + 6, sum(kVrrpV4, length));
}

TEST(Decode, ReadsEveryFieldOfARecordedFrame) {
    const auto frame = recorded_v3();
    const Decoded packet = decode_frame(frame);
    ASSERT_EQ(packet.error, DecodeError::None);
    EXPECT_TRUE(packet.has_virtual_router_id);
    EXPECT_EQ(packet.advert.source_mac, kOurMac);
    EXPECT_EQ(packet.advert.source, ip("10.0.0.5"));
    EXPECT_EQ(packet.advert.destination, ip("224.0.0.18"));
    EXPECT_EQ(packet.advert.ttl, 255);
    EXPECT_EQ(packet.advert.version, 3);
    EXPECT_EQ(packet.advert.virtual_router_id, 51);
    EXPECT_EQ(packet.advert.priority, 100);
    EXPECT_EQ(packet.advert.interval, 1s);
    EXPECT_EQ(packet.advert.checksum_form, ChecksumForm::PseudoHeader);
    EXPECT_EQ(packet.advert.addresses(), std::vector{ip("10.0.0.3")});
}

TEST(Decode, ReadsVersion2WithAuthentication) {
    const auto frame =
        hex("01005e000012 020000000001 0800 45c0002800010000ff70d08d 0a000005 e0000012"
            "2133 6401 0101 0d65 0a00 0003 3131 3131 0000 0000");
    const Decoded packet = decode_frame(frame);
    ASSERT_EQ(packet.error, DecodeError::None);
    EXPECT_EQ(packet.advert.version, 2);
    EXPECT_EQ(packet.advert.auth_type, kAuthPass);
    EXPECT_EQ(packet.advert.interval, 1s);
    const std::array<std::uint8_t, 8> password{'1', '1', '1', '1', 0, 0, 0, 0};
    EXPECT_EQ(packet.advert.auth_data, password);
}

TEST(Decode, ReadsVersion3OverIpv6) {
    const auto frame =
        hex("333300000012 020000000001 86dd 6c015b9d 0018 70ff"
            "fe80000000000000 000000fffe000001 ff02000000000000 0000000000000012"
            "3133 6401 0064 7044 fd000000000000000000000000000003");
    const Decoded packet = decode_frame(frame);
    ASSERT_EQ(packet.error, DecodeError::None);
    EXPECT_EQ(packet.advert.source, ip("fe80::ff:fe00:1"));
    EXPECT_EQ(packet.advert.addresses(), std::vector{ip("fd00::3")});
}

TEST(Decode, EthernetPaddingIsIgnored) {
    auto frame = recorded_v3();
    frame.resize(60, 0xee);
    EXPECT_EQ(decode_frame(frame).error, DecodeError::None);
}

TEST(Decode, VlanTagsAreSkipped) {
    auto frame = recorded_v3();
    const auto tags = hex("88a8 0064 8100 0065");
    frame.insert(frame.begin() + 12, tags.begin(), tags.end());
    EXPECT_EQ(decode_frame(frame).error, DecodeError::None);
}

TEST(Decode, BothChecksumsOfVersion3OverIpv4AreGood) {
    auto frame = recorded_v3();
    frame[kVrrpV4 + 6] = 0x60;
    frame[kVrrpV4 + 7] = 0x64;
    const Decoded packet = decode_frame(frame);
    EXPECT_EQ(packet.error, DecodeError::None);
    EXPECT_EQ(packet.advert.checksum_form, ChecksumForm::MessageOnly);
}

TEST(Decode, Ipv6NeedsThePseudoHeader) {
    auto frame = PeerAdvert(config_v6(), 100).frame();
    // The message-only sum, computed here byte by byte.
    std::uint32_t total = 0;
    frame[kVrrpV6 + 6] = frame[kVrrpV6 + 7] = 0;
    for (std::size_t i = kVrrpV6; i < frame.size(); i += 2) {
        total += (static_cast<unsigned>(frame[i]) << 8U) | frame[i + 1];
    }
    while (total > 0xffff) total = (total & 0xffffU) + (total >> 16U);
    frame[kVrrpV6 + 6] = static_cast<std::uint8_t>(~total >> 8U);
    frame[kVrrpV6 + 7] = static_cast<std::uint8_t>(~total);
    EXPECT_EQ(decode_frame(frame).error, DecodeError::Checksum);
}

TEST(Decode, MoreBytesThanDeclaredAreTolerated) {
    auto frame = recorded_v3();
    frame.insert(frame.end(), 14, 0);
    frame[17] = 46;
    frame[24] = 0xd0;  // IP checksum for the greater length
    frame[25] = 0x87;
    EXPECT_EQ(decode_frame(frame).error, DecodeError::None);
}

struct Malformed {
    const char* name;
    std::size_t offset;
    std::uint8_t value;
    bool repaired;
    DecodeError error;
};
void PrintTo(const Malformed& malformed, std::ostream* out) {
    *out << malformed.name;
}

class MalformedPacket : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedPacket, HasItsError) {
    auto frame = recorded_v3();
    frame[GetParam().offset] = GetParam().value;
    if (GetParam().repaired) repair(frame);
    EXPECT_EQ(decode_frame(frame).error, GetParam().error) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    Table, MalformedPacket,
    testing::Values(Malformed{"other protocol", 23, 17, true, DecodeError::NotVrrp},
                    Malformed{"not IP", 12, 0x09, false, DecodeError::NotVrrp},
                    Malformed{"IP checksum", 24, 0, false, DecodeError::IpHeader},
                    Malformed{"IP version", 14, 0x65, true, DecodeError::IpHeader},
                    Malformed{"IP header of 16 bytes", 14, 0x44, false, DecodeError::IpHeader},
                    Malformed{"IP longer than the frame", 17, 33, false, DecodeError::IpHeader},
                    Malformed{"IP shorter than its header", 17, 19, false, DecodeError::IpHeader},
                    Malformed{"first fragment", 20, 0x20, true, DecodeError::IpHeader},
                    Malformed{"later fragment", 21, 1, true, DecodeError::IpHeader},
                    Malformed{"version 1", kVrrpV4, 0x11, true, DecodeError::Version},
                    Malformed{"version 4", kVrrpV4, 0x41, true, DecodeError::Version},
                    Malformed{"type 2", kVrrpV4, 0x32, true, DecodeError::Type},
                    Malformed{"two addresses announced, one there", kVrrpV4 + 3, 2, true,
                              DecodeError::Length},
                    Malformed{"version 2 without authentication data", kVrrpV4, 0x21, true,
                              DecodeError::Length},
                    Malformed{"bad checksum", kVrrpV4 + 6, 0, false, DecodeError::Checksum}));

// A count of 0 leaves 4 bytes over, so the checksum of the shorter message is set by hand.
TEST(Decode, CountZeroIsAnError) {
    auto frame = recorded_v3();
    frame[17] = 28;
    frame.resize(42);
    frame[kVrrpV4 + 3] = 0;
    repair(frame);
    EXPECT_EQ(decode_frame(frame).error, DecodeError::NoAddress);
}

TEST(Decode, IntervalZeroIsAnErrorAndReservedBitsAreNot) {
    auto frame = recorded_v3();
    frame[kVrrpV4 + 5] = 0;
    repair(frame);
    EXPECT_EQ(decode_frame(frame).error, DecodeError::IntervalZero);
    frame = recorded_v3();
    frame[kVrrpV4 + 4] = 0xf0;
    repair(frame);
    const Decoded packet = decode_frame(frame);
    EXPECT_EQ(packet.error, DecodeError::None);
    EXPECT_EQ(packet.advert.interval, 1s);
}

TEST(Decode, Version2OverIpv6IsTheWrongVersion) {
    auto frame = PeerAdvert(config_v6(), 100).frame();
    frame[kVrrpV6] = 0x21;
    EXPECT_EQ(decode_frame(frame).error, DecodeError::Version);
}

// IP protocol 51, 24 bytes of AH, then VRRP: recorded from keepalived with auth_type AH.
TEST(Decode, AuthenticationHeaderIsNamedAndAssignedToItsRouter) {
    auto frame =
        hex("01005e000012 020000000001 0800 45c0 0040 0001 0000 ff33 0000 0a00 0005 e000 0012"
            "7004 0000 0a00 0005 0000 0001 aabbccddeeff001122334455"
            "2133 6401 0201 6ec7 0a00 0003 0000 0000 0000 0000");
    std::uint32_t total = 0;
    for (std::size_t i = 14; i < 34; i += 2) {
        total += (static_cast<unsigned>(frame[i]) << 8U) | frame[i + 1];
    }
    while (total > 0xffff) total = (total & 0xffffU) + (total >> 16U);
    frame[24] = static_cast<std::uint8_t>(~total >> 8U);
    frame[25] = static_cast<std::uint8_t>(~total);
    const Decoded packet = decode_frame(frame);
    EXPECT_EQ(packet.error, DecodeError::AuthenticationHeader);
    EXPECT_TRUE(packet.has_virtual_router_id);
    EXPECT_EQ(packet.advert.virtual_router_id, 51);
}

// Every frame that the golden tests know, cut at every length: never valid, never read beyond.
TEST(Decode, EveryTruncationIsRejected) {
    for (const InstanceConfig& config : {config_v2(), config_v3(), config_v6()}) {
        const auto whole = PeerAdvert(config, 100).frame();
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::vector<std::uint8_t> cut(
                whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            EXPECT_NE(decode_frame(cut).error, DecodeError::None) << length;
        }
        EXPECT_EQ(decode_frame(whole).error, DecodeError::None);
    }
}

// Truncation of what IP carries, with IP headers that are honest about it.
TEST(Decode, EveryHonestTruncationIsRejected) {
    const auto whole = PeerAdvert(config_v2(), 100).frame();
    for (std::size_t length = kVrrpV4; length < whole.size(); ++length) {
        std::vector<std::uint8_t> cut(whole.begin(),
                                      whole.begin() + static_cast<std::ptrdiff_t>(length));
        cut[17] = static_cast<std::uint8_t>(length - 14);
        if (length >= kVrrpV4 + 8) repair(cut);
        const Decoded packet = decode_frame(cut);
        EXPECT_NE(packet.error, DecodeError::None) << length;
    }
}

// The one's-complement checksum sees every single-bit error in what it covers.
TEST(Decode, EverySingleBitErrorIsFoundOrHarmless) {
    for (const InstanceConfig& config : {config_v2(), config_v3(), config_v6()}) {
        auto frame = PeerAdvert(config, 100).frame();
        const std::size_t covered = config.family == net::Family::V4 ? 14 : kVrrpV6;
        for (std::size_t bit = covered * 8; bit < frame.size() * 8; ++bit) {
            const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
            frame[bit / 8] ^= mask;
            EXPECT_NE(decode_frame(frame).error, DecodeError::None) << "bit " << bit;
            frame[bit / 8] ^= mask;
        }
    }
}

TEST(Decode, RandomMutationsNeverBreakTheViews) {
    std::mt19937 random(20240229);  // seed: 20240229
    const std::vector<std::vector<std::uint8_t>> seeds = {PeerAdvert(config_v2(), 100).frame(),
                                                          PeerAdvert(config_v3(), 100).frame(),
                                                          PeerAdvert(config_v6(), 100).frame()};
    for (int round = 0; round < 200'000; ++round) {
        std::vector<std::uint8_t> frame = seeds[random() % seeds.size()];
        for (auto edits = random() % 6; edits > 0; --edits) {
            frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
        }
        frame.resize(random() % (frame.size() + 20));
        frame.shrink_to_fit();
        const Decoded packet = decode_frame(frame);
        if (packet.error != DecodeError::None) continue;
        const ReceivedAdvert& advert = packet.advert;
        ASSERT_EQ(advert.address_bytes.size(), advert.count * address_length(advert.family()));
        ASSERT_GT(advert.count, 0);
        ASSERT_EQ(advert.addresses().size(), advert.count);
    }
}

TEST(Encode, RefusesABufferThatIsTooSmall) {
    Node node(config_v3());
    AdvertEnvelope envelope;
    envelope.source = kOurAddress;
    envelope.destination = net::IpAddress::from_v4(kGroupV4);
    std::vector<std::uint8_t> buffer(45);
    EXPECT_EQ(write_advert_frame(node.instance.message(100), envelope, buffer), 0U);
}

TEST(Encode, WhatIsWrittenIsReadBack) {
    for (InstanceConfig config : {config_v2(), config_v3(), config_v6()}) {
        for (const std::size_t count : {std::size_t{1}, std::size_t{20}, kMaxAdvertAddresses}) {
            config.addresses.assign(count, config.addresses.front());
            for (std::size_t i = 0; i < count; ++i) {
                config.addresses[i].bytes[3] = static_cast<std::uint8_t>(i + 1);
            }
            const auto frame = PeerAdvert(config, 77).frame();
            const Decoded packet = decode_frame(frame);
            ASSERT_EQ(packet.error, DecodeError::None);
            EXPECT_EQ(packet.advert.addresses(), config.addresses);
            EXPECT_EQ(packet.advert.priority, 77);
        }
    }
}

}  // namespace
}  // namespace pollux::vrrp::test
