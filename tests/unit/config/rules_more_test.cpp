// SPDX-License-Identifier: Apache-2.0
// Rules of checks, ports and general settings: what is said about each violation.
#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

class OtherRule : public ::testing::TestWithParam<Case> {};

TEST_P(OtherRule, NamesTheViolationAndItsPlace) {
    EXPECT_EQ(judge_case(GetParam()), GetParam().expected);
}

// A check in lines 7 and following.
std::string check(const std::string& lines) {
    return "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
           "[[virtual_server.real_server]]\naddress = \"10.0.0.12\"\n"
           "[[virtual_server.real_server.check]]\n" +
           lines + "\n";
}

INSTANTIATE_TEST_SUITE_P(
    Checks, OtherRule,
    ::testing::Values(
        Case{"HTTP_GET_without_url",
             check("type = \"HTTP_GET\""),
             {"E0216 8:8 HTTP_GET has no `url` | `url` is missing"}},
        Case{"MISC_CHECK_without_path",
             check("type = \"MISC_CHECK\""),
             {"E0216 8:8 MISC_CHECK has no `misc_path` | `misc_path` is missing"}},
        Case{"digest_of_three",
             check("type = \"HTTP_GET\"\nurl = [{ path = \"/\", digest = \"abc\" }]"),
             {"E0217 9:31 `digest` is not an MD5 digest | expected 32 hex digits, this has 3 "
              "characters"}},
        Case{"key_of_another_type",
             check("type = \"TCP_CHECK\"\nhttp_protocol = \"1.1\""),
             {"E0218 9:1 `http_protocol` does not belong to TCP_CHECK | belongs to HTTP_GET and "
              "SSL_GET"}},
        Case{"url_of_a_TCP_CHECK",
             check("type = \"TCP_CHECK\"\nurl = [{ path = \"/\" }]"),
             {"E0218 9:8 `url` does not belong to TCP_CHECK | belongs to HTTP_GET and SSL_GET"}},
        Case{"regex_without_end",
             check("type = \"HTTP_GET\"\nurl = [{ regex = \"(ok\" }]"),
             {"E0224 9:18 `regex` is not a regular expression | missing closing parenthesis at "
              "character 4"}},
        Case{"path_without_slash",
             check("type = \"HTTP_GET\"\nurl = [{ path = \"health\" }]"),
             {"E0112 9:17 `path` has a value that cannot be read | a path starts with \"/\""}},
        Case{"reply_lengths",
             check("type = \"UDP_CHECK\"\nmin_reply_length = 9\nmax_reply_length = 8"),
             {"E0231 9:20 `min_reply_length` is above `max_reply_length` | no answer could fit"}},
        Case{"half_a_certificate",
             check("type = \"SSL_GET\"\nurl = [{ path = \"/\" }]\nkey_file = \"/etc/k\""),
             {"E0232 10:1 a client certificate and its key go together | `certificate_file` is "
              "missing"}},
        Case{"source_of_the_other_family",
             check("type = \"TCP_CHECK\"\nbindto = \"2001:db8::1\""),
             {"E0234 9:10 `bindto` is of the other address family | the source of the check"}},
        Case{"unknown_track_file",
             check("type = \"FILE_CHECK\"\ntrack_file = \"f\""),
             {"E0601 9:14 [[virtual_server]] 198.51.100.2:80 names an unknown "
              "[[vrrp_track_file]] \"f\" | no [[vrrp_track_file]] has this name"}},
        Case{"unknown_DNS_type",
             check("type = \"DNS_CHECK\"\ndns_type = \"PTR\""),
             {"E0106 9:12 unknown value `PTR` for `dns_type` | expected A, NS, CNAME, SOA, MX, "
              "TXT or AAAA"}},
        Case{"check_of_a_server_on_every_port",
             "[[virtual_server]]\nfwmark = 3\n"
             "real_server = [{ address = \"10.0.0.12\", check = [{ type = \"TCP_CHECK\" }] }]\n"
             "[[mark]]\nmark = 3\n",
             {"E0233 3:59 TCP_CHECK does not know which port to ask | `connect_port` is missing: "
              "the server has port 0"}}),
    case_name);

// A check through a DR service in lines 8 and following.
std::string through_service(const std::string& service, const std::string& lines,
                            const std::string& more = "") {
    return "[[virtual_server]]\n" + service + "\nprotocol = \"TCP\"\nlvs_method = \"DR\"\n" +
           "[[virtual_server.real_server]]\naddress = \"10.0.0.12\"\n" +
           "[[virtual_server.real_server.check]]\ntype = \"TCP_CHECK\"\nconnect_port = 80\n" +
           "check_via = \"service\"\n" + lines + "\n" + more;
}

