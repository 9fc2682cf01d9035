// SPDX-License-Identifier: Apache-2.0
// Every reason for which a frame can be discarded, each brought about by a frame. A drop is counted
// under its reason and leaves no connection behind that was not there.
#include <algorithm>

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;

FrameBuilder v4() {
    return client_frame().ipv4(kClient, kVip);
}
FrameBuilder v6() {
    return client_frame().ipv6(kClient6, kVip6);
}

Bytes cut(Bytes bytes, std::size_t size) {
    bytes.resize(size);
    return bytes;
}

struct Malformed {
    const char* what;
    DropReason reason;
    Bytes frame;
    std::uint32_t contiguous = 0xffffffff;  // bytes in the first buffer segment
};

// Sends each frame to a balancer that would take every well-formed one.
void expect_drops(const std::vector<Malformed>& cases) {
    for (const Malformed& c : cases) {
        Rig rig;
        rig.spec.services = {
            service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})}),
            service(Protocol::Udp, "10.1.0.10:80", {real_server({1})}),
            service(Protocol::Sctp, "10.1.0.10:80", {real_server({1})}),
            service(Protocol::Udp, "[fd00:a::10]:80",
                    {real_server({1, ForwardingMethod::DirectRouting, 0, 1, true})})};
        rig.apply();
        SendOptions options;
        options.first_segment = c.contiguous;
        const Reaction reaction = rig.send(kClientSide, c.frame, options);
        EXPECT_TRUE(drops(reaction.own, c.reason)) << c.what;
        EXPECT_FALSE(reaction.own.originated) << c.what << ": nobody answers a malformed frame";
        EXPECT_TRUE(reaction.extra.empty()) << c.what;
        EXPECT_EQ(rig.drops(c.reason), 1U) << c.what;
        EXPECT_TRUE(rig.connections().empty()) << c.what;
    }
}

TEST(Malformed, LinkLayersAreDropped) {
    const Bytes arp =
        frame().eth(kRouterMac, kClientSideMac).arp_request(kRouterMac, kClient, kVip);
    expect_drops({
        {"13 bytes", DropReason::FrameTooShort, cut(v4().udp(9, 80), 13)},
        {"half a tag", DropReason::FrameTooShort,
         cut(client_frame().vlan(5).ipv4(kClient, kVip).udp(9, 80), 17)},
        {"MPLS", DropReason::UnknownEtherType, client_frame().ether_type(0x8847).payload(50)},
        {"three tags", DropReason::TooManyVlanTags,
         client_frame().service_vlan(1).vlan(2).vlan(3).ipv4(kClient, kVip).udp(9, 80)},
        {"short ARP", DropReason::ArpMalformed, cut(arp, 14 + 27)},
    });
}

TEST(Malformed, Ipv4HeadersAreDropped) {
    expect_drops({
        {"19 bytes", DropReason::Ipv4HeaderTruncated, cut(v4().udp(9, 80), 33)},
        {"version 5", DropReason::Ipv4BadVersion, v4().set8(0, 0x55).udp(9, 80)},
        {"IHL 4", DropReason::Ipv4BadHeaderLength, v4().set8(0, 0x44).udp(9, 80)},
        {"longer than the frame", DropReason::Ipv4BadTotalLength, v4().set16(2, 29).udp(9, 80)},
        {"checksum", DropReason::Ipv4BadChecksum, v4().bad_checksum().udp(9, 80)},
        {"from loopback", DropReason::Ipv4BadSource,
         client_frame().ipv4("127.0.0.1", kVip).udp(9, 80)},
        {"source route", DropReason::Ipv4SourceRoute,
         v4().ip_options({131, 7, 4, 10, 0, 0, 9}).udp(9, 80)},
        {"option of length 0", DropReason::Ipv4BadOption, v4().ip_options({7, 0, 0, 0}).udp(9, 80)},
        {"from itself", DropReason::LandAttack, client_frame().ipv4(kVip, kVip).udp(80, 80)},
    });
}

TEST(Malformed, Ipv6HeadersAreDropped) {
    expect_drops({
        {"39 bytes", DropReason::Ipv6HeaderTruncated, cut(v6().udp(9, 80), 53)},
        {"version 4", DropReason::Ipv6BadVersion, v6().set8(0, 0x40).udp(9, 80)},
        {"longer than the frame", DropReason::Ipv6BadPayloadLength, v6().set16(4, 9).udp(9, 80)},
        {"from a group", DropReason::Ipv6BadSource,
         client_frame().ipv6("ff02::1", kVip6).udp(9, 80)},
        {"hop-by-hop not first", DropReason::Ipv6BadExtension,
         v6().destination_options().hop_by_hop().udp(9, 80)},
        {"routing header 0", DropReason::Ipv6RoutingHeader0, v6().routing(0, 0, 24).udp(9, 80)},
        {"segments left", DropReason::Ipv6SourceRoute, v6().routing(4, 1, 24).udp(9, 80)},
    });
}

