// SPDX-License-Identifier: Apache-2.0
// Rules beyond types and ranges: what is said about each violation.
#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

class Rule : public ::testing::TestWithParam<Case> {};

TEST_P(Rule, NamesTheViolationAndItsPlace) {
    EXPECT_EQ(judge_case(GetParam()), GetParam().expected);
}

constexpr const char* kVip = "virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n";

// An instance in lines 1 to 5; the case's lines follow from line 6.
std::string instance(const std::string& lines, const std::string& vip = kVip) {
    return "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n" +
           vip + lines + "\n";
}

// A second instance with its own number and address: lines 6 to 9 behind instance("").
std::string second(const std::string& id, const std::string& vip) {
    return "[[vrrp_instance]]\nname = \"VI_2\"\ninterface = \"wan\"\nvirtual_router_id = " + id +
           "\nvirtual_ipaddress = [{ address = \"" + vip + "\" }]\n";
}

INSTANTIATE_TEST_SUITE_P(
    Vrrp, Rule,
    ::testing::Values(
        Case{"one_router_id_twice",
             instance("") + second("51", "198.51.100.11/24"),
             {"E0301 10:21 \"VI_1\" and \"VI_2\" both have virtual_router_id 51 with IPv4 on port "
              "\"wan\" | must be another number"}},
        Case{"router_id_may_serve_both_families",
             instance("") + second("51", "2001:db8::10/64"),
             {}},
        Case{"router_id_with_other_unicast_peers",
             instance("unicast_peer = [\"198.51.100.3\"]") + second("51", "198.51.100.11/24") +
                 "unicast_peer = [\"198.51.100.4\"]\n",
             {}},
        Case{"half_a_second_with_version_2",
             instance("advert_int = \"500ms\""),
             {"E0302 6:14 VRRP version 2 counts `advert_int` in whole seconds | \"500ms\" needs "
              "version 3"}},
        Case{"half_a_second_with_version_3", instance("advert_int = \"500ms\"\nversion = 3"), {}},
        Case{"41_seconds_with_version_3",
             instance("advert_int = \"41s\"\nversion = 3"),
             {"E0302 6:14 VRRP version 3 has no `advert_int` above 40.95 s | at most \"40.95s\""}},
        Case{"the_longest_of_version_3", instance("advert_int = \"40.95s\"\nversion = 3"), {}},
        Case{"15_ms_with_version_3",
             instance("advert_int = \"15ms\"\nversion = 3"),
             {"E0302 6:14 VRRP version 3 counts `advert_int` in steps of 10 ms | not a multiple of "
              "\"10ms\""}},
        Case{"priority_255_of_a_stranger",
             instance("priority = 255"),
             {"E0303 6:12 priority 255 is for the owner of the addresses only | from 1 to 254 for "
              "others"}},
        Case{
            "priority_255_of_the_owner",
            instance("priority = 255", "virtual_ipaddress = [{ address = \"198.51.100.2/24\" }]\n"),
            {}},
        Case{"address_in_two_instances",
             instance("") + second("52", "198.51.100.10/24"),
             {"E0304 11:34 198.51.100.10 is in two instances | again here"}},
        Case{"address_twice_in_one_instance",
             instance("virtual_ipaddress_excluded = [{ address = \"198.51.100.10/32\" }]"),
             {"E0304 6:43 198.51.100.10 is twice in one instance | again here"}},
        Case{"PASS_with_version_3",
             instance("version = 3\nauthentication = { type = \"PASS\", password = \"secret12\" }"),
             {"E0305 7:27 VRRP version 3 has no authentication | PASS is part of version 2 only"}},
        Case{"PASS_with_IPv6",
             instance("authentication = { type = \"PASS\", password = \"secret12\" }",
                      "virtual_ipaddress = [{ address = \"2001:db8::10/64\" }]\n"),
             {"E0305 6:27 VRRP version 3 has no authentication | PASS is part of version 2 only"}},
        Case{"PASS_with_strict",
             instance(
                 "strict = true\nauthentication = { type = \"PASS\", password = \"secret12\" }"),
             {"E0319 7:20 authentication is not possible with strict | not in RFC 9568"}},
        Case{"password_of_nine",
             instance("authentication = { type = \"PASS\", password = \"secret123\" }"),
             {"E0313 6:46 the password of [[vrrp_instance]] \"VI_1\" is longer than 8 characters | "
              "has 9"}},
        Case{"password_of_the_tutorials",
             instance("authentication = { type = \"PASS\", password = \"1111\" }"),
             {"W0314 6:46 the password of [[vrrp_instance]] \"VI_1\" is that of every tutorial | "
              "it keeps nobody out"}},
        Case{"empty_password",
             instance("authentication = { type = \"PASS\", password = \"\" }"),
             {"E0116 6:46 the password of [[vrrp_instance]] \"VI_1\" is empty | no character"}},
        Case{"password_without_type",
             instance("authentication = { password = \"secret12\" }"),
             {"E0109 6:18 [[vrrp_instance]] \"VI_1\" has a password but no authentication type | "
              "`type` is \"none\""}},
        Case{"type_without_password",
             instance("authentication = { type = \"PASS\" }"),
             {"E0109 6:27 [[vrrp_instance]] \"VI_1\" has authentication without a password | "
              "`password_file` is missing"}},
        Case{"preempt_delay_of_a_MASTER",
             instance("state = \"MASTER\"\npreempt_delay = \"300s\""),
             {"E0306 7:1 `preempt_delay` needs state = \"BACKUP\" | has no effect on a node that "
              "starts as MASTER"}},
        Case{"preempt_delay_with_nopreempt",
             instance("nopreempt = true\npreempt_delay = \"300s\""),
             {"W0307 7:1 `preempt_delay` has no effect with nopreempt | the instance never "
              "preempts"}},
        Case{"no_address",
             instance("", ""),
             {"E0311 1:1 [[vrrp_instance]] \"VI_1\" has no virtual address | nothing would move "
              "between the nodes"}},
        Case{"both_families",
             instance("",
                      "virtual_ipaddress = [{ address = \"198.51.100.10/24\" }, { address = "
                      "\"2001:db8::10/64\" }]\n"),
             {"E0316 5:68 [[vrrp_instance]] \"VI_1\" has addresses of both families | one "
              "family"}},
        Case{"multicast_address",
             instance("", "virtual_ipaddress = [{ address = \"224.0.0.18\" }]\n"),
             {"E0321 5:34 224.0.0.18 cannot be a virtual address | a multicast address"}},
        Case{"scope_in_the_ports_own_network",
             instance("",
                      "virtual_ipaddress = [{ address = \"198.51.100.10/24\", scope = "
                      "\"link\" }]\n"),
             {"E0321 5:62 198.51.100.10/24 cannot have another scope than 198.51.100.2/24 of the "
              "same network | the kernel would refuse the address"}},
        Case{"peer_is_this_node",
             instance("unicast_peer = [\"198.51.100.2\"]"),
             {"E0322 6:16 `unicast_peer` names this node itself | 198.51.100.2 is this node's "
              "address"}},
        Case{"peer_is_a_virtual_address",
             instance("unicast_peer = [\"198.51.100.3\", \"198.51.100.10\"]"),
             {"E0322 6:16 `unicast_peer` names a virtual address | 198.51.100.10 moves between the "
              "nodes"}},
        Case{"peer_is_a_virtual_address_of_another_instance",
             instance("unicast_peer = [\"198.51.100.11\"]") + second("52", "198.51.100.11/24"),
             {"E0322 6:16 `unicast_peer` names a virtual address | 198.51.100.11 moves between the "
              "nodes"}},
        Case{"source_of_nobody",
             instance("mcast_src_ip = \"198.51.100.99\""),
             {"W0324 6:16 `mcast_src_ip` is no address of port \"wan\" | sent all the same; the "
              "tie-break goes by it"}},
        Case{"strict_with_unicast",
             instance("strict = true\nunicast_peer = [\"198.51.100.3\"]"),
             {"E0319 7:1 unicast_peer is not possible with strict | not in RFC 9568"}},
        Case{"strict_MASTER",
             instance("strict = true\nstate = \"MASTER\""),
             {"E0319 7:9 with strict, state MASTER and priority 255 go together | MASTER"}},
        Case{"IPv6_with_version_2",
             instance("version = 2", "virtual_ipaddress = [{ address = \"2001:db8::10/64\" }]\n"),
             {"E0325 6:11 IPv6 needs VRRP version 3 | version 2 carries IPv4 addresses only"}},
        Case{"unknown_interface",
             "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"eth33\"\nvirtual_router_id = 51\n" +
                 std::string(kVip),
             {"E0601 3:13 [[vrrp_instance]] \"VI_1\" names an unknown [[dpdk.port]] \"eth33\" | no "
              "[[dpdk.port]] has this name"}},
        Case{"two_instances_of_one_name",
             instance("") + "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\n"
                            "virtual_router_id = 52\nvirtual_ipaddress = [{ address = "
                            "\"198.51.100.11\" }]\n",
             {"E0122 8:8 two [[vrrp_instance]] are called \"VI_1\" | the second one"}}),
    case_name);

