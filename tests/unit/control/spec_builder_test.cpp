// SPDX-License-Identifier: Apache-2.0
#include "control/spec/spec_builder.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

RealServerConfig real_server(const std::string& address, std::uint16_t weight = 1) {
    RealServerConfig server;
    server.address = ip(address);
    server.port = 80;
    server.weight = weight;
    return server;
}

VirtualServerConfig web_service() {
    VirtualServerConfig service;
    service.address = ip("10.0.0.100");
    service.port = 80;
    service.protocol = lb::Protocol::Tcp;
    service.real_server = {real_server("10.0.1.1", 3), real_server("10.0.1.2", 5)};
    return service;
}

ServerKey key_of(const VirtualServerConfig& service, std::size_t server) {
    return ServerKey::of(service, service.real_server.at(server));
}

std::vector<lb::RealServerSpec> servers_of(const VirtualServerConfig& service,
                                           const ServerStates& states) {
    return build_services(service, {}, states).at(0).servers;
}

TEST(SpecBuilder, DeadServerLeavesUnlessInhibited) {
    VirtualServerConfig service = web_service();
    service.real_server[1].inhibit_on_failure = true;
    ServerStates states;
    states.servers[key_of(service, 0)].alive = false;
    states.servers[key_of(service, 1)].alive = false;

    const auto servers = servers_of(service, states);

    ASSERT_EQ(servers.size(), 1U);
    EXPECT_EQ(servers[0].address, ip("10.0.1.2"));
    EXPECT_EQ(servers[0].weight, 0);
}

TEST(Limits, OnFullSaysWhetherHalfOpenConnectionsAreEvicted) {
    Config config;
    EXPECT_TRUE(build_limits(config).evict_embryonic);
    config.conntrack.on_full = OnFull::DropNew;
    EXPECT_FALSE(build_limits(config).evict_embryonic);
}

TEST(ServiceStates, SaysOfEachServerWhatTheWholeSays) {
    // Neighbours in the order of keys: the same servers, other ports and another service.
    VirtualServerConfig service = web_service(), before = service, after = service;
    before.port = 79;
    after.port = 81;
    service.real_server.push_back(real_server("10.0.1.2", 9));
    service.real_server.back().port = 81;
    service.real_server.push_back(real_server("10.0.0.9", 9));
    ServerStates states;
    for (const VirtualServerConfig& other : {before, after}) {
        states.servers[key_of(other, 0)].alive = false;
        states.servers[key_of(other, 1)].alive = false;
        states.without_quorum.insert(VirtualServerKey::of(other));
    }
    for (const RealServerConfig& server : service.real_server) {
        EXPECT_TRUE(ServiceStates(states, VirtualServerKey::of(service)).of(server).alive);
    }
    states.servers[key_of(service, 1)].alive = false;
    states.servers[key_of(service, 3)].operator_weight = 4;

    const ServiceStates ours(states, VirtualServerKey::of(service));

    EXPECT_FALSE(ours.without_quorum());
    for (const RealServerConfig& server : service.real_server) {
        const ServerState whole = states.of(ServerKey::of(service, server));
        EXPECT_EQ(ours.of(server).alive, whole.alive);
        EXPECT_EQ(ours.of(server).operator_weight, whole.operator_weight);
    }
    EXPECT_FALSE(ours.of(service.real_server[1]).alive);
    EXPECT_TRUE(ours.of(service.real_server[2]).alive);
    EXPECT_EQ(ours.of(service.real_server[3]).operator_weight, 4);
    EXPECT_TRUE(ServiceStates(states, VirtualServerKey::of(after)).without_quorum());
}

TEST(ServerStates, RemovedServersAreForgottenAndOthersKept) {
    const VirtualServerConfig before = web_service();
    VirtualServerConfig after = before;
    after.real_server.pop_back();
    ServerStates states;
    states.servers[key_of(before, 0)].operator_weight = 0;
    states.servers[key_of(before, 1)].operator_weight = 0;

    for (const ServerKey& key : removed_servers(std::vector{before}, std::vector{after})) {
        states.servers.erase(key);
    }

    EXPECT_EQ(servers_of(before, states)[0].weight, 0) << "drained, and still there";
    EXPECT_EQ(servers_of(before, states)[1].weight, 5) << "came back as the file has it";
}

