// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/route_builder.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

const lb::RouteSpec* find(const std::vector<lb::RouteSpec>& specs, const std::string& destination) {
    for (const lb::RouteSpec& spec : specs) {
        if (spec.destination == prefix(destination)) return &spec;
    }
    return nullptr;
}

TEST(RouteBuilder, OnLinkRouteGleans) {
    KernelTables tables;
    tables.routes.add(route("10.0.1.0/24", kLanTap), false);

    const auto specs = build_routes(tables, two_ports());

    ASSERT_EQ(specs.size(), 1U);
    EXPECT_EQ(specs[0].port, lb::PortId{1});
    EXPECT_EQ(specs[0].gateway.family, net::Family::None);
    EXPECT_FALSE(specs[0].resolved);
    EXPECT_EQ(specs[0].source_mac, mac("02:00:00:00:00:02"));
}

TEST(RouteBuilder, KnownNeighbourBecomesAHostRoute) {
    KernelTables tables;
    tables.routes.add(route("10.0.1.0/24", kLanTap), false);
    tables.neighbours[{kLanTap, ip("10.0.1.7")}] = neighbour("02:aa:00:00:00:07");

    const auto specs = build_routes(tables, two_ports());

    const lb::RouteSpec* host = find(specs, "10.0.1.7/32");
    ASSERT_NE(host, nullptr);
    EXPECT_TRUE(host->resolved);
    EXPECT_EQ(host->destination_mac, mac("02:aa:00:00:00:07"));
    EXPECT_EQ(host->gateway, ip("10.0.1.7"));
}

TEST(RouteBuilder, GatewayRouteIsResolvedByTheGatewaysNeighbourEntry) {
    KernelTables tables;
    tables.routes.add(route("10.0.0.0/24", kWanTap), false);
    tables.routes.add(route("0.0.0.0/0", kWanTap, "10.0.0.254"), false);
    const NeighbourKey gateway{kWanTap, ip("10.0.0.254")};

    EXPECT_FALSE(find(build_routes(tables, two_ports()), "0.0.0.0/0")->resolved);
    tables.neighbours[gateway] = neighbour("02:aa:00:00:00:fe", NeighbourState::Stale);
    const auto specs = build_routes(tables, two_ports());

    EXPECT_TRUE(find(specs, "0.0.0.0/0")->resolved);
    EXPECT_EQ(find(specs, "0.0.0.0/0")->destination_mac, mac("02:aa:00:00:00:fe"));
}

TEST(RouteBuilder, NeighbourThatDoesNotAnswerIsNotResolved) {
    for (const auto state : {NeighbourState::Incomplete, NeighbourState::Failed}) {
        KernelTables tables;
        tables.routes.add(route("10.0.1.0/24", kLanTap), false);
        tables.neighbours[{kLanTap, ip("10.0.1.7")}] = neighbour("02:aa:00:00:00:07", state);

        EXPECT_EQ(find(build_routes(tables, two_ports()), "10.0.1.7/32"), nullptr);
    }
}

// The kernel would not send there through a port, so a shorter prefix must not take the packets.
TEST(RouteBuilder, RoutesOfOtherInterfacesAndBlackholesNameNoPort) {
    KernelTables tables;
    KernelRoute blackhole;
    blackhole.destination = prefix("10.9.0.0/16");
    blackhole.unreachable = true;
    tables.routes.add(route("0.0.0.0/0", kWanTap, "10.0.0.254"), false);
    tables.routes.add(route("192.168.0.0/16", kForeign), false);
    tables.routes.add(blackhole, false);
    tables.neighbours[{kForeign, ip("192.168.0.1")}] = neighbour("02:aa:00:00:00:01");

    const auto specs = build_routes(tables, two_ports());

    ASSERT_EQ(specs.size(), 3U);
    EXPECT_EQ(find(specs, "0.0.0.0/0")->port, lb::PortId{0});
    EXPECT_EQ(find(specs, "192.168.0.0/16")->port, lb::kNoPort);
    EXPECT_EQ(find(specs, "10.9.0.0/16")->port, lb::kNoPort);
}

TEST(RouteBuilder, SmallestMetricWithALivingHopWins) {
    KernelTables tables;
    KernelRoute dead = route("10.9.0.0/16", kWanTap, "10.0.0.1");
    dead.metric = 10;
    dead.hops[0].alive = false;
    KernelRoute good = route("10.9.0.0/16", kLanTap, "10.0.1.1");
    good.metric = 20;
    tables.routes.add(dead, false);
    tables.routes.add(good, false);

    const auto specs = build_routes(tables, two_ports());

    ASSERT_EQ(specs.size(), 1U);
    EXPECT_EQ(specs[0].port, lb::PortId{1});
}

