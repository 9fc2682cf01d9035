// SPDX-License-Identifier: Apache-2.0
// Mistakes found in real tutorials, and wrong keys and values: what is said about each.
#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

class Mistake : public ::testing::TestWithParam<Case> {};

TEST_P(Mistake, IsNamedWithItsPlace) {
    EXPECT_EQ(judge_case(GetParam()), GetParam().expected);
}

// An instance whose fourth line and following are the case's.
std::string instance(const std::string& lines) {
    return "[[vrrp_instance]]\n"
           "name = \"VI_1\"\n"
           "interface = \"wan\"\n" +
           lines + "\nvirtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n" +
           (lines.find("virtual_router_id") == std::string::npos ? "virtual_router_id = 51\n" : "");
}

// A service that is good but for the lines from the sixth on.
std::string service(const std::string& lines) {
    return "[[virtual_server]]\n"
           "address = \"198.51.100.2\"\n"
           "port = 80\n"
           "protocol = \"TCP\"\n"
           "real_server = [{ address = \"10.0.0.12\" }]\n" +
           lines + "\n";
}

// A check in lines 8 and following.
std::string check(const std::string& lines) {
    return "[[virtual_server]]\n"
           "address = \"198.51.100.2\"\n"
           "port = 80\n"
           "protocol = \"TCP\"\n"
           "[[virtual_server.real_server]]\n"
           "address = \"10.0.0.12\"\n"
           "[[virtual_server.real_server.check]]\n" +
           lines + "\n";
}