TEST(Malformed, TransportHeadersAreDropped) {
    const Bytes answer = frame().eth().ipv4(kVip, kClient).udp(80, 9);
    expect_drops({
        {"19 bytes of TCP", DropReason::TcpHeaderTruncated, v4().protocol(6).payload(19)},
        {"data offset 4", DropReason::TcpBadDataOffset, v4().tcp(9, 80, "S").set8(12, 0x40)},
        {"7 bytes of UDP", DropReason::UdpHeaderTruncated, v4().protocol(17).payload(7)},
        {"UDP length 7", DropReason::UdpBadLength, v4().udp(9, 80).set16(4, 7)},
        {"11 bytes of SCTP", DropReason::SctpHeaderTruncated, v4().protocol(132).payload(11)},
        {"7 bytes of ICMP", DropReason::IcmpHeaderTruncated, v4().protocol(1).payload(7)},
        {"ICMP checksum", DropReason::IcmpBadChecksum,
         v4().icmp(3, 1).bad_checksum().quote(answer)},
        {"ICMP error about nothing", DropReason::IcmpBadQuote, v4().icmp(3, 1).payload(4)},
        {"headers in two segments", DropReason::MultiSegment, v4().tcp(9, 80, "S").payload(99), 40},
    });
}

TEST(Malformed, FragmentsAreDropped) {
    expect_drops({
        {"half of TCP in the first", DropReason::FragmentTooSmall,
         v4().fragment(0, true, 7).protocol(6).payload(16)},
        {"odd size in the middle", DropReason::FragmentBadLength,
         v4().fragment(800, true, 7).protocol(17).payload(801)},
        {"beyond 65535", DropReason::FragmentOversize,
         v4().fragment(65528, false, 7).protocol(17).payload(8)},
    });
}

// --- well-formed frames that are dropped all the same.

class Refusals : public ::testing::Test {
  protected:
    static lb::DataPlaneLimits small() {
        lb::DataPlaneLimits limits;
        limits.max_connections = 1024;
        limits.max_templates = 1024;
        limits.max_services = 8;
        limits.max_servers = 16;
        limits.max_fragments = 16;
        limits.hugepages = false;
        return limits;
    }

    // A worker and the control thread may each keep three chunks of 60 records to themselves; what
    // that makes necessary is on top of the configured size.
    static constexpr unsigned kHeldBack = 2 * 3 * 60;

    // Sends frames until one is dropped; how many were not. At most 10,000.
    template <typename FrameOf>
    static unsigned taken_before_drop(Rig& rig, DropReason reason, FrameOf frame_of) {
        for (unsigned n = 0; n < 10000; ++n) {
            const Reaction reaction = rig.from_client(frame_of(n));
            if (reaction.own.verdict != lb::Verdict::Drop) continue;
            EXPECT_TRUE(drops(reaction.own, reason));
            return n;
        }
        ADD_FAILURE() << "nothing was dropped";
        return 0;
    }

    static std::uint16_t port(unsigned n) { return static_cast<std::uint16_t>(1000 + n); }
};

TEST_F(Refusals, FramesForSomebodyElseAreNotOurs) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const Reaction out =
        rig.from_client(frame().eth(kRouterMac, server_mac(3)).ipv4(kClient, kVip).tcp(9, 80, "S"));
    EXPECT_TRUE(drops(out.own, DropReason::NotOurMac));
    EXPECT_TRUE(rig.connections().empty());
}

TEST_F(Refusals, IcmpErrorAboutAnUnknownConnectionOfAService) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const Bytes answer = frame().eth().ipv4(kVip, kClient).tcp(80, 1001, "A");
    EXPECT_TRUE(drops(rig.from_client(v4().icmp(3, 1).quote(answer, 28)).own,
                      DropReason::IcmpNoConnection));
}

TEST_F(Refusals, OverlappingFragmentSpoilsItsDatagram) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const auto later = [](std::uint16_t offset, bool more) {
        return v4().fragment(offset, more, 7).protocol(17).payload(64);
    };
    EXPECT_EQ(rig.from_client(v4().fragment(0, true, 7).udp(9, 80).payload(56)).own.verdict,
              lb::Verdict::Transmit);
    EXPECT_TRUE(drops(rig.from_client(later(32, true)).own, DropReason::FragmentOverlap));
    EXPECT_TRUE(drops(rig.from_client(later(64, false)).own, DropReason::FragmentOverlap))
        << "RFC 5722: all of the datagram goes";
}

