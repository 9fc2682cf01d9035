// SPDX-License-Identifier: Apache-2.0
// The parser against truncated and mutated frames. Each input lies in a heap block of exactly its
// size, so that AddressSanitizer sees every read outside.
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "dataplane/net/parse.h"
#include "tests/support/frame_corpus.h"
#include "tests/support/frame_text.h"
#include "tests/support/parse_invariants.h"

namespace pollux::net {
namespace {

using test::Bytes;

constexpr std::uint64_t kSeed = 815;

// A copy that ends where its heap block ends.
class ExactCopy {
  public:
    explicit ExactCopy(std::span<const std::uint8_t> bytes)
        : block_(new std::uint8_t[bytes.size()]), size_(bytes.size()) {
        std::copy(bytes.begin(), bytes.end(), block_.get());
    }
    [[nodiscard]] std::span<const std::uint8_t> span() const { return {block_.get(), size_}; }

  private:
    std::unique_ptr<std::uint8_t[]> block_;
    std::size_t size_;
};

std::string broken(std::span<const std::uint8_t> bytes, std::size_t frame_length,
                   std::uint16_t checksums) {
    const ExactCopy copy(bytes);
    return test::broken_parse_invariant(
        {copy.span(), static_cast<std::uint32_t>(frame_length), checksums});
}

TEST(ParseRobustness, AcceptsTheWholeCorpus) {
    for (const auto& [name, bytes] : test::frame_corpus()) {
        ParsedPacket packet;
        const ParseInput input{bytes, static_cast<std::uint32_t>(bytes.size()), 0};
        ASSERT_EQ(parse(input, packet), ParseError::None) << name << ": " << test::describe(bytes);
        if (!packet.is_icmp_error()) continue;
        QuotedPacket quoted;
        EXPECT_EQ(parse_quoted(input, packet, quoted), ParseError::None) << name;
    }
}

TEST(ParseRobustness, RefusesEveryTruncation) {
    for (const auto& [name, bytes] : test::frame_corpus()) {
        ParsedPacket packet;
        const ParseInput whole{bytes, static_cast<std::uint32_t>(bytes.size()), 0};
        ASSERT_EQ(parse(whole, packet), ParseError::None) << name;
        const std::size_t end = packet.kind == PacketKind::Arp
                                    ? packet.l3_offset + 28U
                                    : packet.l3_offset + packet.ip_length;
        for (std::size_t size = 0; size < end; ++size) {
            const ExactCopy copy{std::span(bytes).first(size)};
            const ParseInput input{copy.span(), static_cast<std::uint32_t>(size), 0};
            ASSERT_NE(parse(input, packet), ParseError::None) << name << " cut at " << size;
            ASSERT_EQ(test::broken_parse_invariant(input), "") << name << " cut at " << size;
        }
    }
}

TEST(ParseRobustness, NeverReadsBehindTheFirstSegment) {
    for (const auto& [name, bytes] : test::frame_corpus()) {
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const ExactCopy copy{std::span(bytes).first(size)};
            const ParseInput input{copy.span(), static_cast<std::uint32_t>(bytes.size()), 0};
            ParsedPacket packet;
            const ParseError error = parse(input, packet);
            ASSERT_TRUE(error == ParseError::None || error == ParseError::MultiSegment)
                << name << " cut at " << size;
            ASSERT_EQ(test::broken_parse_invariant(input), "") << name << " cut at " << size;
        }
    }
}

// Each header byte takes each value. The checksum is declared good, so that the parser looks on.
TEST(ParseRobustness, KeepsItsPromisesForEverySingleByteMutation) {
    constexpr std::size_t kHeaders = 160;
    for (const auto& [name, original] : test::frame_corpus()) {
        Bytes bytes = original;
        for (std::size_t at = 0; at < std::min(bytes.size(), kHeaders); ++at) {
            for (unsigned value = 0; value < 256; ++value) {
                bytes[at] = static_cast<std::uint8_t>(value);
                ASSERT_EQ(broken(bytes, bytes.size(), RxChecksum::kIpGood | RxChecksum::kL4Good),
                          "")
                    << name << " byte " << at << " = " << value;
            }
            bytes[at] = original[at];
        }
    }
}

TEST(ParseRobustness, KeepsItsPromisesForRandomDamage) {
    std::mt19937_64 random(kSeed);
    const auto corpus = test::frame_corpus();
    for (int round = 0; round < 200000; ++round) {
        Bytes bytes = corpus[random() % corpus.size()].bytes;
        for (std::uint64_t edits = random() % 6; edits > 0; --edits) {
            bytes[random() % std::min<std::size_t>(bytes.size(), 120)] =
                static_cast<std::uint8_t>(random());
        }
        const std::size_t frame_length = bytes.size() + random() % 3;
        bytes.resize(bytes.size() - random() % std::min<std::size_t>(bytes.size(), 40));
        const auto checksums = static_cast<std::uint16_t>(random() % 16);
        ASSERT_EQ(broken(bytes, frame_length, checksums), "")
            << "round " << round << " seed " << kSeed << ": " << test::describe(bytes);
    }
}

}  // namespace
}  // namespace pollux::net
