// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/checksum.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace pollux::net {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kSeed = 20240611;

// RFC 1071 section 4.1 word for word, in host order: the model.
std::uint16_t slow_checksum(const Bytes& bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const unsigned low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
        sum += bytes[i] * 256U + low;
        sum = (sum & 0xffffU) + (sum >> 16U);
    }
    return static_cast<std::uint16_t>(~sum);
}

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
    Bytes bytes(size);
    // Many zeros and ones, where the corner cases of one's complement live.
    const unsigned style = static_cast<unsigned>(random() % 4);
    for (auto& byte : bytes) {
        if (style == 0)
            byte = 0;
        else if (style == 1)
            byte = 0xff;
        else if (style == 2)
            byte = (random() & 1U) != 0 ? 0xff : 0;
        else
            byte = static_cast<std::uint8_t>(random());
    }
    return bytes;
}

Be16 word_at(const Bytes& bytes, std::size_t at) {
    return Be16::from_host(static_cast<std::uint16_t>(bytes[at] * 256U + bytes[at + 1]));
}

void put_word(Bytes& bytes, std::size_t at, Be16 word) {
    bytes[at] = static_cast<std::uint8_t>(word.host() >> 8U);
    bytes[at + 1] = static_cast<std::uint8_t>(word.host());
}

bool all_zero(const Bytes& bytes) {
    return bytes == Bytes(bytes.size(), 0);
}

// RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
TEST(Checksum, GivesTheExampleOfRfc1071) {
    const Bytes bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    EXPECT_EQ(internet_checksum(bytes).host(), 0xffffU - 0xddf2U);
}