TEST_F(Refusals, TooManyFragmentedDatagramsAtATime) {
    Rig rig(small());
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const unsigned taken = taken_before_drop(
        rig, DropReason::FragmentTableFull,
        [](unsigned n) -> Bytes { return v4().fragment(0, true, n + 1).udp(9, 80).payload(56); });
    EXPECT_GE(taken, 4U) << "a set of the table has four places";
    EXPECT_LE(taken, 16U) << "max_fragments";
}

TEST_F(Refusals, LaterFragmentWaitsInVainForTheFirst) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const Reaction early = rig.from_client(v4().fragment(64, false, 7).protocol(17).payload(8));
    EXPECT_EQ(early.own.verdict, lb::Verdict::Consumed);
    rig.advance(std::chrono::seconds(2));
    const Reaction later = rig.from_client(v4().udp(9, 80));
    ASSERT_EQ(later.extra.size(), 1U);
    EXPECT_TRUE(drops(later.extra[0], DropReason::FragmentTimeout));
    EXPECT_EQ(rig.drops(DropReason::FragmentTimeout), 1U);
}

TEST_F(Refusals, TtlOfOneIsAnsweredAndCountedAsDropped) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const Bytes last = client_frame().ipv4(kClient, kVip).ttl(1).udp(9, 80).payload(8);
    const Reaction out = rig.from_client(last);
    EXPECT_TRUE(drops(out.own, DropReason::TtlExpired));
    EXPECT_TRUE(transmits(out.own, kClientSide,
                          to_router()
                              .ipv4(kVip, kClient)
                              .may_fragment()
                              .traffic_class(0xc0)
                              .icmp(11, 0)
                              .quote(last)));
    EXPECT_EQ(rig.drops(DropReason::TtlExpired), 1U);
}

TEST_F(Refusals, StrayPacketOfAnAddressThatTheHostDoesNotHave) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.99:80", {real_server({1})})};
    rig.apply();
    const Reaction out =
        rig.from_client(client_frame().ipv4(kClient, "10.1.0.99").tcp(1001, 80, "A"));
    EXPECT_TRUE(drops(out.own, DropReason::NoConnection));
}

TEST_F(Refusals, ServiceWithoutUsableServer) {
    Rig rig;
    ServerOptions quiesced;
    quiesced.weight = 0;
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server(quiesced)})};
    rig.apply();
    const Bytes syn = v4().tcp(1001, 80, "S");
    const Reaction out = rig.from_client(syn);
    EXPECT_TRUE(drops(out.own, DropReason::NoRealServer));
    EXPECT_TRUE(transmits(
        out.own, kClientSide,
        to_router().ipv4(kVip, kClient).may_fragment().traffic_class(0xc0).icmp(3, 3).quote(syn)));
}

TEST_F(Refusals, ServerOfTheConnectionWasRemoved) {
    Rig rig;
    rig.spec.services = {
        service(Protocol::Tcp, "10.1.0.10:80", {real_server({1}), real_server({2})})};
    rig.apply();
    rig.from_client(v4().tcp(1001, 80, "S"));  // to server 2
    rig.spec.services[0].servers.pop_back();
    rig.apply();
    EXPECT_TRUE(drops(rig.from_client(v4().tcp(1001, 80, "A")).own, DropReason::ServerGone));
}

TEST_F(Refusals, DefenceDropsEachNthNewPacket) {
    Rig rig;
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})})};
    rig.spec.sysctl.drop_packet = 3;
    rig.spec.sysctl.am_droprate = 5;
    rig.apply();
    unsigned dropped = 0;
    for (unsigned n = 0; n < 50; ++n) {
        const Reaction out = rig.from_client(v4().tcp(port(n), 80, "S"));
        if (out.own.verdict != lb::Verdict::Drop) continue;
        EXPECT_TRUE(drops(out.own, DropReason::DefenceDropPacket));
        ++dropped;
    }
    EXPECT_EQ(dropped, 10U);
}

TEST_F(Refusals, TwoServicesOnOneServerCannotBothTranslateOneClientPort) {
    Rig rig;
    const lb::RealServerSpec same = real_server({1, ForwardingMethod::Nat, 8080});
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {same}),
                         service(Protocol::Udp, "10.1.0.10:81", {same})};
    rig.apply();
    EXPECT_EQ(rig.from_client(v4().udp(1001, 80)).own.verdict, lb::Verdict::Transmit);
    EXPECT_TRUE(drops(rig.from_client(v4().udp(1001, 81)).own, DropReason::ReplyTaken));
}

