// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/static_tables.h"

#include <gtest/gtest.h>

#include "control/nexthop/route_builder.h"
#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

// "wan" without a TAP, "lan" with one.
PortTable half_without_tap() {
    PortTable ports = two_ports();
    ports.ports[0].tap.clear();
    ports.ports[0].interface = kNoInterface;
    return ports;
}

Config config_of_two_ports() {
    Config config;
    config.ports.resize(2);
    config.ports[0].name = "wan";
    config.ports[0].address = {prefix("10.0.0.5/24")};
    config.ports[1].name = "lan";
    config.ports[1].address = {prefix("10.0.1.5/24")};
    RouteConfig route;
    route.to = prefix("0.0.0.0/0");
    route.via = ip("10.0.0.254");
    config.routes = {route};
    NeighbourConfig gateway;
    gateway.address = ip("10.0.0.254");
    gateway.mac = mac("02:aa:00:00:00:fe");
    gateway.dev = "wan";
    config.neighbours = {gateway};
    return config;
}

const lb::RouteSpec* find(const std::vector<lb::RouteSpec>& specs, const std::string& destination) {
    for (const lb::RouteSpec& spec : specs) {
        if (spec.destination == prefix(destination)) return &spec;
    }
    return nullptr;
}

TEST(StaticTables, PortWithoutTapUsesTheRoutesAndNeighboursOfTheFile) {
    const StaticTables made = static_tables(config_of_two_ports(), half_without_tap());

    const auto specs = build_routes(made.tables, made.ports);

    const lb::RouteSpec* gateway = find(specs, "0.0.0.0/0");
    ASSERT_NE(gateway, nullptr);
    EXPECT_EQ(gateway->port, lb::PortId{0});
    EXPECT_TRUE(gateway->resolved);
    EXPECT_EQ(gateway->destination_mac, mac("02:aa:00:00:00:fe"));
    EXPECT_EQ(gateway->preferred_source, ip("10.0.0.5"));
    ASSERT_NE(find(specs, "10.0.0.0/24"), nullptr);
    EXPECT_FALSE(find(specs, "10.0.0.0/24")->resolved);
    ASSERT_NE(find(specs, "10.0.0.254/32"), nullptr);
    EXPECT_TRUE(find(specs, "10.0.0.254/32")->resolved);
}

TEST(StaticTables, PortsWithATapAreLeftToTheKernel) {
    const StaticTables half = static_tables(config_of_two_ports(), half_without_tap());
    EXPECT_EQ(find(build_routes(half.tables, half.ports), "10.0.1.0/24"), nullptr);

    const StaticTables none = static_tables(config_of_two_ports(), two_ports());
    EXPECT_TRUE(build_routes(none.tables, none.ports).empty());
}

}  // namespace
}  // namespace pollux::control
