// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/frames.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/support/frame_builder.h"

namespace pollux::bench {
namespace {

using test::Bytes;

Endpoint endpoint(std::string_view address, std::uint16_t port) {
    return {net::IpAddress::parse(address).value(), port};
}

Bytes written(const Segment& segment) {
    std::array<std::uint8_t, kMaxSegmentFrame> room{};
    const Link link{net::MacAddress::parse(test::kClientMac).value(),
                    net::MacAddress::parse(test::kOurMac).value()};
    const std::uint32_t length = write_segment(link, segment, room);
    return {room.begin(), room.begin() + length};
}

const Segment kSyn{endpoint("10.0.0.1", 1001), endpoint("10.1.0.10", 80), 0x02};

TEST(BenchFrames, Ipv4SegmentFillsTheSmallestFrame) {
    const Bytes expected = test::frame()
                               .eth()
                               .ipv4("10.0.0.1", "10.1.0.10")
                               .id(0)
                               .tcp(1001, 80, "S")
                               .seq(0)
                               .window(0xffff)
                               .raw(Bytes(6, 0));
    EXPECT_EQ(written(kSyn), expected);
    EXPECT_EQ(expected.size(), 60U);
}

TEST(BenchFrames, Ipv6SegmentHasNoPayload) {
    const Segment segment{endpoint("fd00:c::1", 1001), endpoint("fd00:a::10", 80), 0x10};
    const Bytes expected = test::frame()
                               .eth()
                               .ipv6("fd00:c::1", "fd00:a::10")
                               .tcp(1001, 80, "A")
                               .seq(0)
                               .window(0xffff);
    EXPECT_EQ(written(segment), expected);
}

TEST(BenchFrames, ReadsWhatTheSegmentSays) {
    Segment segment;
    ASSERT_TRUE(read_segment(
        test::frame().eth().ipv4("10.0.0.1", "10.1.0.10").tcp(1001, 80, "SA").bytes(), segment));
    EXPECT_EQ(segment.source, endpoint("10.0.0.1", 1001));
    EXPECT_EQ(segment.destination, endpoint("10.1.0.10", 80));
    EXPECT_EQ(segment.tcp_flags, 0x12);
}

TEST(BenchFrames, ADamagedByteIsSeen) {
    for (std::size_t at = 22; at < 60; ++at) {  // TTL to the end of the payload
        Bytes frame = written(kSyn);
        frame[at] ^= 1U;
        Segment segment;
        EXPECT_FALSE(read_segment(frame, segment)) << "byte " << at;
    }
}

}  // namespace
}  // namespace pollux::bench