TEST_F(Refusals, ConnectionTableIsFull) {
    Rig rig(small());
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const unsigned taken =
        taken_before_drop(rig, DropReason::ConnectionTableFull,
                          [](unsigned n) -> Bytes { return v4().udp(port(n), 80); });
    EXPECT_EQ(rig.connections().size(), taken);
    EXPECT_GE(taken, 1024U) << "max_connections";
    EXPECT_LE(taken, 1024U + kHeldBack);
    EXPECT_EQ(rig.from_client(v4().udp(port(0), 80)).own.verdict, lb::Verdict::Transmit)
        << "those that are in stay";
}

TEST_F(Refusals, HalfOpenConnectionsHaveAShare) {
    lb::DataPlaneLimits limits = small();
    limits.embryonic_share = 0.25;
    Rig rig(limits);
    rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})})};
    rig.apply();
    const unsigned taken =
        taken_before_drop(rig, DropReason::EmbryonicLimit,
                          [](unsigned n) -> Bytes { return v4().tcp(port(n), 80, "S"); });
    EXPECT_EQ(taken, 256U) << "a quarter of max_connections";
}

TEST_F(Refusals, PersistenceTableIsFull) {
    lb::DataPlaneLimits limits = small();
    limits.max_connections = 4096;
    Rig rig(limits);
    lb::ServiceSpec persistent = service(Protocol::Udp, "10.1.0.10:80", {real_server({1})});
    persistent.persistence = lb::PersistenceSpec{std::chrono::seconds(300), 32};
    rig.spec.services = {persistent};
    rig.apply();
    const unsigned taken =
        taken_before_drop(rig, DropReason::PersistenceTableFull, [](unsigned n) -> Bytes {
            const std::string client =
                "10.0." + std::to_string(n / 250) + '.' + std::to_string(n % 250 + 1);
            return client_frame().ipv4(client, kVip).udp(9, 80);
        });
    EXPECT_GE(taken, 1024U) << "max_templates";
    EXPECT_LE(taken, 1024U + kHeldBack);
}

TEST_F(Refusals, FullNatHasNoLocalPortLeft) {
    Rig rig;
    rig.spec.local_addresses = {{net::IpAddress::parse(kDirector).value(), 5000, 5001}};
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80",
                                 {real_server({1, ForwardingMethod::FullNat, 8080})})};
    rig.apply();
    EXPECT_EQ(taken_before_drop(rig, DropReason::NoLocalPort,
                                [](unsigned n) -> Bytes { return v4().udp(port(n), 80); }),
              2U);
}

// Nobody is told of a packet too big: the client would believe that of the whole path.
TEST_F(Refusals, NoRouteToTheServer) {
    for (const auto method : {ForwardingMethod::DirectRouting, ForwardingMethod::Nat,
                              ForwardingMethod::FullNat, ForwardingMethod::Tunnel}) {
        Rig rig;
        rig.spec.local_addresses = {{net::IpAddress::parse(kDirector).value(), 5000, 6000}};
        rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1, method})})};
        rig.apply();
        EXPECT_EQ(rig.from_client(v4().udp(1001, 80)).own.verdict, lb::Verdict::Transmit);
        rig.spec.routes.clear();
        rig.apply();
        for (const std::uint16_t source :
             {std::uint16_t{1001}, std::uint16_t{1002}}) {  // a known connection, a new one
            const Reaction reaction = rig.from_client(v4().udp(source, 80));
            EXPECT_TRUE(drops(reaction.own, DropReason::NoRoute))
                << static_cast<int>(method) << " from " << source;
            EXPECT_TRUE(reaction.extra.empty());
        }
    }
}

TEST_F(Refusals, NoRouteBackToTheClient) {
    Rig rig;
    rig.spec.services = {
        service(Protocol::Udp, "10.1.0.10:80", {real_server({1, ForwardingMethod::Nat, 8080})})};
    std::erase_if(rig.spec.routes,
                  [](const lb::RouteSpec& route) { return route.destination.length == 0; });
    rig.apply();
    EXPECT_EQ(rig.from_client(v4().udp(1001, 80)).own.verdict, lb::Verdict::Transmit);
    const Reaction reply =
        rig.from_server(server_frame(1).ipv4(server_v4(1), kClient).udp(8080, 1001));
    EXPECT_TRUE(drops(reply.own, DropReason::NoRoute));
}