// A header that many textbooks print, with its checksum b861 at offset 10.
TEST(Checksum, AcceptsAKnownIpv4Header) {
    Bytes header{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                 0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    EXPECT_EQ(internet_checksum(header).host(), 0xb861);
    put_word(header, 10, Be16::from_host(0xb861));
    ChecksumSum sum;
    sum.add(header);
    EXPECT_TRUE(sum.is_valid());
}

TEST(Checksum, EqualsTheModelForEveryLengthAndAlignment) {
    std::mt19937_64 random(kSeed);
    for (std::size_t size = 0; size < 200; ++size) {
        for (std::size_t shift = 0; shift < 4; ++shift) {
            const Bytes bytes = random_bytes(random, size + shift);
            const Bytes shifted(bytes.begin() + static_cast<std::ptrdiff_t>(shift), bytes.end());
            const std::span<const std::uint8_t> view(bytes.data() + shift, size);
            ASSERT_EQ(internet_checksum(view).host(), slow_checksum(shifted))
                << "size " << size << " shift " << shift << " seed " << kSeed;
        }
    }
}

TEST(Checksum, OfSeveralPiecesIsThatOfTheWhole) {
    std::mt19937_64 random(kSeed);
    for (int round = 0; round < 1000; ++round) {
        const Bytes bytes = random_bytes(random, 2 + 2 * (random() % 40));
        const std::size_t cut = 2 * (random() % (bytes.size() / 2 + 1));
        ChecksumSum sum;
        sum.add(std::span(bytes).first(cut));
        sum.add(std::span(bytes).subspan(cut));
        ASSERT_EQ(sum.finish().host(), slow_checksum(bytes)) << "seed " << kSeed;
    }
}

TEST(Checksum, CountsThePseudoHeaderOfBothFamilies) {
    const Bytes v4{192, 0, 2, 1, 198, 51, 100, 7, 0, 17, 0x12, 0x34};
    ChecksumSum sum4;
    sum4.add_pseudo_header(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("198.51.100.7"), 17,
                           0x1234);
    EXPECT_EQ(sum4.finish().host(), slow_checksum(v4));

    const Bytes v6{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  //
                   0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,  //
                   0,    1,    0x12, 0x34, 0, 0, 0, 6};
    ChecksumSum sum6;
    sum6.add_pseudo_header(*IpAddress::parse("2001:db8::1"), *IpAddress::parse("2001:db8::2"), 6,
                           0x11234);
    EXPECT_EQ(sum6.finish().host(), slow_checksum(v6));
}

// RFC 1624 section 4: the header whose incremental update equation 2 got wrong.
TEST(Checksum, GivesTheExampleOfRfc1624) {
    EXPECT_EQ(
        checksum_replace(Be16::from_host(0xdd2f), Be16::from_host(0x5555), Be16::from_host(0x3285))
            .host(),
        0x0000);
}

TEST(Checksum, UpdatedIncrementallyEqualsTheFullOne) {
    std::mt19937_64 random(kSeed);
    for (int round = 0; round < 200000; ++round) {
        Bytes bytes = random_bytes(random, 20);
        const Be16 before = internet_checksum(bytes);
        const std::size_t at = 2 * (random() % 9);
        const Bytes edit = random_bytes(random, 4);
        const Bytes old = bytes;
        const bool wide = (random() & 1U) != 0;
        std::copy(edit.begin(), edit.begin() + (wide ? 4 : 2),
                  bytes.begin() + static_cast<std::ptrdiff_t>(at));
        if (all_zero(old) || all_zero(bytes)) continue;  // zero has two forms; no header is zero
        Be16 updated;
        if (wide) {
            const auto wide_word = [at](const Bytes& b) {
                return Be32::from_host(static_cast<std::uint32_t>(word_at(b, at).host() << 16U) |
                                       word_at(b, at + 2).host());
            };
            updated = checksum_replace(before, wide_word(old), wide_word(bytes));
        } else {
            updated = checksum_replace(before, word_at(old, at), word_at(bytes, at));
        }
        ASSERT_EQ(updated.host(), slow_checksum(bytes)) << "round " << round << " seed " << kSeed;
    }
}

TEST(Checksum, UpdatedForIpv6AddressesEqualsTheFullOne) {
    std::mt19937_64 random(kSeed);
    for (int round = 0; round < 20000; ++round) {
        Bytes bytes = random_bytes(random, 40);
        bytes[0] = 0x60;
        const Be16 before = internet_checksum(bytes);
        Ipv6Address old_address;
        Ipv6Address new_address;
        const Bytes edit = random_bytes(random, 16);
        std::copy_n(bytes.begin() + 8, 16, old_address.bytes.begin());
        std::copy_n(edit.begin(), 16, new_address.bytes.begin());
        std::copy_n(edit.begin(), 16, bytes.begin() + 8);
        ASSERT_EQ(checksum_replace(before, old_address, new_address).host(), slow_checksum(bytes))
            << "round " << round << " seed " << kSeed;
    }
}

TEST(Checksum, DeltaOfManyEditsAppliesToEveryChecksumThatCoversThem) {
    std::mt19937_64 random(kSeed);
    for (int round = 0; round < 20000; ++round) {
        Bytes first = random_bytes(random, 24);
        Bytes second = random_bytes(random, 40);
        first[0] = second[0] = 0x45;
        std::copy_n(first.begin() + 8, 12, second.begin() + 20);
        const Be16 first_before = internet_checksum(first);
        const Be16 second_before = internet_checksum(second);
        ChecksumDelta delta;
        const Bytes edit = random_bytes(random, 12);
        for (std::size_t i = 0; i < 12; i += 2) {
            delta.replace(word_at(first, 8 + i), word_at(edit, i));
        }
        std::copy_n(edit.begin(), 12, first.begin() + 8);
        std::copy_n(edit.begin(), 12, second.begin() + 20);
        ASSERT_EQ(delta.apply(first_before).host(), slow_checksum(first)) << "seed " << kSeed;
        ASSERT_EQ(delta.apply(second_before).host(), slow_checksum(second)) << "seed " << kSeed;
    }
}

TEST(Checksum, WrongOneNeverBecomesRight) {
    std::mt19937_64 random(kSeed);
    int wrong = 0;
    for (int round = 0; round < 200000; ++round) {
        Bytes bytes = random_bytes(random, 20);
        bytes[0] = 0x45;
        const Be16 stored = Be16::from_host(static_cast<std::uint16_t>(random()));
        Bytes message = bytes;
        message.resize(22);
        put_word(message, 20, stored);
        const bool valid_before = slow_checksum(message) == 0;
        const std::size_t at = 2 + 2 * (random() % 9);
        const Bytes edit = random_bytes(random, 2);
        const Be16 updated = checksum_replace(stored, word_at(bytes, at), word_at(edit, 0));
        put_word(message, at, word_at(edit, 0));
        put_word(message, 20, updated);
        ASSERT_EQ(slow_checksum(message) == 0, valid_before) << "seed " << kSeed;
        wrong += valid_before ? 0 : 1;
    }
    EXPECT_GT(wrong, 100000);
}

TEST(Checksum, ReplacingNothingChangesNothingButTheFormOfZero) {
    for (unsigned value = 0; value <= 0xffffU; ++value) {
        const Be16 same = Be16::from_host(static_cast<std::uint16_t>(value));
        const Be16 word = Be16::from_host(0x1234);
        const unsigned expected = value == 0xffffU ? 0U : value;  // ~0xffff is the other zero
        ASSERT_EQ(checksum_replace(same, word, word).host(), expected);
    }
}

TEST(Checksum, UdpSendsAComputedZeroAsAllOnes) {
    EXPECT_EQ(udp_nonzero(Be16::from_host(0x0000)).host(), 0xffff);
    EXPECT_EQ(udp_nonzero(Be16::from_host(0xffff)).host(), 0xffff);
    EXPECT_EQ(udp_nonzero(Be16::from_host(0x1234)).host(), 0x1234);
}

// One's-complement addition is addition modulo 2^16 - 1, where only zero itself stays zero.
TEST(Checksum, FoldsEverySumToItsRemainder) {
    std::mt19937_64 random(kSeed);
    std::vector<std::uint64_t> sums{
        0,          1, 0xffff, 0x10000, 0x1ffff, 0xffffffff, 0xffffffff00010000, 0xffffffffffffffff,
        0x10000ffff};
    for (int i = 0; i < 10000; ++i) sums.push_back(random() >> (random() % 64));
    for (const std::uint64_t sum : sums) {
        const std::uint64_t remainder = sum % 0xffffU;
        const std::uint64_t expected = sum != 0 && remainder == 0 ? 0xffffU : remainder;
        ASSERT_EQ(fold_checksum(sum), expected) << sum;
    }
}

TEST(Checksum, OfNothingIsAllOnes) {
    EXPECT_EQ(internet_checksum({}).host(), 0xffff);
}

}  // namespace
}  // namespace pollux::net
