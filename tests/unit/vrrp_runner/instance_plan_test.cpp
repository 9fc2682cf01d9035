// SPDX-License-Identifier: Apache-2.0

#include "control/vrrp/instance_plan.h"

#include <gtest/gtest.h>

#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

using testing::ip;
using testing::kWanTap;
using testing::prefix;
using testing::two_ports;

const net::MacAddress kWanMac = testing::mac("02:00:00:00:00:01");
const net::MacAddress kLanMac = testing::mac("02:00:00:00:00:02");

VrrpInstanceConfig instance() {
    VrrpInstanceConfig config;
    config.name = "VI_1";
    config.interface = "wan";
    config.virtual_router_id = 51;
    config.priority = 120;
    VirtualIpConfig vip;
    vip.address = prefix("10.0.0.3/24");
    vip.dev = "wan";
    config.virtual_ipaddress = {vip};
    return config;
}

TEST(InstancePlan, ProtocolTakesWhatTheConfigurationSays) {
    VrrpInstanceConfig config = instance();
    config.tuning.version = 2;
    config.authentication.type = AuthType::Pass;
    config.authentication.password = "12345678";
    config.advert_int = 2s;
    config.nopreempt = true;
    config.tuning.lower_prio_no_advert = true;
    config.tuning.checksum_v3_ipv4 = ChecksumV3Ipv4::Rfc9568;
    GlobalVrrpConfig global;
    global.startup_delay = 7s;
    const vrrp::InstanceConfig plan = plan_protocol(config, global);
    EXPECT_EQ(plan.version, 2);
    EXPECT_EQ(plan.virtual_router_id, 51);
    EXPECT_EQ(plan.priority, 120);
    EXPECT_EQ(plan.advert_interval, 2s);
    EXPECT_EQ(plan.addresses, std::vector{ip("10.0.0.3")});
    EXPECT_EQ(plan.auth_type, vrrp::kAuthPass);
    EXPECT_EQ(plan.auth_data[7], '8');
    EXPECT_EQ(plan.checksum, vrrp::ChecksumPolicy::MessageOnly);
    EXPECT_EQ(plan.group, ip("224.0.0.18"));
    EXPECT_EQ(plan.startup_delay, 7s);
    EXPECT_TRUE(plan.nopreempt);
    EXPECT_TRUE(plan.lower_prio_no_advert);
}

TEST(InstancePlan, Ipv6AlwaysSpeaksVersion3) {
    VrrpInstanceConfig config = instance();
    config.family = net::Family::V6;
    config.tuning.version = 2;
    const vrrp::InstanceConfig plan = plan_protocol(config, {});
    EXPECT_EQ(plan.version, 3);
    EXPECT_EQ(plan.group, ip("ff02::12"));
}

TEST(InstancePlan, VipsUseTheVirtualMacOnTheirOwnLanOnly) {
    VrrpInstanceConfig config = instance();
    VirtualIpConfig elsewhere;
    elsewhere.address = prefix("192.168.1.1/24");
    elsewhere.dev = "lan";
    config.virtual_ipaddress_excluded = {elsewhere};
    const PortTable ports = two_ports();
    std::vector<Vip> vips = plan_vips(config, ports);
    ASSERT_EQ(vips.size(), 2U);
    EXPECT_EQ(vips[0].mac, kWanMac);
    EXPECT_EQ(vips[1].mac, kLanMac);
    EXPECT_EQ(vips[1].port, lb::PortId{1});
    config.use_vmac = true;
    vips = plan_vips(config, ports);
    EXPECT_EQ(vips[0].mac.to_string(), "00:00:5e:00:01:33");
    EXPECT_EQ(vips[1].mac, kLanMac);
}

TEST(InstancePlan, AcceptIsOnForAnOwner) {
    VrrpInstanceConfig config = instance();
    config.accept = false;
    EXPECT_FALSE(plan_vips(config, two_ports())[0].accept);
    config.priority = 255;
    EXPECT_TRUE(plan_vips(config, two_ports())[0].accept);
}

TEST(InstancePlan, SourceIsThePortsAddressAndNeverAVirtualOne) {
    Config config;
    config.ports.resize(2);
    config.ports[0].address = {prefix("10.0.0.3/24"), prefix("10.0.0.5/24")};
    config.vrrp_instances = {instance()};
    const PortTable ports = two_ports();
    KernelTables kernel;
    EXPECT_EQ(source_address(instance(), config, ports.ports[0], kernel), ip("10.0.0.5"));
    config.ports[0].address.clear();
    EXPECT_TRUE(source_address(instance(), config, ports.ports[0], kernel).is_unspecified());
    kernel.addresses[kWanTap] = {prefix("10.0.0.3/24"), prefix("10.0.0.9/24")};
    EXPECT_EQ(source_address(instance(), config, ports.ports[0], kernel), ip("10.0.0.9"));
    VrrpInstanceConfig chosen = instance();
    chosen.mcast_src_ip = ip("10.0.0.77");
    EXPECT_EQ(source_address(chosen, config, ports.ports[0], kernel), ip("10.0.0.77"));
}

TEST(InstancePlan, Ipv6SourceIsLinkLocalUnlessPeersAreRouted) {
    Config config;
    config.ports.resize(2);
    config.ports[0].address = {prefix("2001:db8::5/64")};
    VrrpInstanceConfig v6 = instance();
    v6.family = net::Family::V6;
    v6.virtual_ipaddress[0].address = prefix("fe80::3/64");
    config.vrrp_instances = {v6};
    KernelTables kernel;
    kernel.addresses[kWanTap] = {prefix("fe80::3/64"), prefix("fe80::1:2/64")};
    const PortTable ports = two_ports();
    EXPECT_EQ(source_address(v6, config, ports.ports[0], kernel), ip("fe80::1:2"));
    v6.unicast_peer = {ip("2001:db8::6")};
    EXPECT_EQ(source_address(v6, config, ports.ports[0], kernel), ip("2001:db8::5"));
}

TEST(InstancePlan, PaceHasALimitOfItsOwn) {
    EXPECT_GT(plan_pace(0s).interval, 0s);
    EXPECT_EQ(plan_pace(2ms).interval, 2ms);
    EXPECT_EQ(plan_pace(2ms).burst, 1U);
}

TEST(InstancePlan, RulesMatchTheTap) {
    VrrpInstanceConfig config = instance();
    VirtualRuleConfig rule;
    rule.from = prefix("10.0.0.0/24");
    rule.iif = "lan";
    rule.table = 100;
    config.virtual_rule = {rule};
    const auto rules = plan_rules(config, two_ports());
    ASSERT_EQ(rules.size(), 1U);
    EXPECT_EQ(rules[0].incoming_interface, "lan");
    EXPECT_EQ(rules[0].family, net::Family::V4);
    EXPECT_EQ(rules[0].table, 100U);
}

}  // namespace
}  // namespace pollux::control