const std::string kByAddress = "address = \"198.51.100.2\"\nport = 80";
const std::string kByGroup = "group = \"G\"\nlvs_sched = \"rr\"";
const std::string kGroup =
    "[[virtual_server_group]]\nname = \"G\"\nmember = [{ address = \"198.51.100.5-7\", "
    "port = 80 }]\n";

INSTANTIATE_TEST_SUITE_P(
    ChecksThroughServices, OtherRule,
    ::testing::Values(
        Case{"good", through_service(kByAddress, ""), {}},
        Case{"own_address_named",
             through_service(kByAddress, "connect_ip = \"198.51.100.2\"\nbindto = \"10.0.0.1\""),
             {}},
        Case{"no_port_of_its_own",
             through_service(kByAddress, "bind_port = 4000"),
             {"E0236 12:1 `bind_port` does not go with check_via = \"service\" | answers of "
              "several servers could not be told apart"}},
        Case{"no_foreign_address",
             through_service(kByAddress, "connect_ip = \"10.0.0.12\""),
             {"E0238 12:14 `connect_ip` is no address of the service | is asked through the "
              "service's forwarding method"}},
        Case{"source_of_the_other_family",
             through_service(kByAddress, "bindto = \"2001:db8::1\""),
             {"E0234 12:10 `bindto` is of the other address family | the source of the check"}},
        Case{"a_group_needs_an_address",
             through_service(kByGroup, "", kGroup),
             {"E0237 11:13 this check does not know which virtual address to ask | the service has "
              "the addresses of a group"}},
        Case{"a_groups_address",
             through_service(kByGroup, "connect_ip = \"198.51.100.6\"", kGroup),
             {}},
        Case{"not_the_groups_address",
             through_service(kByGroup, "connect_ip = \"198.51.100.8\"", kGroup),
             {"E0238 12:14 `connect_ip` is no address of the service | is asked through the "
              "service's forwarding method"}},
        Case{"NAT_asks_the_server",
             check("type = \"TCP_CHECK\"\ncheck_via = \"service\"\n"
                   "connect_ip = \"198.51.100.2\""),
             {"E0111 10:1 `connect_ip` does not go with check_via = \"service\" and NAT | the "
              "server's own address is asked, as the method does"}},
        Case{"stand_ins_of_the_other_family",
             "[global]\nstand_in_ipv4 = \"fd00::/64\"\n",
             {"E0507 2:17 `stand_in_ipv4` is no range for stand-in addresses | expected an IPv4 "
              "prefix of length 8 to 28"}},
        Case{"stand_ins_too_few",
             "[global]\nstand_in_ipv6 = \"fd00::/124\"\n",
             {"E0507 2:17 `stand_in_ipv6` is no range for stand-in addresses | expected an IPv6 "
              "prefix of length 32 to 120"}},
        Case{"stand_ins_in_use",
             "[global]\nstand_in_ipv4 = \"10.0.0.0/16\"\n",
             {"E0508 2:17 `stand_in_ipv4` overlaps an address in use | stand-in addresses are for "
              "checks of this host alone"}}),
    case_name);

// A port in lines 3 and following.
std::string port(const std::string& lines) {
    return "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"wan\"\n" + lines + "\n";
}

