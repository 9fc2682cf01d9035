// SPDX-License-Identifier: Apache-2.0
// Addresses that cannot be what the file makes of them: what is said about each.
#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

struct Case {
    std::string name;
    std::string toml;
    std::vector<std::string> expected;
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
    return out << value.name;
}

class AddressRule : public ::testing::TestWithParam<Case> {};

TEST_P(AddressRule, NamesTheViolationAndItsPlace) {
    const bool alone = GetParam().toml.find("[dpdk]") != std::string::npos;
    EXPECT_EQ(alone ? judge_alone(GetParam().toml) : judge(GetParam().toml), GetParam().expected);
}

std::string case_name(const ::testing::TestParamInfo<Case>& parameter) {
    return parameter.param.name;
}

// A service on 198.51.100.2, with the server's address in line 6.
std::string server(const std::string& address, const std::string& more = "") {
    return "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
           "[[virtual_server.real_server]]\naddress = \"" +
           address + "\"\n" + more;
}

// An instance with these addresses in line 5.
std::string instance(const std::string& addresses, const std::string& more = "") {
    return "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n" +
           addresses + "\n" + more;
}

INSTANTIATE_TEST_SUITE_P(
    Servers, AddressRule,
    ::testing::Values(
        Case{"server_is_loopback",
             server("127.0.0.1"),
             {"E0239 6:11 real server 127.0.0.1 is this node | a loopback address"}},
        Case{"server_is_anywhere_in_127",
             server("127.255.0.9"),
             {"E0239 6:11 real server 127.255.0.9 is this node | a loopback address"}},
        Case{"server_is_loopback_of_IPv6",
             server("::1", "lvs_method = \"TUN\"\n"),
             {"E0239 6:11 real server ::1 is this node | a loopback address"}},
        Case{"sorry_server_is_loopback",
             server("10.0.0.12",
                    "[virtual_server.sorry_server]\naddress = \"127.0.0.1\"\nport = 80\n"),
             {"E0239 8:11 sorry server 127.0.0.1 is this node | a loopback address"}},
        Case{"server_is_a_port",
             server("10.0.0.1"),
             {"E0239 6:11 real server 10.0.0.1 is this node | an address of port \"wan\""}},
        Case{"server_is_a_virtual_address",
             server("198.51.100.10") +
                 instance("virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]"),
             {"E0239 6:11 real server 198.51.100.10 is this node | a virtual address of "
              "[[vrrp_instance]] \"VI_1\""}},
        Case{"server_is_an_excluded_virtual_address",
             server("198.51.100.11") +
                 instance("virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n"
                          "virtual_ipaddress_excluded = [{ address = \"198.51.100.11/24\" }]"),
             {"E0239 6:11 real server 198.51.100.11 is this node | a virtual address of "
              "[[vrrp_instance]] \"VI_1\""}},
        Case{"server_is_a_local_address",
             server("10.0.0.12", "[[virtual_server.real_server]]\naddress = \"10.0.0.5\"\n") +
                 "[[local_address]]\naddress = \"10.0.0.5\"\n",
             {"E0239 8:11 real server 10.0.0.5 is this node | a [[local_address]]",
              "W0226 10:11 nobody answers for [[local_address]] 10.0.0.5 | in no "
              "[[vrrp_instance]], and no port has it"}},
        Case{"server_is_the_service",
             "[[virtual_server]]\naddress = \"192.0.2.7\"\nport = 80\nprotocol = \"TCP\"\n"
             "[[virtual_server.real_server]]\naddress = \"192.0.2.7\"\nport = 8080\n",
             {"W0222 2:11 nobody answers for 192.0.2.7 | in no [[vrrp_instance]], and no port has "
              "it",
              "E0239 6:11 real server 192.0.2.7 is this node | the address of the service"}},
        Case{"server_is_of_the_services_group",
             "[[virtual_server]]\ngroup = \"G\"\nprotocol = \"TCP\"\n"
             "real_server = [{ address = \"192.0.2.6\", port = 8080 }]\n"
             "[[virtual_server_group]]\nname = \"G\"\n"
             "member = [{ address = \"192.0.2.5-7\", port = 80 }]\n",
             {"E0239 4:28 real server 192.0.2.6 is this node | the address of the service"}},
        Case{"server_beside_the_services_group",
             "[[virtual_server]]\ngroup = \"G\"\nprotocol = \"TCP\"\n"
             "real_server = [{ address = \"192.0.2.8\", port = 8080 }]\n"
             "[[virtual_server_group]]\nname = \"G\"\n"
             "member = [{ address = \"192.0.2.5-7\", port = 80 }]\n",
             {}},
        Case{"server_unspecified",
             server("0.0.0.0"),
             {"E0228 6:11 0.0.0.0 cannot be a real server | the unspecified address"}},
        Case{"server_is_the_limited_broadcast",
             server("255.255.255.255"),
             {"E0228 6:11 255.255.255.255 cannot be a real server | the broadcast address of every "
              "network"}},
        Case{"server_is_a_network",
             server("10.0.0.0"),
             {"E0228 6:11 10.0.0.0 cannot be a real server | the network address of 10.0.0.0/24 on "
              "port \"wan\""}},
        Case{"server_is_a_broadcast",
             server("10.0.0.255"),
             {"E0228 6:11 10.0.0.255 cannot be a real server | the broadcast address of "
              "10.0.0.0/24 on port \"wan\""}},
        // In a network that no port is in, nobody knows where it ends.
        Case{"server_that_ends_in_255", server("10.1.0.255"), {}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    VirtualAddresses, AddressRule,
    ::testing::Values(
        Case{"virtual_address_is_a_ports",
             instance("virtual_ipaddress = [{ address = \"198.51.100.2/24\" }]"),
             {"E0333 5:34 virtual address 198.51.100.2 of [[vrrp_instance]] \"VI_1\" belongs to a "
              "port too | moves between the nodes"}},
        Case{"excluded_virtual_address_is_a_ports",
             instance("virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n"
                      "virtual_ipaddress_excluded = [{ address = \"10.0.0.1/32\" }]"),
             {"E0333 6:43 virtual address 10.0.0.1 of [[vrrp_instance]] \"VI_1\" belongs to a port "
              "too | moves between the nodes"}},
        Case{
            "virtual_address_of_the_owner",
            instance("virtual_ipaddress = [{ address = \"198.51.100.2/24\" }]", "priority = 255\n"),
            {}},
        Case{"loopback_as_virtual_address",
             instance("virtual_ipaddress = [{ address = \"127.0.0.2/8\" }]"),
             {"E0321 5:34 127.0.0.2 cannot be a virtual address | a loopback address"}},
        Case{"limited_broadcast_as_virtual_address",
             instance("virtual_ipaddress = [{ address = \"255.255.255.255/32\" }]"),
             {"E0321 5:34 255.255.255.255 cannot be a virtual address | the broadcast address of "
              "every network"}}),
    case_name);

std::string service(const std::string& address) {
    return "[[virtual_server]]\naddress = \"" + address +
           "\"\nport = 80\nprotocol = \"TCP\"\nlvs_method = \"TUN\"\n"
           "real_server = [{ address = \"10.0.0.12\" }]\n";
}

INSTANTIATE_TEST_SUITE_P(
    Services, AddressRule,
    ::testing::Values(
        Case{"service_on_every_address",
             service("0.0.0.0"),
             {"E0240 2:11 0.0.0.0 cannot be the address of a service | the unspecified address"}},
        Case{"service_on_loopback",
             service("::1"),
             {"E0240 2:11 ::1 cannot be the address of a service | a loopback address"}},
        Case{"service_on_multicast",
             service("ff02::5"),
             {"E0240 2:11 ff02::5 cannot be the address of a service | a multicast address"}},
        Case{"service_on_the_limited_broadcast",
             service("255.255.255.255"),
             {"E0240 2:11 255.255.255.255 cannot be the address of a service | the broadcast "
              "address of every network"}},
        Case{"group_on_loopback",
             "[[virtual_server]]\ngroup = \"G\"\nprotocol = \"TCP\"\n"
             "real_server = [{ address = \"10.0.0.12\", port = 8080 }]\n"
             "[[virtual_server_group]]\nname = \"G\"\n"
             "member = [{ address = \"127.0.0.5-7\", port = 80 }]\n",
             {"E0240 7:23 127.0.0.5 cannot be the address of a service | a loopback address"}}),
    case_name);

std::string port(const std::string& address) {
    return "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"wan\"\nvdev = \"net_null0\"\n"
           "address = [\"" +
           address + "\"]\n";
}

INSTANTIATE_TEST_SUITE_P(
    Ports, AddressRule,
    ::testing::Values(
        Case{"port_unspecified",
             port("0.0.0.0/24"),
             {"E0411 6:11 0.0.0.0 cannot be an address of port \"wan\" | the unspecified address"}},
        Case{"port_on_loopback",
             port("::1/128"),
             {"E0411 6:11 ::1 cannot be an address of port \"wan\" | a loopback address"}},
        Case{"port_on_multicast",
             port("224.0.0.9/24"),
             {"E0411 6:11 224.0.0.9 cannot be an address of port \"wan\" | a multicast address"}},
        Case{"port_is_a_network",
             port("10.0.0.0/24"),
             {"E0411 6:11 10.0.0.0 cannot be an address of port \"wan\" | the network address of "
              "10.0.0.0/24"}},
        Case{"port_is_a_broadcast",
             port("10.0.3.255/22"),
             {"E0411 6:11 10.0.3.255 cannot be an address of port \"wan\" | the broadcast address "
              "of 10.0.0.0/22"}},
        Case{"port_that_ends_in_255", port("10.0.2.255/22"), {}},
        Case{"port_of_a_pair", port("10.0.0.0/31"), {}},
        Case{"port_of_one_address", port("10.0.0.255/32"), {}},
        Case{"port_of_all_addresses",
             port("10.0.0.1/0"),
             {"E0411 6:11 10.0.0.1/0 of port \"wan\" takes in all addresses | every host would be "
              "on the link of this port"}}),
    case_name);

}  // namespace
}  // namespace pollux::control::testing
