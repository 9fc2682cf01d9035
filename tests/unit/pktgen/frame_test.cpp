// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/frame.h"

#include <gtest/gtest.h>

#include "dataplane/net/parse.h"
#include "tests/support/frame_builder.h"

namespace pollux::pktgen {
namespace {

using test::Bytes;

Endpoint endpoint(std::string_view address, std::uint16_t port) {
    return {net::IpAddress::parse(address).value(), port};
}

Bytes written(std::uint8_t protocol, std::uint16_t length, const Endpoint& source,
              const Endpoint& destination, const Tag& tag) {
    const FrameWriter writer(source.address.family, protocol, length);
    Bytes frame(length);
    writer.write({net::MacAddress::parse(test::kClientMac).value(),
                  net::MacAddress::parse(test::kOurMac).value(), source, destination, 0x12},
                 tag, frame.data());
    return frame;
}

constexpr Tag kTag{5, true, 0x01020304, 0x0a0b0c0d, 0xf0e0d0c0};
const Bytes kMarkTrialFlow{0x50, 0x85, 1, 2, 3, 4};

TEST(PktgenFrame, UdpCarriesTheTagInItsPayload) {
    Bytes payload = kMarkTrialFlow;
    payload.insert(payload.end(), {0x0a, 0x0b, 0x0c, 0x0d, 0xf0, 0xe0, 0xd0, 0xc0});
    for (unsigned at = 56; at < 60; ++at) payload.push_back(static_cast<std::uint8_t>(at));
    const Bytes expected =
        test::frame().eth().ipv4("10.0.0.1", "10.1.0.10").id(0).udp(1001, 80).raw(payload);
    EXPECT_EQ(written(17, 60, endpoint("10.0.0.1", 1001), endpoint("10.1.0.10", 80), kTag),
              expected);
}

TEST(PktgenFrame, TcpCarriesNumbersInItsHeader) {
    const Bytes expected = test::frame()
                               .eth()
                               .ipv4("10.0.0.1", "10.1.0.10")
                               .id(0)
                               .tcp(1001, 80, "SA")
                               .seq(0x0a0b0c0d, 0xf0e0d0c0)
                               .window(0xffff)
                               .raw(kMarkTrialFlow);
    EXPECT_EQ(written(6, 60, endpoint("10.0.0.1", 1001), endpoint("10.1.0.10", 80), kTag),
              expected);
}

TEST(PktgenFrame, Ipv6IsRightForOddLengthsToo) {
    Bytes payload = kMarkTrialFlow;
    for (unsigned at = 80; at < 301; ++at) payload.push_back(static_cast<std::uint8_t>(at));
    const Bytes expected = test::frame()
                               .eth()
                               .ipv6("fd00:c::1", "fd00:a::10")
                               .tcp(65535, 80, "SA")
                               .seq(0x0a0b0c0d, 0xf0e0d0c0)
                               .window(0xffff)
                               .raw(payload);
    EXPECT_EQ(written(6, 301, endpoint("fd00:c::1", 65535), endpoint("fd00:a::10", 80), kTag),
              expected);
}

TEST(PktgenFrame, TagIsReadBack) {
    for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
        const Bytes frame =
            written(protocol, 70, endpoint("10.0.0.1", 1001), endpoint("10.1.0.10", 80), kTag);
        net::ParsedPacket parsed;
        ASSERT_EQ(net::parse({frame, 70, 0}, parsed), net::ParseError::None);
        EXPECT_EQ(read_tag(frame, parsed), kTag);
    }
}

TEST(PktgenFrame, OtherTrafficHasNoTag) {
    const Bytes others[] = {
        test::frame().eth().ipv4("10.0.0.1", "10.1.0.10").udp(53, 53).payload(40),
        test::frame().eth().ipv4("10.0.0.1", "10.1.0.10").udp(53, 53).payload("P"),
        test::frame().eth().ipv4("10.0.0.1", "10.1.0.10").tcp(1, 2, "A"),
        test::frame().eth().ipv4("10.0.0.1", "10.1.0.10").icmp(8).payload("PPPPPPPPPPPPPPP"),
    };
    for (const Bytes& frame : others) {
        net::ParsedPacket parsed;
        const auto length = static_cast<std::uint32_t>(frame.size());
        ASSERT_EQ(net::parse({frame, length, 0}, parsed), net::ParseError::None);
        EXPECT_FALSE(read_tag(frame, parsed));
    }
}

}  // namespace
}  // namespace pollux::pktgen
