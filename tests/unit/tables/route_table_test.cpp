// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/route_table.h"

#include <random>

#include <gtest/gtest.h>

namespace pollux::lb {
namespace {

net::IpPrefix prefix(std::string_view text) {
    return net::IpPrefix::parse(text).value();
}

RouteSpec to(std::string_view destination, std::uint16_t port) {
    RouteSpec route;
    route.destination = prefix(destination);
    route.port = PortId{port};
    return route;
}

// The port of the longest prefix that contains the address; kNoPort: none.
PortId slow_find(const std::vector<RouteSpec>& routes, const net::IpAddress& address) {
    const RouteSpec* best = nullptr;
    for (const RouteSpec& route : routes) {
        if (!route.destination.contains(address)) continue;
        if (best == nullptr || route.destination.length >= best->destination.length) best = &route;
    }
    return best == nullptr ? kNoPort : best->port;
}

PortId port_of(const RouteTable& table, const net::IpAddress& address) {
    const NextHop* hop = table.find(address);
    return hop == nullptr ? kNoPort : hop->port;
}

// Addresses of few different bytes, so that prefixes and hosts fall into each other's networks.
net::IpAddress any_address(std::mt19937_64& random, net::Family family) {
    net::IpAddress address;
    address.family = family;
    const unsigned length = family == net::Family::V4 ? 4 : 16;
    for (unsigned i = 0; i < length; ++i) {
        address.bytes[i] = static_cast<std::uint8_t>(10 + random() % 3);
    }
    return address;
}

std::vector<RouteSpec> any_routes(std::mt19937_64& random, net::Family family) {
    std::vector<RouteSpec> routes;
    const unsigned bits = family == net::Family::V4 ? 32 : 128;
    for (std::uint16_t port = 0; port < 60; ++port) {
        RouteSpec route;
        const bool is_host = random() % 2 == 0;
        const auto length = static_cast<std::uint8_t>(is_host ? bits : random() % (bits + 1));
        route.destination = net::IpPrefix{any_address(random, family), length}.network();
        route.port = PortId{port};
        const auto same = [&](const RouteSpec& other) {
            return other.destination == route.destination;
        };
        if (std::none_of(routes.begin(), routes.end(), same)) routes.push_back(route);
    }
    return routes;
}

void compare_with_slow_search(net::Family family) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        std::mt19937_64 random(seed);
        const std::vector<RouteSpec> routes = any_routes(random, family);
        const RouteTable table(routes, {});
        for (const RouteSpec& route : routes) {
            const net::IpAddress& address = route.destination.address;
            ASSERT_EQ(port_of(table, address), slow_find(routes, address))
                << address.to_string() << ", seed " << seed;
        }
        for (int i = 0; i < 100; ++i) {
            const net::IpAddress address = any_address(random, family);
            ASSERT_EQ(port_of(table, address), slow_find(routes, address))
                << address.to_string() << ", seed " << seed;
        }
    }
}

TEST(RouteTable, FindsTheLongestPrefixOfIpv4) {
    compare_with_slow_search(net::Family::V4);
}

TEST(RouteTable, FindsTheLongestPrefixOfIpv6) {
    compare_with_slow_search(net::Family::V6);
}

TEST(RouteTable, HasNoNextHopWithoutRoute) {
    const std::vector<RouteSpec> routes{to("10.0.0.0/8", 1)};
    const RouteTable table(routes, {});

    EXPECT_EQ(table.find(net::IpAddress::parse("11.0.0.1").value()), nullptr);
    EXPECT_EQ(table.find(net::IpAddress::parse("::1").value()), nullptr);
}

// Hosts scattered over more networks than get blocks of their own are still found, and so is what
// lies beside them.
TEST(RouteTable, KeepsManyScatteredHostsInBoundedMemory) {
    std::vector<RouteSpec> routes{to("0.0.0.0/0", 1)};
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        RouteSpec route;
        const auto host = static_cast<std::uint32_t>(random() | 1U);
        route.destination = {net::IpAddress::from_v4(net::Ipv4Address::from_host(host)), 32};
        route.port = PortId{2};
        routes.push_back(route);
    }
    const RouteTable table(routes, {});

    for (std::size_t i = 1; i < routes.size(); ++i) {
        net::IpAddress address = routes[i].destination.address;
        ASSERT_EQ(port_of(table, address), PortId{2}) << address.to_string();
        address.bytes[3] ^= 1U;  // an even last byte: no host has it
        ASSERT_EQ(port_of(table, address), PortId{1}) << address.to_string();
    }
    // Blocks of at most 2 MiB, and the hosts themselves.
    EXPECT_LE(table.memory_bytes(), (2U << 20U) + routes.size() * sizeof(NextHop));
}

}  // namespace
}  // namespace pollux::lb