TEST(RouteBuilder, SourceOfAGatewayRouteIsThatOfTheOnLinkRoute) {
    KernelTables tables;
    KernelRoute link = route("10.0.0.0/24", kWanTap);
    link.preferred_source = ip("10.0.0.5");
    tables.routes.add(link, false);
    tables.routes.add(route("0.0.0.0/0", kWanTap, "10.0.0.254"), false);
    tables.addresses[kWanTap] = {prefix("10.7.0.1/32"), prefix("10.0.0.5/24")};

    EXPECT_EQ(find(build_routes(tables, two_ports()), "0.0.0.0/0")->preferred_source,
              ip("10.0.0.5"));
}

// IPv6 on-link routes name no source, and the kernel lists the newest address first.
TEST(RouteBuilder, SourceOfAnOnLinkRouteIsNoVirtualAddress) {
    KernelTables tables;
    tables.routes.add(route("2001:db8::/64", kWanTap), false);
    const net::IpPrefix own = prefix("2001:db8::5/64");
    const net::IpPrefix narrow_vip = prefix("2001:db8::100/128");
    const net::IpPrefix wide_vip = prefix("2001:db8::200/64");
    tables.addresses[kWanTap] = {wide_vip, narrow_vip, prefix("2001:db8:9::1/64"), own};
    const std::vector<lb::OwnedAddressSpec> vips{
        {narrow_vip.address, lb::PortId{0}, mac("02:00:00:00:00:01")},
        {wide_vip.address, lb::PortId{0}, mac("02:00:00:00:00:01")}};

    EXPECT_EQ(find(build_routes(tables, two_ports(), vips), "2001:db8::/64")->preferred_source,
              own.address);
    tables.addresses[kWanTap] = {narrow_vip, own};
    EXPECT_EQ(find(build_routes(tables, two_ports()), "2001:db8::/64")->preferred_source,
              own.address)
        << "a host address that nobody calls a VIP";
}

TEST(RouteBuilder, LinkLocalAndMulticastPrefixesAreLeftOut) {
    KernelTables tables;
    tables.routes.add(route("fe80::/64", kWanTap), false);
    tables.routes.add(route("ff00::/8", kWanTap), false);
    tables.neighbours[{kWanTap, ip("fe80::1")}] = neighbour("02:aa:00:00:00:01");

    EXPECT_TRUE(build_routes(tables, two_ports()).empty());
}

TEST(RouteBuilder, NextHopIsTheGatewayOrTheAddressItself) {
    KernelTables tables;
    tables.routes.add(route("10.0.1.0/24", kLanTap), false);
    tables.routes.add(route("0.0.0.0/0", kWanTap, "10.0.0.254"), false);
    const PortTable ports = two_ports();

    EXPECT_EQ(next_hop_of(tables, ports, ip("10.0.1.9")), (HopKey{lb::PortId{1}, ip("10.0.1.9")}));
    EXPECT_EQ(next_hop_of(tables, ports, ip("8.8.8.8")), (HopKey{lb::PortId{0}, ip("10.0.0.254")}));
    EXPECT_EQ(next_hop_of(tables, ports, ip("2001:db8::1")).port, lb::kNoPort);
}

TEST(RouteTable, ReplaceTakesTheNewHopAndAppendKeepsBoth) {
    RouteTable replaced;
    replaced.add(route("10.9.0.0/16", kWanTap, "10.0.0.1"), false);
    replaced.add(route("10.9.0.0/16", kWanTap, "10.0.0.2"), false);
    RouteTable appended;
    appended.add(route("10.9.0.0/16", kWanTap, "10.0.0.1"), false);
    appended.add(route("10.9.0.0/16", kWanTap, "10.0.0.2"), true);

    EXPECT_EQ(replaced.all().at(prefix("10.9.0.0/16")).at(0).hops.size(), 1U);
    EXPECT_EQ(replaced.all().at(prefix("10.9.0.0/16")).at(0).hops[0].gateway, ip("10.0.0.2"));
    EXPECT_EQ(appended.all().at(prefix("10.9.0.0/16")).at(0).hops.size(), 2U);
}

TEST(RouteTable, RemovingTheLastHopRemovesTheRoute) {
    RouteTable table;
    table.add(route("10.9.0.0/16", kWanTap, "10.0.0.1"), false);

    EXPECT_FALSE(table.remove(route("10.9.0.0/16", kWanTap, "10.0.0.9")));
    EXPECT_TRUE(table.remove(route("10.9.0.0/16", kWanTap, "10.0.0.1")));
    EXPECT_TRUE(table.all().empty());
}

}  // namespace
}  // namespace pollux::control