constexpr const char* kScript = "[[vrrp_script]]\nname = \"check_web\"\nscript = [\"/bin/true\"]\n";

INSTANTIATE_TEST_SUITE_P(
    Tracking, Rule,
    ::testing::Values(
        Case{"unknown_script",
             instance("track_script = [{ name = \"check_web\" }]"),
             {"E0601 6:26 [[vrrp_instance]] \"VI_1\" names an unknown [[vrrp_script]] "
              "\"check_web\" | no [[vrrp_script]] has this name"}},
        Case{"misspelt_script",
             instance("track_script = [{ name = \"chek_web\" }, { name = \"check_web\" }]") +
                 kScript,
             {"E0601 6:26 [[vrrp_instance]] \"VI_1\" names an unknown [[vrrp_script]] "
              "\"chek_web\" | did you mean \"check_web\"?"}},
        Case{"unused_script",
             kScript,
             {"E0602 2:8 [[vrrp_script]] \"check_web\" is not used by anything | without a user it "
              "does nothing"}},
        Case{"weight_that_moves_nothing",
             instance("priority = 150\ntrack_script = [{ name = \"check_web\", weight = -5 }]") +
                 kScript,
             {"W0318 7:48 failure of \"check_web\" changes the priority of [[vrrp_instance]] "
              "\"VI_1\" from 150 to 145 only | weight -5"}},
        Case{"positive_weight_that_moves_nothing",
             instance("track_script = [{ name = \"check_web\", weight = 1 }]") + kScript,
             {"W0318 6:48 failure of \"check_web\" changes the priority of [[vrrp_instance]] "
              "\"VI_1\" from 101 to 100 only | weight 1"}},
        // The number in the file multiplies it.
        Case{"small_weight_of_a_file",
             instance("track_file = [{ name = \"load\" }]") +
                 "[[vrrp_track_file]]\nname = \"load\"\nfile = \"/run/load\"\nweight = 1\n",
             {}},
        Case{"weight_that_moves",
             instance("track_script = [{ name = \"check_web\", weight = -60 }]") + kScript,
             {}},
        Case{"failure_as_fault",
             instance("track_script = [{ name = \"check_web\" }]") + kScript,
             {}},
        Case{"weight_in_a_sync_group",
             instance("track_script = [{ name = \"check_web\", weight = -60 }]") + kScript +
                 second("52", "198.51.100.11/24") +
                 "[[vrrp_sync_group]]\nname = \"VG\"\ngroup = [\"VI_1\", \"VI_2\"]\n",
             {"E0327 6:48 a member of a sync group cannot have a tracking weight of its own | "
              "weight -60"}},
        Case{"weight_of_an_owner",
             instance("priority = 255\ntrack_script = [{ name = \"check_web\", weight = -60 }]",
                      "virtual_ipaddress = [{ address = \"198.51.100.2/24\" }]\n") +
                 kScript,
             {"E0326 7:48 the priority of an address owner cannot change | weight -60"}},
        Case{"tracked_twice",
             instance("track_script = [{ name = \"check_web\" }, { name = \"check_web\" }]") +
                 kScript,
             {"E0329 6:50 \"check_web\" is twice in track_script | again here"}},
        Case{"own_interface_tracked",
             instance("track_interface = [{ name = \"wan\" }]"),
             {"W0328 6:29 port \"wan\" is tracked anyway | it is the instance's interface"}},
        Case{"script_longer_than_its_interval",
             instance("track_script = [{ name = \"check_web\" }]") + kScript + "timeout = \"3s\"\n",
             {"W0330 10:11 [[vrrp_script]] \"check_web\" may run longer than its interval | the "
              "next run waits until this one has ended"}},
        Case{"group_of_one",
             instance("") + "[[vrrp_sync_group]]\nname = \"VG\"\ngroup = [\"VI_1\"]\n",
             {"E0317 9:9 [[vrrp_sync_group]] \"VG\" has fewer than two members | nothing to keep "
              "in step"}},
        Case{"group_of_strangers",
             instance("") + "[[vrrp_sync_group]]\nname = \"VG\"\ngroup = [\"VI_1\", \"VI_2\"]\n",
             {"E0601 9:9 [[vrrp_sync_group]] \"VG\" names an unknown [[vrrp_instance]] \"VI_2\" | "
              "did you mean \"VI_1\"?"}},
        Case{"track_file_of_a_check_is_used",
             "[[vrrp_track_file]]\nname = \"f\"\nfile = \"/run/f\"\n[[virtual_server]]\n"
             "address = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
             "real_server = [{ address = \"10.0.0.12\", check = [{ type = \"FILE_CHECK\", "
             "track_file = \"f\" }] }]\n",
             {}}),
    case_name);

