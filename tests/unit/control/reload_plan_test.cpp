// SPDX-License-Identifier: Apache-2.0
#include "control/director/reload_plan.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

// Two services with the servers 10.0.1.1 and 10.0.1.2 each.
Config two_services() {
    Config config;
    for (const char* address : {"10.0.0.100", "10.0.0.101"}) {
        VirtualServerConfig service;
        service.address = ip(address);
        service.port = 80;
        service.protocol = lb::Protocol::Tcp;
        for (const char* server : {"10.0.1.1", "10.0.1.2"}) {
            service.real_server.emplace_back();
            service.real_server.back().address = ip(server);
            service.real_server.back().port = 80;
        }
        config.virtual_servers.push_back(service);
    }
    return config;
}

ReloadPlan plan(const Config& before, const Config& after) {
    return plan_reload(before, std::make_shared<const Config>(after));
}

TEST(ReloadPlan, KeepsServicesThatAreWordForWordTheSameWhateverTheirPlace) {
    Config after = two_services();
    std::swap(after.virtual_servers[0], after.virtual_servers[1]);
    after.virtual_servers[1].real_server[0].weight = 7;
    EXPECT_EQ(plan(two_services(), after).kept, (std::vector<bool>{true, false}));
}

TEST(ReloadPlan, NamesServersThatGoByTheirService) {
    Config after = two_services();
    after.virtual_servers[1].real_server.pop_back();
    const auto removed = plan(two_services(), after).removed;
    ASSERT_EQ(removed.size(), 1U);
    EXPECT_EQ(removed[0].service.address, ip("10.0.0.101"));
    EXPECT_EQ(removed[0].address, ip("10.0.1.2"));
}

TEST(ReloadPlan, HasTheServersAddressesOnlyWhenTheyAreOthers) {
    Config after = two_services();
    after.virtual_servers.pop_back();  // the other one has the same servers
    EXPECT_FALSE(plan(two_services(), after).server_addresses);
    after.virtual_servers[0].real_server.pop_back();
    EXPECT_EQ(plan(two_services(), after).server_addresses, std::set{ip("10.0.1.1")});
}

TEST(ReloadPlan, OnlyNewServersMustProveThemselves) {
    Config before = two_services();
    CheckConfig check;
    check.alpha = true;
    before.virtual_servers[0].real_server[0].check = {check};
    Config after = before;
    after.virtual_servers[0].real_server.push_back(before.virtual_servers[0].real_server[0]);
    after.virtual_servers[0].real_server.back().address = ip("10.0.1.3");
    const auto unproven = plan(before, after).unproven;
    ASSERT_EQ(unproven.size(), 1U);
    EXPECT_EQ(unproven[0].address, ip("10.0.1.3"));
}

}  // namespace
}  // namespace pollux::control
