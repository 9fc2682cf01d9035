// SPDX-License-Identifier: Apache-2.0
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::Protocol;

lb::ServiceSpec nat_service() {
    return service(Protocol::Tcp, "10.1.0.10:80",
                   {real_server({1, lb::ForwardingMethod::Nat, 8080})});
}

TEST(Nat, FirstSynRewritesDestinationAndBothChecksums) {
    Rig rig;
    rig.spec.services = {nat_service()};
    rig.apply();
    const Reaction out = rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          to_server(1).ipv4(kClient, server_v4(1)).ttl(63).tcp(1001, 8080, "S")));
}

TEST(Nat, ReplyOnTheOtherWorkerIsTranslatedBack) {
    Rig rig(2);
    rig.spec.services = {nat_service()};
    rig.apply();
    rig.send(kClientSide, client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
    const Reaction out = rig.send(
        kServerSide, server_frame(1).ipv4(server_v4(1), kClient).tcp(8080, 1001, "SA"), {1});
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_router().ipv4(kVip, kClient).ttl(63).tcp(80, 1001, "SA")));
}

TEST(Nat, UdpChecksumZeroStaysZero) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:53",
                                 {real_server({1, lb::ForwardingMethod::Nat, 5353})})};
    rig.apply();
    const Reaction out =
        rig.from_client(client_frame().ipv4(kClient, kVip).udp(2002, 53).no_checksum().payload(40));
    EXPECT_TRUE(transmits(out.own, kServerSide,
                          to_server(1)
                              .ipv4(kClient, server_v4(1))
                              .ttl(63)
                              .udp(2002, 5353)
                              .no_checksum()
                              .payload(40)));
}

// A checksum word of a frame, `at` bytes from its start.
std::uint16_t word_at(const Bytes& frame, std::size_t at) {
    return static_cast<std::uint16_t>(frame[at] << 8U | frame[at + 1]);
}

constexpr std::size_t kUdpChecksumAt = 14 + 20 + 6;
constexpr std::size_t kTcpChecksumAt = 14 + 20 + 16;

lb::ServiceSpec nat_dns() {
    return service(Protocol::Udp, "10.1.0.10:53",
                   {real_server({1, lb::ForwardingMethod::Nat, 5353})});
}

// RFC 768: a computed zero is sent as all ones, as zero means that there is no checksum.
TEST(Nat, UdpChecksumThatBecomesZeroIsSentAsAllOnes) {
    Rig rig;
    rig.spec.services = {nat_dns()};
    rig.apply();
    const auto expected = [](std::uint16_t word) -> Bytes {
        return to_server(1)
            .ipv4(kClient, server_v4(1))
            .ttl(63)
            .udp(2002, 5353)
            .raw({static_cast<std::uint8_t>(word >> 8U), static_cast<std::uint8_t>(word)});
    };
    // The payload that makes up the difference.
    const std::uint16_t word = word_at(expected(0), kUdpChecksumAt);
    ASSERT_EQ(word_at(expected(word), kUdpChecksumAt), 0xffff);
    const Reaction out = rig.from_client(
        client_frame()
            .ipv4(kClient, kVip)
            .udp(2002, 53)
            .raw({static_cast<std::uint8_t>(word >> 8U), static_cast<std::uint8_t>(word)}));
    EXPECT_TRUE(transmits(out.own, kServerSide, expected(word)));
}

TEST(Nat, ChecksumIsRightForEveryPayload) {
    Rig rig;
    rig.spec.services = {nat_dns()};
    rig.apply();
    for (unsigned word = 0; word < 0x10000; word += 0x0101) {
        const Bytes payload{static_cast<std::uint8_t>(word >> 8U), static_cast<std::uint8_t>(word)};
        ASSERT_TRUE(transmits(
            rig.from_client(client_frame().ipv4(kClient, kVip).udp(2002, 53).raw(payload)).own,
            kServerSide,
            to_server(1).ipv4(kClient, server_v4(1)).ttl(63).udp(2002, 5353).raw(payload)))
            << word;
    }
}

TEST(Nat, BadChecksumStaysBadByTheSameDifference) {
    Rig rig;
    rig.spec.services = {nat_service()};
    rig.apply();
    Bytes frame = client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S");
    Bytes expected = to_server(1).ipv4(kClient, server_v4(1)).ttl(63).tcp(1001, 8080, "S");
    ASSERT_LT(word_at(frame, kTcpChecksumAt), 0xfffe);
    ASSERT_LT(word_at(expected, kTcpChecksumAt), 0xfffe);
    ++frame[kTcpChecksumAt];
    ++expected[kTcpChecksumAt];
    EXPECT_TRUE(transmits(rig.from_client(frame).own, kServerSide, expected));
}

TEST(Nat, Ipv6BothDirections) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "[fd00:a::10]:80",
                                 {real_server({1, lb::ForwardingMethod::Nat, 8080, 1, true})})};
    rig.apply();
    const Reaction in = rig.from_client(client_frame().ipv6(kClient6, kVip6).tcp(1001, 80, "S"));
    EXPECT_TRUE(transmits(in.own, kServerSide,
                          to_server(1).ipv6(kClient6, server_v6(1)).ttl(63).tcp(1001, 8080, "S")));
    const Reaction out =
        rig.from_server(server_frame(1).ipv6(server_v6(1), kClient6).tcp(8080, 1001, "SA"));
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_router().ipv6(kVip6, kClient6).ttl(63).tcp(80, 1001, "SA")));
}

}  // namespace
}  // namespace pollux::test
