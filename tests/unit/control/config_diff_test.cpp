// SPDX-License-Identifier: Apache-2.0
#include "control/director/config_diff.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;
using Lines = std::vector<std::string>;

Config one_service() {
    Config config;
    config.ports.resize(1);
    config.ports[0].name = "wan";
    VirtualServerConfig service;
    service.address = ip("10.0.0.100");
    service.port = 80;
    service.protocol = lb::Protocol::Tcp;
    for (const char* address : {"10.0.1.1", "10.0.1.2"}) {
        RealServerConfig server;
        server.address = ip(address);
        server.port = 80;
        service.real_server.push_back(server);
    }
    config.virtual_servers.push_back(service);
    return config;
}

TEST(ConfigDiff, EqualConfigurationsDoNotDiffer) {
    const ConfigDiff diff = diff_configs(one_service(), one_service());

    EXPECT_TRUE(diff.changes.empty());
    EXPECT_TRUE(diff.restart_only.empty());
}

TEST(ConfigDiff, NamesServersThatComeGoAndChange) {
    Config after = one_service();
    auto& servers = after.virtual_servers[0].real_server;
    servers[0].weight = 4;
    servers.erase(servers.begin() + 1);
    RealServerConfig added = servers[0];
    added.address = ip("10.0.1.3");
    servers.push_back(added);

    const ConfigDiff diff = diff_configs(one_service(), after);

    EXPECT_EQ(diff.changes,
              (Lines{"virtual_server TCP 10.0.0.100:80: real_server 10.0.1.2:80 removed",
                     "virtual_server TCP 10.0.0.100:80: real_server 10.0.1.1:80 weight 1 -> 4",
                     "virtual_server TCP 10.0.0.100:80: real_server 10.0.1.3:80 added"}));
}

TEST(ConfigDiff, NamesServicesThatComeAndGo) {
    Config after = one_service();
    after.virtual_servers[0].port = 443;

    EXPECT_EQ(diff_configs(one_service(), after).changes,
              (Lines{"virtual_server TCP 10.0.0.100:80 removed",
                     "virtual_server TCP 10.0.0.100:443 added"}));
}

TEST(ConfigDiff, OrderOfServersIsAChange) {
    Config after = one_service();
    std::swap(after.virtual_servers[0].real_server[0], after.virtual_servers[0].real_server[1]);

    EXPECT_EQ(diff_configs(one_service(), after).changes,
              (Lines{"virtual_server TCP 10.0.0.100:80: order of real servers changed"}));
}

TEST(ConfigDiff, RestartOnlyKeysAreNamed) {
    Config after = one_service();
    after.dpdk.worker_lcores = {1, 2};
    after.ports[0].mtu = 9000;
    after.conntrack.max_connections = 7;
    after.api.control_socket = "/elsewhere";
    after.log.target = LogTarget::Syslog;
    after.global.scripts.user = "scripts";

    EXPECT_EQ(diff_configs(one_service(), after).restart_only,
              (Lines{"dpdk.worker_lcores", "dpdk.port \"wan\" mtu", "conntrack.max_connections",
                     "log.target", "api.control_socket", "global.scripts.user"}));
}

TEST(ConfigDiff, AddressesAndLogLevelReload) {
    Config after = one_service();
    after.ports[0].address = {prefix("10.0.0.9/24")};
    after.log.level = LogLevel::Debug;

    const ConfigDiff diff = diff_configs(one_service(), after);

    EXPECT_TRUE(diff.restart_only.empty());
    EXPECT_EQ(diff.changes, (Lines{"dpdk.port \"wan\" address changed", "log level changed"}));
}

}  // namespace
}  // namespace pollux::control