INSTANTIATE_TEST_SUITE_P(
    Ports, OtherRule,
    ::testing::Values(
        Case{"worker_on_the_control_core",
             "[dpdk]\nworker_lcores = \"0-1\"\n[[dpdk.port]]\nname = \"wan\"\nvdev = "
             "\"net_null0\"\n",
             {"E0401 2:17 CPU 0 has two tasks with idle = \"poll\" | a worker and the control "
              "core"}},
        Case{"two_workers_on_one_core",
             "[dpdk]\nworker_lcores = [2, 3, 2]\n[[dpdk.port]]\nname = \"wan\"\n"
             "vdev = \"net_null0\"\n",
             {"E0401 2:17 CPU 2 has two tasks with idle = \"poll\" | two workers"}},
        Case{"adaptive_workers_share_cores",
             "[dpdk]\nidle = \"adaptive\"\nworker_lcores = [0, 0]\n[[dpdk.port]]\nname = \"wan\"\n"
             "vdev = \"net_null0\"\n",
             {}},
        Case{"no_port", "[dpdk]\nidle = \"adaptive\"\n", {"E0404 0:0 no port is defined | "}},
        Case{"no_device",
             port(""),
             {"E0402 3:1 [[dpdk.port]] \"wan\" has no device | `pci` or `vdev` is missing"}},
        Case{"two_devices",
             port("pci = \"0000:3b:00.0\"\nvdev = \"net_null0\""),
             {"E0111 5:1 [[dpdk.port]] \"wan\" has two devices | a NIC"}},
        Case{"malformed_pci",
             port("pci = \"3b.00\""),
             {"E0112 5:7 `pci` has a value that cannot be read | expected "
              "domain:bus:device.function"}},
        Case{"device_twice",
             port("vdev = \"net_null0\"\n[[dpdk.port]]\nname = \"lan\"\nvdev = \"net_null0,x=1\""),
             {"E0403 8:8 two ports have the same device net_null0,x=1 | the second one"}},
        Case{"interface_of_two_ports",
             port("vdev = \"net_af_packet0,iface=eth0\"\n[[dpdk.port]]\nname = \"lan\"\n"
                  "vdev = \"net_af_packet1,blocksz=4096,iface=eth0,qpairs=1\""),
             {"E0403 8:8 two ports work on the interface eth0 | the second one"}},
        Case{"queues_of_one_interface",
             port("vdev = \"net_af_xdp0,iface=eth0,start_queue=0\"\n[[dpdk.port]]\n"
                  "name = \"lan\"\nvdev = \"net_af_xdp1,iface=eth0,start_queue=1\""),
             {}},
        Case{"name_of_no_interface",
             "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"eth0/1\"\n"
             "vdev = \"net_null0\"\n",
             {"E0413 4:8 \"eth0/1\" cannot be the name of an interface | no \"/\", \":\", \"%\", "
              "blanks or control characters, not \".\" or \"..\""}},
        Case{"exception_of_no_interface",
             port("vdev = \"net_null0\"\nexception = { name = \"wan%d\" }"),
             {"E0413 6:22 \"wan%d\" cannot be the name of an interface | no \"/\", \":\", \"%\", "
              "blanks or control characters, not \".\" or \"..\""}},
        Case{"port_name_behind_an_interface_name",
             "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"rack 1\"\n"
             "vdev = \"net_null0\"\nexception = { name = \"wan\" }\n",
             {}},
        Case{"port_name_without_the_kernels_side",
             "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"..\"\n"
             "vdev = \"net_null0\"\nexception = { type = \"none\" }\n",
             {}},
        Case{"address_on_two_ports",
             port("vdev = \"net_null0\"\naddress = [\"10.0.0.1/24\"]\n[[dpdk.port]]\n"
                  "name = \"lan\"\nvdev = \"net_null1\"\naddress = [\"10.0.0.1/16\"]"),
             {"E0403 10:11 two ports have the address 10.0.0.1 | the second one"}},
        Case{"IPv6_with_a_small_MTU",
             port("vdev = \"net_null0\"\naddress = [\"2001:db8::1/64\"]\nmtu = 1000"),
             {"E0409 7:7 IPv6 needs an MTU of at least 1280 | too small for 2001:db8::1/64"}},
        Case{"buffers_beyond_the_memory",
             "[dpdk]\nidle = \"adaptive\"\nhugepage_mem = \"16M\"\n[[dpdk.port]]\nname = \"wan\"\n"
             "vdev = \"net_null0\"\n",
             {"E0407 3:16 the packet buffers do not fit into hugepage_mem | 1 ports with 16384 "
              "buffers need 38M of 16M"}},
        Case{"too_few_buffers",
             "[dpdk]\nidle = \"adaptive\"\nmbufs_per_port = 2048\n[[dpdk.port]]\nname = \"wan\"\n"
             "vdev = \"net_null0\"\n",
             {"E0408 3:18 [[dpdk.port]] \"wan\" has too few packet buffers | the queues of 1 "
              "workers alone hold 2112"}},
        Case{"route_to_nowhere",
             "[[route]]\nto = \"default\"\n",
             {"E0406 1:1 [[route]] 0.0.0.0/0 leads nowhere | `via` or `dev` is missing"}},
        Case{"gateway_of_no_port",
             "[[route]]\nto = \"default\"\nvia = \"192.0.2.1\"\n",
             {"E0406 3:7 the gateway of [[route]] 0.0.0.0/0 is in the network of no port | which "
              "port leads to it?"}},
        Case{"gateway_of_the_other_family",
             "[[route]]\nto = \"default\"\nvia = \"2001:db8::9\"\n",
             {"E0406 3:7 [[route]] 0.0.0.0/0 has a gateway of the other address family | the "
              "destination is another family"}},
        Case{"route_over_an_unknown_port",
             "[[route]]\nto = \"default\"\ndev = \"wann\"\n",
             {"E0601 3:7 [[route]] names an unknown [[dpdk.port]] \"wann\" | did you mean "
              "\"wan\"?"}},
        Case{"route_over_a_VLAN",
             "[[route]]\nto = \"default\"\ndev = \"wan.100\"\n",
             {"E0601 3:7 [[route]] names an unknown [[dpdk.port]] \"wan.100\" | no [[dpdk.port]] "
              "has this name"}},
        Case{"mark_of_two_families",
             "[[mark]]\nmark = 3\nsource = \"192.0.2.0/24\"\ndestination = \"2001:db8::/64\"\n",
             {"E0410 3:10 [[mark]] can match nothing | one address family"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    General, OtherRule,
    ::testing::Values(
        Case{"recipients_without_server",
             "[global.email]\nto = [\"ops@example.com\"]\n",
             {"E0503 2:1 [global.email] has recipients but no server | mail could not be sent to "
              "them"}},
        Case{"recipient_without_at",
             "[global.email]\nto = [\"ops\"]\nserver = \"127.0.0.1\"\n",
             {"E0112 2:6 `to` has \"ops\", which is not a mail address | no @ in it"}},
        Case{"password_in_clear_text",
             "[global.email]\nto = [\"ops@example.com\"]\nserver = \"127.0.0.1\"\nuser = \"lb\"\n"
             "password = \"secret\"\n",
             {"W0504 1:1 the mail password crosses the network in clear text | no encryption in "
              "this table"}},
        Case{"sample_router_id",
             "[global]\nrouter_id = \"LVS_DEVEL\"\n",
             {"W0506 2:13 `router_id` is the sample value of keepalived's documentation | alerts "
              "of all nodes look alike"}},
        Case{"one_FIFO_for_two",
             "[global]\nnotify_fifo = \"/run/f\"\nlvs_notify_fifo = \"/run/f\"\n",
             {"E0505 3:19 two FIFOs have the same name | the names must differ"}},
        Case{"log_file_without_name",
             "[log]\ntarget = \"file\"\n",
             {"E0109 2:10 [log] has target = \"file\" but no `file` | `file` is missing: the log "
              "file"}},
        Case{"unicast_group",
             "[global.vrrp]\nmcast_group4 = \"10.0.0.1\"\n",
             {"E0112 2:16 `mcast_group4` is not an IPv4 multicast address | expected 224.0.0.0 to "
              "239.255.255.255"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Addresses, OtherRule,
    ::testing::Values(
        Case{"server_without_address",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
             "[[virtual_server.real_server]]\naddress = \"224.0.0.5\"\n",
             {"E0228 6:11 224.0.0.5 cannot be a real server | a multicast address"}},
        Case{"ttl_without_peers",
             "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n"
             "unicast_ttl = 3\nvirtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n",
             {"W0323 5:1 `unicast_ttl` has no effect without `unicast_peer` | multicast "
              "advertisements always have 255"}}),
    case_name);

TEST(OtherRules, AnAdvertisementHoldsAsManyAddressesAsFitTheFrame) {
    std::string toml =
        "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n"
        "version = 3\nvirtual_ipaddress = [\n";
    for (int i = 0; i < 91; ++i) {
        toml += "{ address = \"2001:db8::" + std::to_string(i + 100) + "\" },\n";
    }
    toml += "]\n";
    // 1500 - 60 bytes, 16 each.
    EXPECT_EQ(judge(toml), std::vector<std::string>{
                               "E0320 97:1 [[vrrp_instance]] \"VI_1\" has more addresses than an "
                               "advertisement holds | at most 90, there are 91"});
}

TEST(OtherRules, TooManyChecksASecondAreAWarning) {
    std::string toml =
        "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
        "delay_loop = \"10ms\"\n";
    for (int i = 0; i < 201; ++i) {
        toml += "[[virtual_server.real_server]]\naddress = \"10.0.0." + std::to_string(i + 2) +
                "\"\n[[virtual_server.real_server.check]]\ntype = \"TCP_CHECK\"\n";
    }
    EXPECT_EQ(judge(toml), std::vector<std::string>{
                               "W0235 1:1 the file asks for 20100 checks a second | sum over all "
                               "servers of all services"});
}

}  // namespace
}  // namespace pollux::control::testing
