// SPDX-License-Identifier: Apache-2.0
// ICMP errors about a tracked flow go where the flow goes, with the quoted packet rewritten to what
// the receiver knows, however much of it is quoted.
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::ForwardingMethod;
using lb::Protocol;

// One family's view of the same story.
struct Family {
    bool is_v6 = false;
    std::string client, vip, server, router;

    [[nodiscard]] FrameBuilder ip(FrameBuilder builder, const std::string& from,
                                  const std::string& to, std::uint8_t ttl = 64) const {
        return (is_v6 ? builder.ipv6(from, to) : builder.ipv4(from, to)).ttl(ttl);
    }
    [[nodiscard]] FrameBuilder bare(const std::string& from, const std::string& to) const {
        return ip(frame().eth(), from, to, 57);
    }
    // "Port unreachable" and "too big" with an MTU.
    [[nodiscard]] static FrameBuilder unreachable(FrameBuilder builder, bool is_v6) {
        return is_v6 ? builder.icmpv6(1, 4) : builder.icmp(3, 3);
    }
    [[nodiscard]] static FrameBuilder too_big(FrameBuilder builder, bool is_v6) {
        return is_v6 ? builder.icmpv6(2, 0, 1400) : builder.icmp(3, 4, 1400);
    }
    // IP header and 8 bytes: ports and sequence number, which no router may omit (RFC 792).
    [[nodiscard]] std::size_t shortest_quote() const { return (is_v6 ? 40U : 20U) + 8U; }
};

std::vector<Family> families() {
    return {{false, kClient, kVip, server_v4(1), "10.9.0.1"},
            {true, kClient6, kVip6, server_v6(1), "fd00:9::1"}};
}

void open(Rig& rig, const Family& family, ForwardingMethod method, std::uint16_t server_port) {
    rig.spec.services = {service(Protocol::Tcp, family.is_v6 ? "[fd00:a::10]:80" : "10.1.0.10:80",
                                 {real_server({1, method, server_port, 1, family.is_v6})})};
    rig.apply();
    const Bytes syn = family.ip(client_frame(), family.client, family.vip).tcp(1001, 80, "S");
    ASSERT_EQ(rig.from_client(syn).own.verdict, lb::Verdict::Transmit);
}

// `frame` with the 16-bit word of its TCP checksum (`at` from the start of the IP packet) replaced.
Bytes with_word(Bytes frame, std::size_t at, const Bytes& of) {
    frame[14 + at] = of[14 + at];
    frame[15 + at] = of[15 + at];
    return frame;
}

TEST(IcmpErrors, NatServersPortUnreachableReachesTheClientAsTheVirtualServices) {
    for (const Family& family : families()) {
        Rig rig;
        open(rig, family, ForwardingMethod::Nat, 8080);
        const Bytes seen_by_server =
            family.bare(family.client, family.server).tcp(1001, 8080, "A").seq(7);
        const Bytes seen_by_client =
            family.bare(family.client, family.vip).tcp(1001, 80, "A").seq(7);
        const std::size_t bytes = family.shortest_quote();
        const Bytes error =
            Family::unreachable(family.ip(server_frame(1), family.server, family.client),
                                family.is_v6)
                .quote(seen_by_server, bytes);
        const Bytes expected =
            Family::unreachable(family.ip(to_router(), family.vip, family.client, 63), family.is_v6)
                .quote(seen_by_client, bytes);
        EXPECT_TRUE(transmits(rig.from_server(error).own, kClientSide, expected));
    }
}

TEST(IcmpErrors, NatRoutersTooBigAboutAReplyReachesTheServer) {
    for (const Family& family : families()) {
        Rig rig;
        open(rig, family, ForwardingMethod::Nat, 8080);
        const Bytes seen_by_router =
            family.bare(family.vip, family.client).tcp(80, 1001, "A").seq(9);
        const Bytes seen_by_server =
            family.bare(family.server, family.client).tcp(8080, 1001, "A").seq(9);
        const std::size_t bytes = family.shortest_quote();
        const Bytes error =
            Family::too_big(family.ip(client_frame(), family.router, family.vip), family.is_v6)
                .quote(seen_by_router, bytes);
        const Bytes expected =
            Family::too_big(family.ip(to_server(1), family.router, family.server, 63), family.is_v6)
                .quote(seen_by_server, bytes);
        EXPECT_TRUE(transmits(rig.from_client(error).own, kServerSide, expected));
    }
}

