// SPDX-License-Identifier: Apache-2.0
// Addresses that cannot be what the file makes of them: what is said about each.
#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

class AddressRule : public ::testing::TestWithParam<Case> {};

TEST_P(AddressRule, NamesTheViolationAndItsPlace) {
    EXPECT_EQ(judge_case(GetParam()), GetParam().expected);
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

// Two ports and a route to 192.0.2.0/24, its lines from line 13 on.
std::string route(const std::string& lines, const std::string& before = "",
                  const std::string& wan = "") {
    return "[dpdk]\nidle = \"adaptive\"\n"
           "[[dpdk.port]]\nname = \"wan\"\nvdev = \"net_null0\"\n"
           "address = [\"198.51.100.2/24\", \"203.0.113.2/29\", \"2001:db8::2/64\"]\n" +
           wan +
           "[[dpdk.port]]\nname = \"lan\"\nvdev = \"net_null1\"\n"
           "address = [\"10.0.0.1/24\"]\n" +
           before + "[[route]]\nto = \"192.0.2.0/24\"\n" + lines + "\n";
}

const std::string kAbroad = "via = \"10.0.0.9\"\ndev = \"wan\"";
const std::string kInNoNetwork =
    " the gateway of [[route]] 192.0.2.0/24 is in no network of port \"wan\" | the port is in "
    "198.51.100.0/24, 203.0.113.0/29";

INSTANTIATE_TEST_SUITE_P(
    Routes, AddressRule,
    ::testing::Values(
        Case{"gateway_of_its_port", route("via = \"203.0.113.6\"\ndev = \"wan\""), {}},
        Case{"gateway_of_another_port", route(kAbroad), {"E0406 13:7" + kInNoNetwork}},
        Case{"gateway_on_the_link",
             route(kAbroad, "[[route]]\nto = \"10.0.0.9/32\"\ndev = \"wan\"\n"),
             {}},
        Case{"gateway_on_the_link_too_late",
             route(kAbroad + "\n[[route]]\nto = \"10.0.0.9/32\"\ndev = \"wan\""),
             {"E0406 13:7" + kInNoNetwork}},
        Case{"gateway_without_the_kernels_side",
             route(kAbroad, "", "exception = { type = \"none\" }\n"),
             {}},
        Case{"gateway_of_a_port_without_addresses_of_the_family",
             route("via = \"192.0.2.1\"\ndev = \"lan\"\n[[route]]\nto = \"2001:db8:9::/48\"\n"
                   "via = \"2001:db8:1::9\"\ndev = \"lan\""),
             {"E0406 13:7 the gateway of [[route]] 192.0.2.0/24 is in no network of port \"lan\" | "
              "the port is in 10.0.0.0/24"}},
        Case{"gateway_link_local",
             route("via = \"10.0.0.9\"\n[[route]]\nto = \"default6\"\nvia = \"fe80::1\"\n"
                   "dev = \"wan\""),
             {}},
        Case{
            "source_of_nobody",
            route("via = \"10.0.0.9\"\nsrc = \"10.0.0.3\""),
            {"E0405 14:7 the source of [[route]] 192.0.2.0/24 is no address of this node | no port "
             "and no [[vrrp_instance]] has it"}},
        Case{"source_of_another_port", route("via = \"10.0.0.9\"\nsrc = \"198.51.100.2\""), {}},
        Case{"source_of_an_instance",
             route("via = \"10.0.0.9\"\nsrc = \"198.51.100.10\"\n" +
                   instance("virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]")),
             {}},
        Case{"source_of_the_other_family",
             route("via = \"10.0.0.9\"\nsrc = \"2001:db8::2\""),
             {"E0405 14:7 [[route]] 192.0.2.0/24 has a source of the other address family | the "
              "destination is another family"}},
        Case{"route_twice",
             route("via = \"10.0.0.9\"\n[[route]]\nto = \"192.0.2.7/24\"\nvia = \"10.0.0.8\""),
             {"E0403 15:6 [[route]] 192.0.2.0/24 twice with metric 0 | the second one"}},
        Case{"route_of_another_metric",
             route("via = \"10.0.0.9\"\n[[route]]\nto = \"192.0.2.0/24\"\nvia = \"10.0.0.8\"\n"
                   "metric = 5"),
             {}}),
    case_name);

}  // namespace
}  // namespace pollux::control::testing