INSTANTIATE_TEST_SUITE_P(
    Tutorials, Mistake,
    ::testing::Values(
        Case{"noreempt",
             instance("noreempt = true"),
             {"E0107 4:1 unknown key `noreempt` in [[vrrp_instance]] \"VI_1\" | did you mean "
              "`nopreempt`?"}},
        Case{"SMTP_CHEKC",
             check("type = \"SMTP_CHEKC\""),
             {"E0106 8:8 unknown value `SMTP_CHEKC` for `type` | did you mean `SMTP_CHECK`?"}},
        Case{"MSIC_CHECK",
             check("type = \"MSIC_CHECK\""),
             {"E0106 8:8 unknown value `MSIC_CHECK` for `type` | did you mean `MISC_CHECK`?"}},
        Case{"lbrcr",
             service("lvs_sched = \"lbrcr\""),
             {"E0106 6:13 unknown value `lbrcr` for `lvs_sched` | did you mean `lblcr`?"}},
        Case{"preempt_delay_in_two_words",
             instance("preempt = true"),
             {"E0110 4:1 unknown key `preempt` in [[vrrp_instance]] \"VI_1\" | instances preempt "
              "unless nopreempt = true; preempt_delay makes them wait"}},
        Case{"state_SLAVE",
             instance("state = \"SLAVE\""),
             {"E0106 4:9 unknown value `SLAVE` for `state` | did you mean `BACKUP`?"}},
        Case{"state_in_lower_case",
             instance("state = \"master\""),
             {"E0106 4:9 unknown value `master` for `state` | did you mean `MASTER`?"}},
        Case{"nb_get_retry",
             check("type = \"TCP_CHECK\"\nnb_get_retry = 3"),
             {"E0110 9:1 unknown key `nb_get_retry` in [[virtual_server.real_server.check]] "
              "TCP_CHECK | write `retry`"}},
        Case{"lb_algo",
             service("lb_algo = \"rr\""),
             {"E0110 6:1 unknown key `lb_algo` in [[virtual_server]] 198.51.100.2:80 | write "
              "`lvs_sched`"}},
        Case{"lb_kind",
             service("lb_kind = \"DR\""),
             {"E0110 6:1 unknown key `lb_kind` in [[virtual_server]] 198.51.100.2:80 | write "
              "`lvs_method`"}},
        Case{"lvs_method_in_lower_case",
             service("lvs_method = \"dr\""),
             {"E0106 6:14 unknown value `dr` for `lvs_method` | did you mean `DR`?"}},
        Case{"nat_mask",
             service("nat_mask = \"255.255.255.0\""),
             {"E0110 6:1 unknown key `nat_mask` in [[virtual_server]] 198.51.100.2:80 | gone from "
              "keepalived too, and without effect: remove it"}},
        Case{"dev_label_without_device",
             "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\nvirtual_router_id = 51\n"
             "virtual_ipaddress = [{ address = \"198.51.100.17/24\", dev = \"label\" }]\n",
             {"E0601 5:60 [[vrrp_instance]] \"VI_1\" names an unknown [[dpdk.port]] \"label\" | "
              "no [[dpdk.port]] has this name"}},
        Case{"use_vmac_with_an_address",
             instance("use_vmac = \"XX:XX:XX:XX:XX\""),
             {"E0103 4:12 `use_vmac` cannot be a string | expected true or false"}},
        Case{"authentication_header",
             instance("authentication = { type = \"AH\" }"),
             {"E0106 4:27 unknown value `AH` for `type` | withdrawn by RFC 3768, and by nobody "
              "checked "
              "against replay"}},
        Case{"notify_master_rx_lower_pri",
             instance("notify_master_rx_lower_pri = [\"/bin/fence\"]"),
             {"E0110 4:1 unknown key `notify_master_rx_lower_pri` in [[vrrp_instance]] \"VI_1\" | "
              "write `fence`"}},
        Case{"notification_email",
             "[global]\nnotification_email = \"ops@example.com\"\n",
             {"E0110 2:1 unknown key `notification_email` in [global] | in [global.email]: to = "
              "[\"ops@example.com\"]"}},
        Case{"MASTER_with_nopreempt",
             instance("state = \"MASTER\"\nnopreempt = true"),
             {"E0306 5:1 `nopreempt` needs state = \"BACKUP\" | has no effect on a node that "
              "starts as MASTER"}},
        Case{"TCP_CHECK_as_a_table",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
             "[[virtual_server.real_server]]\naddress = \"10.0.0.12\"\n"
             "[virtual_server.real_server.TCP_CHECK]\nconnect_timeout = \"3s\"\n",
             {"E0110 7:29 unknown table `TCP_CHECK` in [[virtual_server.real_server]] 10.0.0.12 | "
              "write `check`"}},
        Case{"missing_brace",
             "virtual_ipaddress = [{ address = \"10.0.0.1\"\n",
             {"E0101 1:44 not valid TOML: expected key or closing '}', saw '\\n' | "}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Keys, Mistake,
    ::testing::Values(
        Case{"key_of_another_table",
             "router_id = \"lb01\"\n",
             {"E0107 1:1 unknown key `router_id` at the top level | `router_id` is a key of "
              "[global]"}},
        Case{"nothing_like_it",
             "[log]\nfrobnicate = 1\n",
             {"E0107 2:1 unknown key `frobnicate` in [log] | not a key of this table"}},
        Case{"near_a_key_of_another_table",
             "[log]\nvirtual_router_it = 1\n",
             {"E0107 2:1 unknown key `virtual_router_it` in [log] | did you mean "
              "`virtual_router_id` of [[vrrp_instance]]?"}},
        Case{"near_an_old_name",
             service("lb_alog = \"rr\""),
             {"E0107 6:1 unknown key `lb_alog` in [[virtual_server]] 198.51.100.2:80 | did you "
              "mean keepalived's `lb_algo`? write `lvs_sched`"}},
        Case{"unknown_table",
             "[vrrp_instances]\nname = \"VI_1\"\n",
             {"E0108 1:2 unknown table `vrrp_instances` at the top level | did you mean "
              "`vrrp_instance`?"}},
        Case{"one_bracket",
             "[vrrp_script]\nname = \"a\"\n",
             {"E0119 1:2 [vrrp_script] must be written [[vrrp_script]] | two brackets: there may "
              "be several of these"}},
        Case{"a_value_instead_of_a_table",
             "log = 3\n",
             {"E0103 1:7 `log` cannot be a whole number | expected the table [log]"}},
        Case{"values_instead_of_tables",
             "mark = [3]\n",
             {"E0103 1:9 `mark` cannot be a whole number | expected tables, written [[mark]]"}},
        Case{"required_key",
             "[[vrrp_script]]\nscript = [\"/bin/true\"]\n",
             {"E0109 1:1 [[vrrp_script]] has no `name` | `name` is missing: of the script in "
              "track_script"}},
        Case{"control_characters_in_a_key",
             "\"a\\u001b[31mb\" = 1\n",
             {"E0107 1:1 unknown key `a\\x1b[31mb` at the top level | not a key of this table"}},
        Case{"defined_twice",
             "[log]\nlevel = \"info\"\nlevel = \"debug\"\n",
             {"E0101 3:1 defined twice: `level` | already defined above"}},
        Case{"when_with_an_unknown_word",
             "[[mark]]\nmark = 3\nwhen = { host = \"lb01\" }\n",
             {"E0120 3:10 `when` has an unknown form | expected { node = ... } or { not_node = "
              "... }"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Values, Mistake,
    ::testing::Values(
        Case{"bare_duration",
             instance("advert_int = 1"),
             {"E0105 4:14 `advert_int` is a duration and needs a unit | \"1s\" (seconds) or "
              "\"1ms\" (milliseconds)?"}},
        Case{"bare_decimal_duration",
             instance("preempt_delay = 4.12"),
             {"E0105 4:17 `preempt_delay` is a duration and needs a unit | \"4.12s\" (seconds) or "
              "\"4.12ms\" (milliseconds)?"}},
        Case{"unknown_unit",
             instance("advert_int = \"1sec\""),
             {"E0112 4:14 `advert_int` has a value that cannot be read | expected a number and a "
              "unit: ns, us, ms, s, m, h or d"}},
        Case{"duration_out_of_range",
             instance("preempt_delay = \"1001s\""),
             {"E0104 4:17 `preempt_delay` is out of range | expected a duration from \"0s\" to "
              "\"1000s\""}},
        Case{"bare_size",
             "[dpdk]\nhugepage_mem = 256\nidle = \"adaptive\"\n[[dpdk.port]]\n"
             "name = \"lan\"\nvdev = \"net_null1\"\n",
             {"E0105 2:16 `hugepage_mem` is a size and needs a unit | \"256M\" (MiB) or \"256G\" "
              "(GiB)?"}},
        Case{"virtual_router_id_0",
             instance("virtual_router_id = 0"),
             {"E0104 4:21 `virtual_router_id` is out of range | expected a whole number from 1 to "
              "255"}},
        Case{"virtual_router_id_256",
             instance("virtual_router_id = 256"),
             {"E0104 4:21 `virtual_router_id` is out of range | expected a whole number from 1 to "
              "255"}},
        Case{"virtual_router_id_abc",
             instance("virtual_router_id = \"abc\""),
             {"E0103 4:21 `virtual_router_id` cannot be a string | expected a whole number from 1 "
              "to 255"}},
        Case{"priority_0",
             instance("priority = 0"),
             {"E0104 4:12 `priority` is out of range | expected a whole number from 1 to 255"}},
        Case{"priority_256",
             instance("priority = 256"),
             {"E0104 4:12 `priority` is out of range | expected a whole number from 1 to 255"}},
        Case{"advert_int_0",
             instance("advert_int = \"0s\""),
             {"E0104 4:14 `advert_int` is out of range | expected a duration from \"10ms\" to "
              "\"255s\""}},
        Case{"address_10_0_0_333",
             instance("mcast_src_ip = \"10.0.0.333\""),
             {"E0112 4:16 `mcast_src_ip` has a value that cannot be read | expected an IPv4 or "
              "IPv6 address"}},
        Case{"virtual_address_10_0_0_333",
             instance("virtual_ipaddress_excluded = [{ address = \"10.0.0.333\" }]"),
             {"E0112 4:43 `address` has a value that cannot be read | expected an address, with or "
              "without \"/LENGTH\""}},
        Case{"virtual_address_33",
             instance("virtual_ipaddress_excluded = [{ address = \"10.0.0.3/33\" }]"),
             {"E0112 4:43 `address` has a value that cannot be read | the length of an IPv4 prefix "
              "is at most 32"}},
        Case{"prefix_33",
             "[[route]]\nto = \"10.0.0.0/33\"\ndev = \"wan\"\n",
             {"E0112 2:6 `to` has a value that cannot be read | the length of an IPv4 prefix is "
              "at most 32"}},
        Case{"weight_70000",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
             "real_server = [{ address = \"10.0.0.12\", weight = 70000 }]\n",
             {"E0104 5:50 `weight` is out of range | expected a whole number from 0 to 65535"}},
        Case{"weight_minus_1",
             "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
             "real_server = [{ address = \"10.0.0.12\", weight = -1 }]\n",
             {"E0104 5:50 `weight` is out of range | expected a whole number from 0 to 65535"}},
        Case{"granularity_33",
             service("persistence_timeout = \"50s\"\n"
                     "persistence_granularity = 33"),
             {"E0104 7:27 `persistence_granularity` is out of range | at most 32 for IPv4"}},
        Case{"granularity_with_holes",
             service("persistence_timeout = \"50s\"\n"
                     "persistence_granularity = \"255.0.255.0\""),
             {"E0112 7:27 `persistence_granularity` has a value that cannot be read | expected a "
              "netmask like \"255.255.255.0\", or a prefix length"}},
        Case{"command_in_one_string",
             instance("notify = \"/etc/notify.sh master\""),
             {"E0118 4:10 `notify` has a command with arguments in one string | no shell will "
              "split it"}},
        Case{"command_without_path",
             instance("notify = [\"notify.sh\"]"),
             {"E0112 4:11 `notify` needs the absolute path of the program | starts without \"/\": "
              "there is no search path"}},
        Case{"control_character_in_a_name",
             "[[vrrp_script]]\nname = \"a\\u0007b\"\n"
             "script = [\"/bin/true\"]\n",
             {"E0117 2:8 `name` holds a control character | \"a\\x07b\""}},
        Case{"status_code_700",
             check("type = \"HTTP_GET\"\nurl = [{ status_code = 700 }]"),
             {"E0104 9:24 `status_code` is out of range | expected a number from 100 to 599"}},
        Case{"port_address_without_length",
             "[dpdk]\nidle = \"adaptive\"\n[[dpdk.port]]\nname = \"lan\"\nvdev = \"net_null1\"\n"
             "address = [\"10.0.0.1\"]\n",
             {"E0112 6:12 `address` has a value that cannot be read | the length of the network is "
              "missing, for example \"10.0.0.1/24\""}}),
    case_name);

}  // namespace
}  // namespace pollux::control::testing
