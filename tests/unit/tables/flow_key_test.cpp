// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/flow_key.h"

#include <bit>
#include <cmath>
#include <functional>
#include <random>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using test::be;
using test::ip;
using test::ip4;
using test::tcp_key;

constexpr std::array<std::uint64_t, 4> kSecret{0x0123456789abcdef, 0xfedcba9876543210,
                                               0x0f1e2d3c4b5a6978, 0x1122334455667788};

FlowKey key4(std::uint32_t from, unsigned from_port, std::uint32_t to, unsigned to_port) {
    return FlowKey::make(ip4(from), be(from_port), ip4(to), be(to_port), Protocol::Tcp);
}

TEST(FlowKey, KeepsWhatItWasMadeOf) {
    for (const auto& [from, to] :
         {std::pair{"198.51.100.7", "203.0.113.1"}, std::pair{"2001:db8::7", "2001:db8:1::1"}}) {
        const FlowKey key = tcp_key(from, 40000, to, 80);
        EXPECT_EQ(key.source(), ip(from));
        EXPECT_EQ(key.destination(), ip(to));
        EXPECT_EQ(key.source_port().host(), 40000);
        EXPECT_EQ(key.destination_port().host(), 80);
        EXPECT_EQ(key.protocol(), Protocol::Tcp);
        EXPECT_EQ(key.reversed(), tcp_key(to, 80, from, 40000));
        EXPECT_EQ(key.reversed().reversed(), key);
    }
}

TEST(FlowKey, TakesAddressesAsTheyLieInAHeader) {
    const std::uint8_t header[] = {198, 51, 100, 7, 203, 0, 113, 1};
    const FlowKey key =
        FlowKey::from_wire(net::Family::V4, header, be(40000), be(80), Protocol::Tcp);
    EXPECT_EQ(key, tcp_key("198.51.100.7", 40000, "203.0.113.1", 80));
}

// What lies beyond an IPv4 key on the stack must not matter.
TEST(FlowHash, LooksAtSixteenBytesOfAnIpv4Key) {
    const FlowHash hash(kSecret);
    alignas(FlowKey) unsigned char dirty[sizeof(FlowKey)];
    std::memset(dirty, 0xa5, sizeof dirty);
    const FlowKey clean = tcp_key("198.51.100.7", 40000, "203.0.113.1", 80);
    std::memcpy(dirty, &clean, 16);
    FlowKey copy;
    std::memcpy(static_cast<void*>(&copy), dirty, sizeof copy);
    EXPECT_EQ(hash(copy), hash(clean));
    EXPECT_EQ(copy, clean);
}

TEST(FlowHash, DependsOnEveryWordOfTheSecret) {
    const FlowKey key = tcp_key("198.51.100.7", 40000, "203.0.113.1", 80);
    const std::uint64_t reference = FlowHash(kSecret)(key);
    for (std::size_t i = 0; i < kSecret.size(); ++i) {
        auto other = kSecret;
        other[i] ^= 1;
        EXPECT_GT(std::popcount(FlowHash(other)(key) ^ reference), 10) << i;
    }
}

// Each bit of the key flips each bit of the hash with probability one half. 2,000 keys: a fair bit
// lies within 0.5 +- 0.056 with five standard deviations.
void expect_avalanche(const std::function<FlowKey(std::mt19937_64&)>& random_key,
                      unsigned first_bit, unsigned last_bit) {
    const FlowHash hash(kSecret);
    constexpr int kKeys = 2000;
    for (unsigned bit = first_bit; bit < last_bit; ++bit) {
        if (bit >= 32 && bit < 64) continue;  // protocol, family and unused bits
        std::mt19937_64 random(bit);
        std::array<int, 64> flips{};
        for (int i = 0; i < kKeys; ++i) {
            const FlowKey key = random_key(random);
            std::array<std::uint64_t, 5> words;
            std::memcpy(words.data(), &key, sizeof words);
            words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
            FlowKey flipped;
            std::memcpy(static_cast<void*>(&flipped), words.data(), sizeof words);
            const std::uint64_t difference = hash(key) ^ hash(flipped);
            for (unsigned out = 0; out < 64; ++out) flips[out] += (difference >> out) & 1U;
        }
        for (unsigned out = 0; out < 64; ++out) {
            EXPECT_NEAR(static_cast<double>(flips[out]) / kKeys, 0.5, 0.056)
                << "key bit " << bit << ", hash bit " << out;
        }
    }
}

TEST(FlowHash, HasAvalancheForIpv4) {
    expect_avalanche(
        [](std::mt19937_64& random) {
            return key4(static_cast<std::uint32_t>(random()), random() & 0xffffU,
                        static_cast<std::uint32_t>(random()), random() & 0xffffU);
        },
        0, 128);
}

TEST(FlowHash, HasAvalancheForIpv6) {
    expect_avalanche(
        [](std::mt19937_64& random) {
            std::uint8_t addresses[32];
            for (std::uint8_t& byte : addresses) byte = static_cast<std::uint8_t>(random());
            return FlowKey::from_wire(net::Family::V6, addresses, be(random() & 0xffffU),
                                      be(random() & 0xffffU), Protocol::Tcp);
        },
        0, 320);
}