// The quoted TCP checksum stays as it was: it covers bytes that an error need not quote.
TEST(IcmpErrors, NatQuotedChecksumOfTheTransportStays) {
    for (const Family& family : families()) {
        Rig rig;
        open(rig, family, ForwardingMethod::Nat, 8080);
        const Bytes seen_by_router =
            family.bare(family.vip, family.client).tcp(80, 1001, "PA").payload(100);
        const Bytes seen_by_server =
            family.bare(family.server, family.client).tcp(8080, 1001, "PA").payload(100);
        const std::size_t checksum_at = (family.is_v6 ? 40U : 20U) + 16U;
        const Bytes error =
            Family::too_big(family.ip(client_frame(), family.router, family.vip), family.is_v6)
                .quote(seen_by_router);
        const Bytes expected =
            Family::too_big(family.ip(to_server(1), family.router, family.server, 63), family.is_v6)
                .quote(with_word(seen_by_server, checksum_at, seen_by_router));
        EXPECT_TRUE(transmits(rig.from_client(error).own, kServerSide, expected));
    }
}

TEST(IcmpErrors, DirectRoutingHandsTheErrorToTheServerUnchanged) {
    for (const Family& family : families()) {
        Rig rig;
        open(rig, family, ForwardingMethod::DirectRouting, 0);
        const Bytes seen_by_router =
            family.bare(family.vip, family.client).tcp(80, 1001, "A").seq(9);
        const auto error = [&](FrameBuilder link, std::uint8_t ttl) -> Bytes {
            return Family::too_big(family.ip(std::move(link), family.router, family.vip, ttl),
                                   family.is_v6)
                .quote(seen_by_router, family.shortest_quote());
        };
        EXPECT_TRUE(transmits(rig.from_client(error(client_frame(), 64)).own, kServerSide,
                              error(to_server(1), 63)));
    }
}

// A quote may be of a packet with options, extension headers or a first fragment.
TEST(IcmpErrors, NatQuotesWithOptionsAndExtensionHeadersAreRewritten) {
    {
        Rig rig;
        const Family family = families()[0];
        open(rig, family, ForwardingMethod::Nat, 8080);
        const auto quoted = [&](const std::string& source, std::uint16_t port) -> Bytes {
            return frame()
                .eth()
                .ipv4(source, family.client)
                .ip_options({148, 4, 0, 0})
                .tcp(port, 1001, "A");
        };
        EXPECT_TRUE(transmits(rig.from_client(client_frame()
                                                  .ipv4(family.router, family.vip)
                                                  .icmp(11)
                                                  .quote(quoted(family.vip, 80), 32))
                                  .own,
                              kServerSide,
                              to_server(1)
                                  .ipv4(family.router, family.server)
                                  .ttl(63)
                                  .icmp(11)
                                  .quote(quoted(family.server, 8080), 32)));
    }
    {
        Rig rig;
        const Family family = families()[1];
        open(rig, family, ForwardingMethod::Nat, 8080);
        const auto quoted = [&](const std::string& source, std::uint16_t port) -> Bytes {
            return frame()
                .eth()
                .ipv6(source, family.client)
                .hop_by_hop()
                .destination_options(16)
                .tcp(port, 1001, "A");
        };
        EXPECT_TRUE(transmits(rig.from_client(client_frame()
                                                  .ipv6(family.router, family.vip)
                                                  .icmpv6(3)
                                                  .quote(quoted(family.vip, 80), 40 + 8 + 16 + 8))
                                  .own,
                              kServerSide,
                              to_server(1)
                                  .ipv6(family.router, family.server)
                                  .ttl(63)
                                  .icmpv6(3)
                                  .quote(quoted(family.server, 8080), 40 + 8 + 16 + 8)));
    }
}

// Routers send an error to the source of the packet that they quote; anything else is forged.
TEST(IcmpErrors, ForgedDestinationIsDropped) {
    Rig rig;
    const Family family = families()[0];
    open(rig, family, ForwardingMethod::Nat, 8080);
    const Bytes quoted = frame().eth().ipv4(family.vip, family.client).tcp(80, 1001, "A");
    const Bytes forged = client_frame().ipv4(family.router, kDirector).icmp(3, 3).quote(quoted, 28);
    EXPECT_TRUE(drops(rig.from_client(forged).own, lb::DropReason::IcmpNoConnection));
}

}  // namespace
}  // namespace pollux::test