// A service in lines 1 to 4; the case's lines follow from line 5.
std::string service(const std::string& lines) {
    return "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n" +
           lines + "\n";
}
constexpr const char* kServer = "real_server = [{ address = \"10.0.0.12\" }]\n";

INSTANTIATE_TEST_SUITE_P(
    Services, Rule,
    ::testing::Values(
        Case{"no_address",
             "[[virtual_server]]\nport = 80\nprotocol = \"TCP\"\n",
             {"E0201 1:1 a [[virtual_server]] has no address | `address` with `port`, or `fwmark`, "
              "or `group` is missing"}},
        Case{"address_and_mark",
             service(std::string(kServer) + "fwmark = 3"),
             {"E0111 6:1 [[virtual_server]] fwmark 3 is named in two ways | either this"}},
        Case{"no_port",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nprotocol = \"TCP\"\n",
             {"E0109 2:11 [[virtual_server]] 198.51.100.2:0 has no `port` | `port` is missing"}},
        Case{"no_protocol",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\n" + std::string(kServer),
             {"E0202 1:1 [[virtual_server]] 198.51.100.2:80 has no `protocol` | `protocol` is "
              "missing: TCP, UDP or SCTP"}},
        Case{"service_twice",
             service(kServer) + service(kServer),
             {"E0203 8:11 two services have 198.51.100.2:80 | again here"}},
        Case{"service_of_another_protocol",
             service(kServer) +
                 "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\n"
                 "protocol = \"UDP\"\n" +
                 kServer,
             {}},
        Case{"server_twice",
             service("real_server = [{ address = \"10.0.0.12\" }, { address = \"10.0.0.12\" }]"),
             {"E0204 5:55 real server 10.0.0.12:80 is twice in [[virtual_server]] 198.51.100.2:80 "
              "| again here"}},
        Case{"server_of_the_other_family",
             service("real_server = [{ address = \"2001:db8::5\" }]"),
             {"E0205 5:28 an IPv6 real server cannot serve an IPv4 service with NAT | IPv6"}},
        Case{"tunnel_to_the_other_family",
             service("lvs_method = \"TUN\"\nreal_server = [{ address = \"2001:db8::5\" }]"),
             {}},
        Case{"FNAT_without_local_address",
             service("lvs_method = \"FNAT\"\n" + std::string(kServer)),
             {"E0206 6:28 FNAT needs a [[local_address]] of the server's family | no IPv4 address "
              "to hide clients behind"}},
        Case{"FNAT_with_local_address",
             service("lvs_method = \"FNAT\"\n" + std::string(kServer)) +
                 "[[local_address]]\naddress = \"10.0.0.1\"\n",
             {}},
        Case{"every_port_without_persistence",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 0\nprotocol = \"TCP\"\n" +
                 std::string(kServer),
             {"E0207 3:8 a service on every port needs persistence | 0 means every port"}},
        Case{"one_packet_TCP",
             service("ops = true\n" + std::string(kServer)),
             {"E0208 5:1 one-packet scheduling is for UDP only | each packet would go to another "
              "server"}},
        Case{"flags_of_another_scheduler",
             service("lvs_sched = \"rr\"\nsched_flags = [\"sh-port\"]\n" + std::string(kServer)),
             {"E0209 6:1 `sched_flags` belongs to the schedulers sh and mh | has no effect with "
              "this scheduler"}},
        Case{"quorum_beyond_all_weights",
             service("quorum = 5\n" + std::string(kServer)),
             {"E0210 5:10 the quorum of [[virtual_server]] 198.51.100.2:80 can never be reached | "
              "needs weight 5, all servers together have 1"}},
        Case{"weight_0_with_quorum_1",
             service("real_server = [{ address = \"10.0.0.12\", weight = 0 }]"),
             {"E0210 1:1 the quorum of [[virtual_server]] 198.51.100.2:80 can never be reached | "
              "needs weight 1, all servers together have 0"}},
        Case{"hysteresis_beyond_quorum",
             service("hysteresis = 3\n" + std::string(kServer)),
             {"E0212 5:14 `hysteresis` must be below `quorum` | the service would never go down"}},
        Case{"DR_with_another_port",
             service("lvs_method = \"DR\"\nreal_server = [{ address = \"10.0.0.12\", port = 8080 "
                     "}]"),
             {"E0213 6:48 real server port differs from the service port, not possible with "
              "lvs_method = \"DR\" | must be 80 for DR and TUN"}},
        Case{"sorry_server_with_another_port",
             service("lvs_method = \"TUN\"\n" + std::string(kServer) +
                     "sorry_server = { address = \"10.0.0.99\", port = 8080 }"),
             {"E0213 7:48 sorry server port differs from the service port, not possible with "
              "lvs_method = \"TUN\" | must be 80 for DR and TUN"}},
        Case{"NAT_with_another_port",
             service("real_server = [{ address = \"10.0.0.12\", port = 8080 }]"),
             {}},
        Case{"thresholds_the_wrong_way",
             service("real_server = [{ address = \"10.0.0.12\", uthreshold = 10, lthreshold = 20 "
                     "}]"),
             {"E0214 5:71 `lthreshold` is above `uthreshold` | the lower limit"}},
        Case{"persistence_with_hashing",
             service("lvs_sched = \"sh\"\npersistence_timeout = \"50s\"\n" + std::string(kServer)),
             {"W0215 6:1 persistence with a hashing scheduler is pointless | costs a table entry "
              "per client"}},
        Case{"no_server",
             service(""),
             {"W0211 1:1 [[virtual_server]] 198.51.100.2:80 has no real server | every connection "
              "would be refused"}},
        Case{"rescheduled_TCP",
             service("on_server_down = \"reschedule\"\n" + std::string(kServer)),
             {"E0220 5:18 only UDP can be rescheduled to another server | a TCP or SCTP connection "
              "has state in its server"}},
        Case{"mark_of_nobody",
             "[[virtual_server]]\nfwmark = 3\n" + std::string(kServer),
             {"W0221 2:10 no [[mark]] gives packets the mark 3 | the service gets no packets"}},
        Case{"mark_with_a_rule",
             "[[virtual_server]]\nfwmark = 3\n" + std::string(kServer) +
                 "[[mark]]\nmark = 3\ndestination_port = 80\n",
             {}},
        Case{"address_of_nobody",
             "[[virtual_server]]\naddress = \"198.51.100.77\"\nport = 80\nprotocol = \"TCP\"\n" +
                 std::string(kServer),
             {"W0222 2:11 nobody answers for 198.51.100.77 | in no [[vrrp_instance]], and no port "
              "has it"}},
        Case{"local_address_of_nobody",
             service("lvs_method = \"FNAT\"\n" + std::string(kServer)) +
                 "[[local_address]]\naddress = \"198.51.100.99\"\n",
             {"W0226 9:11 nobody answers for [[local_address]] 198.51.100.99 | in no "
              "[[vrrp_instance]], and no port has it"}},
        Case{"slow_start_without_weights",
             service("lvs_sched = \"rr\"\nslow_start = \"30s\"\n" + std::string(kServer)),
             {"W0223 6:1 `slow_start` has no effect with this scheduler | ramps the weight"}},
        Case{"tunnels_without_path_MTU",
             service("lvs_method = \"TUN\"\n" + std::string(kServer)) +
                 "[conntrack]\npmtu_disc = false\n",
             {"W0225 9:13 big packets of [[virtual_server]] 198.51.100.2:80 will be cut into "
              "fragments | senders are not told that a tunnel makes packets bigger"}},
        Case{"DR_behind_a_router",
             service("lvs_method = \"DR\"\nreal_server = [{ address = \"192.0.2.5\" }]"),
             {"E0226 6:28 DR needs the real server on the link of a port | in the network of no "
              "port"}},
        Case{"granularity_without_persistence",
             service("persistence_granularity = 24\n" + std::string(kServer)),
             {"E0227 5:1 `persistence_granularity` has no effect without persistence | "
              "`persistence_timeout` is missing"}},
        Case{"tunnel_of_NAT",
             service(std::string(kServer) + "tunnel = { type = \"gue\" }"),
             {"E0229 6:10 `tunnel` goes with lvs_method = \"TUN\" only | has no effect here"}},
        Case{"port_of_a_gre_tunnel",
             service("lvs_method = \"TUN\"\n" + std::string(kServer) +
                     "tunnel = { type = \"gre\", port = 6081 }"),
             {"E0229 7:26 only a gue tunnel has a `port` | has no effect"}},
        Case{"empty_group",
             "[[virtual_server_group]]\nname = \"web\"\n[[virtual_server]]\n"
             "group = \"web\"\nprotocol = \"TCP\"\n" +
                 std::string(kServer),
             {"E0230 1:1 [[virtual_server_group]] \"web\" is empty | no member"}},
        Case{"more_services_than_max_services",
             service(kServer) + "[[virtual_server]]\ngroup = \"web\"\nprotocol = \"TCP\"\n" +
                 kServer +
                 "[[virtual_server_group]]\nname = \"web\"\nmember = [{ address = "
                 "\"198.51.100.5-6\", port = 80 }]\n[conntrack]\nmax_services = 2\n",
             {"E0241 15:16 the file has more services than `max_services` | 3 are more than 2"}},
        Case{"more_servers_than_max_servers",
             service("real_server = [{ address = \"10.0.0.12\" }, { address = \"10.0.0.13\" }]") +
                 "[conntrack]\nmax_servers = 1\n",
             {"E0241 7:15 the file has more real servers than `max_servers` | 2 are more than 1"}},
        Case{"as_many_as_there_may_be",
             service(kServer) + "[conntrack]\nmax_services = 1\nmax_servers = 1\n",
             {}},
        Case{"unknown_group",
             "[[virtual_server]]\ngroup = \"web\"\nprotocol = \"TCP\"\n" + std::string(kServer),
             {"E0601 2:9 [[virtual_server]] group \"web\" names an unknown "
              "[[virtual_server_group]] \"web\" | no [[virtual_server_group]] has this name"}},
        Case{"group_overlaps_a_service",
             service(kServer) +
                 "[[virtual_server_group]]\nname = \"web\"\nmember = [{ address = "
                 "\"198.51.100.1-5\", port = 80 }]\n[[virtual_server]]\ngroup = \"web\"\n"
                 "protocol = \"TCP\"\n" +
                 kServer,
             {"E0203 9:11 two services have 198.51.100.2:80 | again here"}}),
    case_name);

}  // namespace
}  // namespace pollux::control::testing