TEST(SpecBuilder, OperatorsWeightBeatsTheChecksWhichBeatsTheFile) {
    const VirtualServerConfig service = web_service();
    ServerStates states;
    states.servers[key_of(service, 1)].checked_weight = 7;
    EXPECT_EQ(servers_of(service, states)[0].weight, 3);
    EXPECT_EQ(servers_of(service, states)[1].weight, 7);

    states.servers[key_of(service, 1)].operator_weight = 0;
    EXPECT_EQ(servers_of(service, states)[1].weight, 0);
}

TEST(SpecBuilder, SorryServerServesAloneWithoutQuorum) {
    VirtualServerConfig service = web_service();
    service.sorry_server = SorryServerConfig{};
    service.sorry_server->address = ip("10.0.1.200");
    service.sorry_server->port = 80;
    ServerStates states;
    states.without_quorum.insert(VirtualServerKey::of(service));

    const auto alone = servers_of(service, states);
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_EQ(alone[0].address, ip("10.0.1.200"));

    service.sorry_server->inhibit_on_failure = true;
    const auto beside = servers_of(service, states);
    ASSERT_EQ(beside.size(), 3U);
    EXPECT_EQ(beside[0].weight, 0);
    EXPECT_EQ(beside[1].weight, 0);
    EXPECT_EQ(beside[2].weight, 1);
}

TEST(SpecBuilder, GroupBecomesAServicePerAddressAndMark) {
    VirtualServerConfig service = web_service();
    service.group = "web";
    VirtualServerGroupConfig group;
    group.name = "web";
    GroupMemberConfig range;
    range.address = ip("10.0.0.254");
    range.address_last = ip("10.0.1.1");
    range.port = 8080;
    GroupMemberConfig mark;
    mark.fwmark = 3;
    group.member = {range, mark};

    const auto services = build_services(service, std::vector{group}, {});

    ASSERT_EQ(services.size(), 5U);
    EXPECT_EQ(services[0].address, ip("10.0.0.254"));
    EXPECT_EQ(services[1].address, ip("10.0.0.255"));
    EXPECT_EQ(services[2].address, ip("10.0.1.0"));
    EXPECT_EQ(services[3].address, ip("10.0.1.1"));
    EXPECT_EQ(services[3].port, 8080);
    EXPECT_EQ(services[4].fwmark, 3U);
    EXPECT_EQ(services[4].protocol, lb::Protocol::None);
    EXPECT_EQ(services[4].servers.size(), 2U);
    const auto keys = service_keys(service, std::vector{group});
    ASSERT_EQ(keys.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(keys[i], lb::ServiceKey::of(services[i]));
}

TEST(SpecBuilder, MarkServiceHasAFamilyAndNoAddress) {
    VirtualServerConfig service;
    service.fwmark = 9;
    service.family = net::Family::V6;

    const auto spec = build_services(service, {}, {}).at(0);

    EXPECT_EQ(spec.fwmark, 9U);
    EXPECT_TRUE(spec.address.is_v6());
    EXPECT_TRUE(spec.address.is_unspecified());
}

TEST(SpecBuilder, OwnedAddressesBringTheVirtualMacOnce) {
    Config config;
    config.ports.resize(2);
    config.ports[0].address = {prefix("10.0.0.5/24"), prefix("10.0.0.100/32")};
    const PortTable ports = two_ports();
    KernelTables kernel;
    kernel.addresses[kWanTap] = {prefix("10.0.0.5/24"), prefix("10.0.0.100/32"),
                                 prefix("10.0.0.77/24")};
    const net::MacAddress virtual_mac = mac("00:00:5e:00:01:33");
    const std::vector<lb::OwnedAddressSpec> vips = {{ip("10.0.0.100"), lb::PortId{0}, virtual_mac}};

    const auto spec = build_spec({config, ports, kernel, {}, vips});

    ASSERT_EQ(spec.owned.size(), 3U);
    EXPECT_EQ(spec.owned[0].address, ip("10.0.0.100"));
    EXPECT_EQ(spec.owned[0].mac, virtual_mac);
    EXPECT_EQ(spec.owned[1].address, ip("10.0.0.5"));
    EXPECT_EQ(spec.owned[1].mac, ports.ports[0].mac);
    EXPECT_EQ(spec.owned[2].address, ip("10.0.0.77"));
    EXPECT_EQ(spec.ports[0].extra_macs, std::vector{virtual_mac});
    EXPECT_TRUE(spec.ports[1].extra_macs.empty());
}

}  // namespace
}  // namespace pollux::control