// As the kernel's blackhole: a route that names no port hides the shorter ones.
TEST_F(Refusals, RouteThatLeadsNowhere) {
    for (const char* destination : {"10.0.0.0/24", "10.0.0.1/32"}) {
        Rig rig;
        rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80",
                                     {real_server({1, ForwardingMethod::Nat, 8080})})};
        lb::RouteSpec nowhere;
        nowhere.destination = net::IpPrefix::parse(destination).value();
        rig.spec.routes.push_back(nowhere);
        rig.apply();
        EXPECT_EQ(rig.from_client(v4().udp(1001, 80)).own.verdict, lb::Verdict::Transmit);
        EXPECT_TRUE(
            drops(rig.from_server(server_frame(1).ipv4(server_v4(1), kClient).udp(8080, 1001)).own,
                  DropReason::NoRoute))
            << destination;
        EXPECT_EQ(rig.from_client(client_frame().ipv4("10.0.9.1", kVip).udp(1001, 80)).own.verdict,
                  lb::Verdict::Transmit);
        EXPECT_EQ(rig.from_server(server_frame(1).ipv4(server_v4(1), "10.0.9.1").udp(8080, 1001))
                      .own.verdict,
                  lb::Verdict::Transmit)
            << "others take the default route";
    }
}

TEST_F(Refusals, TooLargeForTheLinkAndNotToBeFragmented) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    for (lb::RouteSpec& route : rig.spec.routes) {
        if (route.port == kServerSide) route.mtu = 600;
    }
    rig.apply();
    const Bytes whole = v4().udp(9, 80).payload(700);
    const Reaction out = rig.from_client(whole);
    EXPECT_TRUE(drops(out.own, DropReason::MtuExceeded));
    // LVS quotes the packet as it would have gone on.
    EXPECT_TRUE(transmits(
        out.own, kClientSide,
        to_router()
            .ipv4(kVip, kClient)
            .may_fragment()
            .traffic_class(0xc0)
            .icmp(3, 4, 600)
            .quote(client_frame().ipv4(kClient, kVip).ttl(63).udp(9, 80).payload(700), 548)));
}

TEST_F(Refusals, NoRoomInFrontForTheTunnelHeader) {
    Rig rig;
    rig.spec.services = {
        service(Protocol::Udp, "10.1.0.10:80", {real_server({1, ForwardingMethod::Tunnel})})};
    for (lb::RouteSpec& route : rig.spec.routes) {
        if (route.port == kServerSide && route.destination.address.is_v4()) {
            route.preferred_source = net::IpAddress::parse(kDirector).value();
        }
    }
    rig.apply();
    SendOptions tight;
    tight.headroom = 19;
    EXPECT_TRUE(drops(rig.send(kClientSide, v4().udp(9, 80), tight).own, DropReason::NoHeadroom));
    tight.headroom = 20;
    EXPECT_EQ(rig.send(kClientSide, v4().udp(9, 80), tight).own.verdict, lb::Verdict::Transmit);
}

TEST_F(Refusals, AnswersAreRateLimited) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    rig.spec.sysctl.icmp_msgs_per_sec = 1;
    rig.spec.sysctl.icmp_msgs_burst = 2;
    rig.apply();
    const Bytes last = client_frame().ipv4(kClient, kVip).ttl(1).udp(9, 80);
    EXPECT_TRUE(drops(rig.from_client(last).own, DropReason::TtlExpired));
    EXPECT_TRUE(drops(rig.from_client(last).own, DropReason::TtlExpired));
    EXPECT_TRUE(drops(rig.from_client(last).own, DropReason::AnswerRateLimited));
    rig.advance(std::chrono::seconds(2));
    EXPECT_TRUE(drops(rig.from_client(last).own, DropReason::TtlExpired));
}

TEST_F(Refusals, NoBufferForTheSecondFragment) {
    Rig rig;
    rig.spec.services = {service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
    for (lb::RouteSpec& route : rig.spec.routes) {
        if (route.port == kServerSide) route.mtu = 600;
    }
    rig.apply();
    const Bytes whole = client_frame().ipv4(kClient, kVip).may_fragment().udp(9, 80).payload(700);
    const Reaction split = rig.from_client(whole);
    EXPECT_EQ(split.own.verdict, lb::Verdict::Transmit);
    EXPECT_EQ(split.extra.size(), 1U);
    rig.plane().set_packet_source(0, {nullptr, [](void*) { return lb::Packet{}; }});
    EXPECT_TRUE(drops(rig.from_client(whole).own, DropReason::NoBuffer));
}

}  // namespace
}  // namespace pollux::test
