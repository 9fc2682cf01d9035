// SPDX-License-Identifier: Apache-2.0
// What Pollux does otherwise than the kernel on purpose: rows of
// docs/lvs-compatibility.md that no other table of frames asserts.
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;

constexpr std::uint8_t kSctpData = 0;
constexpr std::uint8_t kSctpInit = 1;

// An association to a service whose server listens on `server_port`; then a
// datagram in fragments.
class SctpFragments : public ::testing::Test {
  protected:
    void open(ForwardingMethod method, std::uint16_t server_port) {
        rig.spec.services = {
            service(Protocol::Sctp, "10.1.0.10:80", {real_server({1, method, server_port})})};
        rig.spec.local_addresses.push_back({*net::IpAddress::parse("10.2.0.200"), 5000, 5000});
        rig.apply();
        ASSERT_EQ(
            rig.from_client(
                   client_frame().ipv4(kClient, kVip).sctp(1001, 80).sctp_chunk(kSctpInit, 16))
                .own.verdict,
            lb::Verdict::Transmit);
    }
    static std::vector<Bytes> fragments(FrameBuilder whole) {
        return fragment_frame(whole.sctp_chunk(kSctpData, 80), 60, 7);
    }
    static FrameBuilder from_client() {
        return client_frame().ipv4(kClient, kVip).may_fragment().sctp(1001, 80, 9);
    }
    void expect_all_dropped(lb::PortId port, const std::vector<Bytes>& parts) {
        ASSERT_EQ(parts.size(), 3U);
        const std::uint64_t before = rig.drops(DropReason::NoTranslation);
        for (const Bytes& part : parts) {
            EXPECT_TRUE(drops(rig.send(port, part).own, DropReason::NoTranslation));
        }
        EXPECT_EQ(rig.drops(DropReason::NoTranslation), before + 3);
    }
    Rig rig;
};

TEST_F(SctpFragments, AreDroppedWhenNatChangesThePort) {
    open(ForwardingMethod::Nat, 8080);
    expect_all_dropped(kClientSide, fragments(from_client()));
    expect_all_dropped(
        kServerSide,
        fragments(server_frame(1).ipv4(server_v4(1), kClient).may_fragment().sctp(8080, 1001, 9)));
}

TEST_F(SctpFragments, ThatCameBeforeTheFirstAreDroppedWithIt) {
    open(ForwardingMethod::Nat, 8080);
    const std::vector<Bytes> parts = fragments(from_client());
    EXPECT_EQ(rig.from_client(parts[1]).own.verdict, lb::Verdict::Consumed);
    const Reaction first = rig.from_client(parts[0]);
    EXPECT_TRUE(drops(first.own, DropReason::NoTranslation));
    ASSERT_EQ(first.extra.size(), 1U);
    EXPECT_TRUE(drops(first.extra[0], DropReason::NoTranslation));
}

TEST_F(SctpFragments, AreDroppedWhenFullNatChangesThePort) {
    open(ForwardingMethod::FullNat, 80);
    expect_all_dropped(kClientSide, fragments(from_client()));
}

TEST_F(SctpFragments, PassNatThatKeepsThePort) {
    open(ForwardingMethod::Nat, 80);
    const std::vector<Bytes> parts = fragments(from_client());
    const std::vector<Bytes> expected = fragments(
        to_server(1).ipv4(kClient, server_v4(1)).ttl(63).may_fragment().sctp(1001, 80, 9));
    ASSERT_EQ(parts.size(), 3U);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        EXPECT_TRUE(transmits(rig.from_client(parts[i]).own, kServerSide, expected[i])) << i;
    }
}

TEST_F(SctpFragments, PassDirectRouting) {
    open(ForwardingMethod::DirectRouting, 0);
    for (const Bytes& part : fragments(from_client())) {
        EXPECT_EQ(rig.from_client(part).own.verdict, lb::Verdict::Transmit);
    }
}

// The kernel's ip_forward says what becomes of packets that are left to the
// host. The answers of a NAT server are not.
TEST(IpForward, AnswersOfNatServersDoNotAskTheHost) {
    Rig rig;
    rig.spec.services = {
        service(Protocol::Tcp, "10.1.0.10:80", {real_server({1, ForwardingMethod::Nat, 8080})})};
    rig.apply();
    rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
    const auto answer = [](std::uint16_t client_port) -> Bytes {
        return server_frame(1).ipv4(server_v4(1), kClient).tcp(8080, client_port, "SA");
    };
    EXPECT_TRUE(transmits(rig.from_server(answer(1001)).own, kClientSide,
                          to_router().ipv4(kVip, kClient).ttl(63).tcp(80, 1001, "SA")));
    EXPECT_EQ(rig.plane().counters(0).punted, 0U);
    EXPECT_TRUE(punts(rig.from_server(answer(1002)).own, lb::PuntReason::Routed))
        << "what belongs to no connection is the host's";
}

// A server or a router behind it tells the sender of the packet, which is the
// client.
TEST(ForgedError, OfTheServerSideToAnotherAddressIsDropped) {
    for (const ForwardingMethod method : {ForwardingMethod::Nat, ForwardingMethod::DirectRouting}) {
        const bool is_nat = method == ForwardingMethod::Nat;
        Rig rig;
        rig.spec.services = {
            service(Protocol::Tcp, "10.1.0.10:80",
                    {real_server({1, method, static_cast<std::uint16_t>(is_nat ? 8080 : 0)})})};
        rig.apply();
        rig.from_client(client_frame().ipv4(kClient, kVip).tcp(1001, 80, "S"));
        const Bytes quoted = is_nat ? frame().eth().ipv4(kClient, server_v4(1)).tcp(1001, 8080, "A")
                                    : frame().eth().ipv4(kClient, kVip).tcp(1001, 80, "A");
        for (const std::string& other : {std::string("10.0.0.2"), std::string(kDirector)}) {
            const Bytes forged =
                server_frame(1).ipv4(server_v4(1), other).icmp(3, 3).quote(quoted, 28);
            EXPECT_TRUE(drops(rig.from_server(forged).own, DropReason::IcmpNoConnection)) << other;
        }
        EXPECT_EQ(rig.drops(DropReason::IcmpNoConnection), 2U);
        EXPECT_EQ(rig.connections().size(), 1U);
    }
}

TEST(TimestampOption, IsKeptAsItCame) {
    for (const ForwardingMethod method : {ForwardingMethod::Nat, ForwardingMethod::DirectRouting}) {
        Rig rig;
        rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1, method})})};
        rig.apply();
        // Timestamps alone, room for two, none taken.
        const auto with_option = [](FrameBuilder builder) {
            return builder.ip_options({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}).tcp(1001, 80, "S");
        };
        const std::string target = method == ForwardingMethod::Nat ? server_v4(1) : kVip;
        EXPECT_TRUE(transmits(rig.from_client(with_option(client_frame().ipv4(kClient, kVip))).own,
                              kServerSide,
                              with_option(to_server(1).ipv4(kClient, target).ttl(63))));
    }
}

}  // namespace
}  // namespace pollux::test