// An xor-linear hash (Toeplitz, CRC) gives h(a) ^ h(b) ^ h(c) = h(a ^ b ^ c) always, so that keys
// made for one secret collide for all; ours must give it by chance only.
TEST(FlowHash, IsNotLinearInTheKey) {
    const FlowHash hash(kSecret);
    std::mt19937_64 random(7);
    for (int i = 0; i < 10000; ++i) {
        const auto a = static_cast<std::uint32_t>(random());
        const auto b = static_cast<std::uint32_t>(random());
        const auto c = static_cast<std::uint32_t>(random());
        const std::uint64_t sum = hash(key4(a, 1, 9, 80)) ^ hash(key4(b, 1, 9, 80)) ^
                                  hash(key4(c, 1, 9, 80)) ^ hash(key4(a ^ b ^ c, 1, 9, 80));
        EXPECT_NE(sum & 0xffffffffU, 0U);
        EXPECT_NE(sum >> 32U, 0U);
    }
}

struct Family {
    const char* name;
    std::function<FlowKey(std::uint32_t)> key;
};

// What real and hostile clients send: one bit pattern walking through the key.
std::vector<Family> families() {
    return {
        {"ports of one client",
         [](std::uint32_t i) {
             return key4(0xc6336407U + (i >> 16U), i & 0xffffU, 0xcb007101U, 80);
         }},
        {"clients of one network", [](std::uint32_t i) { return key4(i, 40000, 0xcb007101U, 80); }},
        {"clients in steps of 4096",
         [](std::uint32_t i) { return key4(i * 4096 + (i >> 20U), 40000, 0xcb007101U, 80); }},
        {"clients with reversed bits",
         [](std::uint32_t i) { return key4(__builtin_bswap32(i), 40000, 0xcb007101U, 80); }},
        {"port and address moving against each other",
         [](std::uint32_t i) { return key4(0xc6336400U + i, (0xffffU - i) & 0xffffU, 9, 80); }},
        {"constant xor of port and address",
         [](std::uint32_t i) { return key4(i, i & 0xffffU, 0xcb007101U, 80); }},
        {"virtual ports",
         [](std::uint32_t i) { return key4(0xc6336407U, i & 0xffffU, 9, i >> 16U); }},
    };
}

// Buckets as the table forms them: chi-square over 4,096 buckets for the home, the second and the
// tag. With 4,095 degrees of freedom the standard deviation is 90; six of them are allowed.
TEST(FlowHash, SpreadsStructuredKeysLikeRandomOnes) {
    const FlowHash hash(kSecret);
    constexpr std::uint32_t kKeys = 1U << 18U;
    constexpr unsigned kBuckets = 4096;
    const auto home = [](std::uint64_t h) { return ((h >> 32U) * kBuckets) >> 32U; };
    const auto second = [](std::uint64_t h) { return ((h & 0xffffffffU) * kBuckets) >> 32U; };
    const auto tag = [](std::uint64_t h) { return ((h >> 32U) ^ h) & (kBuckets - 1); };
    for (const Family& family : families()) {
        std::array<std::vector<std::uint32_t>, 3> counts;
        for (auto& count : counts) count.resize(kBuckets);
        std::unordered_set<std::uint64_t> distinct;
        for (std::uint32_t i = 0; i < kKeys; ++i) {
            const std::uint64_t h = hash(family.key(i));
            ++counts[0][home(h)];
            ++counts[1][second(h)];
            ++counts[2][tag(h)];
            distinct.insert(h);
        }
        EXPECT_EQ(distinct.size(), kKeys) << family.name;
        for (const auto& count : counts) {
            double chi_square = 0;
            constexpr double kExpected = static_cast<double>(kKeys) / kBuckets;
            for (const std::uint32_t n : count) {
                chi_square += (n - kExpected) * (n - kExpected) / kExpected;
            }
            EXPECT_NEAR(chi_square, kBuckets - 1, 6 * std::sqrt(2.0 * (kBuckets - 1)))
                << family.name;
        }
    }
}

// Tuples chosen with full knowledge of one secret are worth nothing under another.
TEST(FlowHash, TuplesCraftedForOneSecretDoNoBetterUnderAnother) {
    const FlowHash known(kSecret);
    const FlowHash actual({5, 6, 7, 8});
    std::mt19937_64 random(11);
    std::vector<FlowKey> crafted;
    while (crafted.size() < 4096) {  // all in one of 256 home buckets of the known secret
        const auto client = static_cast<std::uint32_t>(random());
        const FlowKey key = key4(client, random() & 0xffffU, 0xcb007101U, 80);
        if (known(key) >> 56U == 0x5a) crafted.push_back(key);
    }
    std::array<int, 256> buckets{};
    for (const FlowKey& key : crafted) ++buckets[actual(key) >> 56U];
    // 16 expected in each; Poisson: more than 45 has probability 1e-9.
    EXPECT_LT(*std::max_element(buckets.begin(), buckets.end()), 45);
}

}  // namespace
}  // namespace pollux::lb
