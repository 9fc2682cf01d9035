// SPDX-License-Identifier: Apache-2.0
// What becomes of keepalived's blocks, and what is refused with both readings.
#include <algorithm>

#include <gtest/gtest.h>

#include "control/config/load.h"
#include "tests/unit/import/importing.h"

namespace pollux::control::testing {
namespace {

std::string instance(const std::string& lines) {
    return "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n" + lines +
           "\nvirtual_ipaddress { 10.0.0.3/24 }\n}\n";
}

std::string service(const std::string& lines, const std::string& server = "") {
    return "virtual_server 10.0.0.3 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n" + lines +
           "\nreal_server 10.0.0.12 80 {\n" + server + "\n}\n}\n";
}

// The TOML from `start` on, up to the next empty line.
std::string part(const ImportResult& result, const std::string& start) {
    const std::size_t at = result.toml.find(start);
    if (at == std::string::npos) return "no " + start + " in\n" + result.toml;
    return result.toml.substr(at, result.toml.find("\n\n", at) - at + 1);
}

struct Case {
    std::string name;
    std::string text;
    std::string message;   // of the only mistake, lenient or not
    bool lenient = false;  // the mistake is left out with --lenient
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
    return out << value.name;
}

class Refused : public ::testing::TestWithParam<Case> {};

TEST_P(Refused, WithItsLineAndTheReadings) {
    const Case& row = GetParam();
    EXPECT_EQ(mistakes(import_text(row.text)), std::vector<std::string>{row.message});
    ImportOptions options;
    options.lenient = true;
    EXPECT_EQ(import_text(row.text, options).errors, row.lenient ? 0U : 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Vrrp, Refused,
    ::testing::Values(
        Case{
            "state_in_lower_case", instance("state master"),
            "4 error: `state` in vrrp_instance VI_1: there is no state `master`: keepalived starts "
            "it as BACKUP, MASTER was meant | write one of the two"},
        Case{"half_seconds_in_version_2", instance("advert_int 0.5"),
             "4 error: `advert_int` in vrrp_instance VI_1: 500ms is no whole number of seconds, "
             "keepalived rounds it | either whole seconds, or version 3 on all nodes"},
        Case{
            "interval_of_version_3", instance("version 3\nadvert_int 41"),
            "5 error: `advert_int` in vrrp_instance VI_1: version 3 has no interval above 40.95 s, "
            "keepalived takes 40.95 | either 40.95 or less, or version 2 on all nodes"},
        Case{"priority_out_of_range", instance("priority 300"),
             "4 error: `priority` in vrrp_instance VI_1: 300 is outside of 1 to 255 | keepalived "
             "runs with its default instead: write the number that you mean"},
        Case{"long_password", instance("authentication { auth_type PASS\nauth_pass 123456789 }"),
             "5 error: `authentication` in vrrp_instance VI_1: the password is longer than 8 "
             "characters | keepalived cuts it: write its first 8 characters, or a shorter one on "
             "all nodes"},
        Case{
            "ah", instance("authentication { auth_type AH\nauth_pass 1234 }"),
            "4 error: `authentication` in vrrp_instance VI_1: there is no `AH` authentication here "
            "| auth_type PASS on all nodes, or none"},
        Case{"password_with_version_3",
             instance("version 3\nauthentication { auth_type PASS\nauth_pass 1234 }"),
             "5 error: `authentication` in vrrp_instance VI_1: VRRP version 3 has no "
             "authentication | keepalived ignores it",
             true},
        Case{"nopreempt_of_a_master", instance("state MASTER\nnopreempt"),
             "5 error: `nopreempt` in vrrp_instance VI_1 has no effect with state MASTER: "
             "keepalived clears it | state BACKUP on all nodes: the priority elects the first "
             "MASTER",
             true},
        Case{
            "two_values", instance("priority 100 200"),
            "4 error: `priority` in vrrp_instance VI_1: keepalived does not look at `200` | remove "
            "it",
            true},
        Case{"no_value", instance("priority"),
             "4 error: `priority` in vrrp_instance VI_1 has no value | keepalived ignores the line",
             true},
        Case{"length_of_an_address", instance("virtual_ipaddress_excluded {\n10.0.0.4/33\n}"),
             "5 error: `virtual_ipaddress_excluded` in vrrp_instance VI_1: `10.0.0.4/33` has an "
             "impossible length | keepalived takes /32: write the length that you mean"},
        Case{"both_families",
             "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n"
             "10.0.0.3\nfd00::1\n}\n}\n",
             "6 error: `virtual_ipaddress` in vrrp_instance V: `fd00::1` is of the other family "
             "than the first address | keepalived ignores it: a second instance, or "
             "virtual_ipaddress_excluded",
             true},
        Case{
            "script_without_quotes", "vrrp_script s {\nscript /bin/true a\n}\n",
            "2 error: `script` in vrrp_script s: keepalived runs `/bin/true` without arguments and "
            "does not look at `a` | either that, or quotes: script \"/bin/true a\""},
        Case{"word_of_another_block", instance("lb_algo rr"),
             "4 error: unknown word `lb_algo` in vrrp_instance VI_1: keepalived goes on as if it "
             "were not there | it is a word of virtual_server",
             true}),
    [](const auto& parameter) { return parameter.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Services, Refused,
    ::testing::Values(
        Case{"lbrcr", service("lb_algo lbrcr"),
             "5 error: `lb_algo` in virtual_server 10.0.0.3 80: `lbrcr` is not known, keepalived "
             "runs wlc; meant is probably lblcr | write one of the two"},
        Case{"method_in_lower_case", service("lb_kind dr"),
             "5 error: `lb_kind` in virtual_server 10.0.0.3 80: `dr` is not known, keepalived runs "
             "NAT; meant is probably DR | write one of the two"},
        Case{
            "no_protocol", "virtual_server 10.0.0.3 80 {\nlvs_sched rr\nlvs_method NAT\n}\n",
            "1 error: virtual_server 10.0.0.3 80 has no protocol: keepalived balances UDP, not TCP "
            "| write protocol TCP, or protocol UDP if that is meant"},
        Case{"no_scheduler", "virtual_server 10.0.0.3 80 {\nlvs_method NAT\nprotocol TCP\n}\n",
             "1 error: virtual_server 10.0.0.3 80 has no lvs_sched | keepalived runs wlc", true},
        Case{"other_port_with_dr",
             "virtual_server 10.0.0.3 80 {\nlvs_sched rr\nlb_kind DR\nprotocol TCP\n"
             "real_server 10.0.0.12 8080 {\n}\n}\n",
             "5 error: real_server 10.0.0.12 8080: DR cannot change the port, keepalived uses 80 | "
             "either port 80, or lvs_method NAT for port 8080"},
        Case{"sorry_port_with_dr",
             "virtual_server 10.0.0.3 80 {\nlvs_sched rr\nlb_kind DR\nprotocol TCP\n"
             "sorry_server 10.0.0.20 81\n}\n",
             "5 error: sorry_server 10.0.0.20 81: DR cannot change the port, keepalived uses 80 | "
             "either port 80, or lvs_method NAT for port 81"},
        Case{"sorry_server_on_this_machine", service("sorry_server 127.0.0.1 80"),
             "5 error: sorry_server 127.0.0.1 80 is this machine itself: LVS hands it to a program "
             "here, behind Pollux there is none | name another machine that runs the server, or "
             "leave it out"},
        Case{"real_server_on_this_machine",
             "virtual_server 10.0.0.3 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n"
             "real_server 127.0.0.1 8080 {\nTCP_CHECK { }\n}\n}\n",
             "5 error: real_server 127.0.0.1 8080 is this machine itself: LVS hands it to a "
             "program here, behind Pollux there is none | name another machine that runs the "
             "server, or leave it out"},
        Case{"sorry_server_is_the_service", service("sorry_server 10.0.0.3 81"),
             "5 error: sorry_server 10.0.0.3 81 is this machine itself: LVS hands it to a program "
             "here, behind Pollux there is none | name another machine that runs the server, or "
             "leave it out"},
        Case{"sorry_server_is_a_virtual_address",
             service("sorry_server 10.0.0.9 80") +
                 instance("virtual_ipaddress_excluded {\n10.0.0.9\n}"),
             "5 error: sorry_server 10.0.0.9 80 is this machine itself: LVS hands it to a program "
             "here, behind Pollux there is none | name another machine that runs the server, or "
             "leave it out"},
        Case{"sorry_server_is_the_source_of_adverts",
             service("sorry_server 10.0.0.5 80") + instance("unicast_src_ip 10.0.0.5"),
             "5 error: sorry_server 10.0.0.5 80 is this machine itself: LVS hands it to a program "
             "here, behind Pollux there is none | name another machine that runs the server, or "
             "leave it out"},
        Case{
            "sorry_server_is_a_broadcast",
            service("sorry_server 10.0.0.255 80") + "static_ipaddress {\n10.0.0.5/24 dev eth0\n}\n",
            "5 error: sorry_server 10.0.0.255 80 is the broadcast address of 10.0.0.0/24 | name "
            "another machine that runs the server, or leave it out"},
        Case{"sorry_server_unspecified", service("sorry_server 0.0.0.0 80"),
             "5 error: sorry_server 0.0.0.0 80 is the unspecified address | name another machine "
             "that runs the server, or leave it out"},
        Case{"weight_out_of_range", service("", "weight 70000"),
             "7 error: `weight` in real_server 10.0.0.12 80: 70000 is outside of 0 to 65535 | "
             "keepalived runs with its default instead: write the number that you mean"},
        Case{"check_without_pages", service("", "HTTP_GET { }"),
             "7 error: `HTTP_GET` in real_server 10.0.0.12 80 has no url | keepalived leaves the "
             "check out: the server is not checked",
             true},
        Case{"status_of_no_page", service("", "HTTP_GET {\nurl { status_code 700 }\n}"),
             "8 error: `status_code` in url: `700` is no HTTP status | keepalived takes 200-299 "
             "instead: write 100 to 599, or a range"},
        Case{"address_with_port", "virtual_server 10.0.0.3:80 {\n}\n",
             "1 error: virtual_server 10.0.0.3:80: `10.0.0.3:80` is no address | keepalived leaves "
             "the block out; a port stands after a blank"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(Import, KeepsAnInstanceWithAllItsParts) {
    const ImportResult result = import_text(
        "vrrp_script web {\nscript \"killall -0 nginx\"\ninterval 2\nuser nginx www\n}\n" +
        instance("state BACKUP\npriority 150\nadvert_int 2\nnopreempt\nno_accept\n"
                 "mcast_src_ip 10.0.0.5\nunicast_peer {\n10.0.0.6 min_ttl 3\n}\n"
                 "track_script {\nweb weight -60 reverse\n}\ntrack_interface { eth1 eth2 }\n"
                 "virtual_ipaddress_excluded {\n10.0.0.9 dev eth1 label eth1:1 brd 10.0.0.255\n}\n"
                 "virtual_routes {\n10.9.0.0/16 via 10.0.0.1 dev eth0 priority 3 hoplimit 4\n}\n"
                 "notify \"/etc/n.sh 'a b' c\""));
    EXPECT_EQ(mistakes(result), std::vector<std::string>{});
    EXPECT_EQ(part(result, "[[vrrp_script]]"),
              "[[vrrp_script]]\nname = \"web\"\nscript = [\"/usr/bin/killall\", \"-0\", "
              "\"nginx\"]\ninterval = \"2s\"\nuser = \"nginx:www\"\n");
    EXPECT_EQ(part(result, "[[vrrp_instance]]"),
              "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"eth0\"\nvirtual_router_id = 51\n"
              "state = \"BACKUP\"\npriority = 150\nadvert_int = \"2s\"\nnopreempt = true\n"
              "accept = false\nmcast_src_ip = \"10.0.0.5\"\nunicast_peer = [\"10.0.0.6\"]\n"
              "notify = [\"/etc/n.sh\", \"a b\", \"c\"]\n");
    EXPECT_EQ(part(result, "[[vrrp_instance.track_script]]"),
              "[[vrrp_instance.track_script]]\nname = \"web\"\nweight = -60\nreverse = true\n");
    EXPECT_EQ(part(result, "[[vrrp_instance.virtual_ipaddress_excluded]]"),
              "[[vrrp_instance.virtual_ipaddress_excluded]]\naddress = \"10.0.0.9\"\n"
              "dev = \"eth1\"\nlabel = \"eth1:1\"\nbroadcast = \"10.0.0.255\"\n");
    EXPECT_EQ(part(result, "[[vrrp_instance.virtual_route]]"),
              "[[vrrp_instance.virtual_route]]\nto = \"10.9.0.0/16\"\nvia = \"10.0.0.1\"\n"
              "dev = \"eth0\"\nmetric = 3\n");
}

TEST(Import, KeepsAServiceWithChecksAndSorryServer) {
    const ImportResult result = import_text(
        "SSL { ca /etc/ca.pem }\n" +
        service(
            "delay_loop 6\npersistence_timeout 50\npersistence_granularity 255.255.255.0\n"
            "quorum 2\nsorry_server 10.0.0.99 80\nsorry_server_lvs_method TUN type gue port "
            "6081 csum",
            "weight 3\nnotify_down \"/etc/d.sh x\"\nSSL_GET {\nurl {\npath /a b\nstatus_code "
            "200 301-302\n}\nnb_get_retry 3\nconnect_timeout 1.5\n}\nUDP_CHECK {\npayload f 10\n"
            "}"));
    EXPECT_EQ(mistakes(result),
              std::vector<std::string>{"17 error: `path` in url: keepalived does not look at `b` | "
                                       "remove it"});
    const ImportResult good = import_text(
        service("persistence_timeout 50\npersistence_granularity 255.255.255.0\n"
                "sorry_server 10.0.0.99 80\nsorry_server_lvs_method TUN type gue port 6081 csum",
                "SSL_GET {\nurl {\npath /a\nstatus_code 200 301-302\n}\nnb_get_retry 3\n"
                "connect_timeout 1.5\n}\nUDP_CHECK {\npayload f 10\n}") +
        "SSL { ca /etc/ca.pem }\n");
    EXPECT_EQ(part(good, "[[virtual_server]]"),
              "[[virtual_server]]\naddress = \"10.0.0.3\"\nport = 80\nlvs_sched = \"rr\"\n"
              "lvs_method = \"NAT\"\nprotocol = \"TCP\"\npersistence_timeout = \"50s\"\n"
              "persistence_granularity = \"255.255.255.0\"\n");
    EXPECT_EQ(part(good, "[virtual_server.sorry_server.tunnel]"),
              "[virtual_server.sorry_server.tunnel]\ntype = \"gue\"\nport = 6081\n"
              "checksum = true\n");
    EXPECT_EQ(part(good, "[[virtual_server.real_server.check]]"),
              "[[virtual_server.real_server.check]]\ntype = \"SSL_GET\"\nretry = 3\n"
              "connect_timeout = \"1500ms\"\nverify = false\nenable_sni = false\n"
              "ca_file = \"/etc/ca.pem\"\n");
    EXPECT_EQ(part(good, "[[virtual_server.real_server.check.url]]"),
              "[[virtual_server.real_server.check.url]]\npath = \"/a\"\n"
              "status_code = [200, \"301-302\"]\n");
    EXPECT_NE(good.toml.find("payload = \"0f10\""), std::string::npos);
}

TEST(Import, EachHostOfAnSmtpCheckIsACheck) {
    const ImportResult result =
        import_text(service("",
                            "SMTP_CHECK {\nhost { connect_ip 10.0.0.12 }\nhelo_name a\n"
                            "host { connect_ip 10.0.0.13\nconnect_port 26 }\n}"));
    EXPECT_EQ(mistakes(result), std::vector<std::string>{});
    const std::size_t at = result.toml.find("[[virtual_server.real_server.check]]");
    EXPECT_EQ(result.toml.substr(at),
              "[[virtual_server.real_server.check]]\ntype = \"SMTP_CHECK\"\nhelo_name = \"a\"\n"
              "connect_ip = \"10.0.0.12\"\n\n"
              "[[virtual_server.real_server.check]]\ntype = \"SMTP_CHECK\"\nhelo_name = \"a\"\n"
              "connect_ip = \"10.0.0.13\"\nconnect_port = 26\n");
}

TEST(Import, PutsGlobalWordsWhereTheyBelong) {
    const ImportResult result = import_text(
        "global_defs {\nrouter_id a\nnotification_email {\nx@y\nz@y\n}\nsmtp_server mail 587\n"
        "vrrp_garp_interval 0\nlvs_timeouts tcp 60 udp 5\nscript_user a b\nenable_dbus\n}\n"
        "static_ipaddress {\n10.0.0.5/24 dev eth0\n}\n" +
        instance(""));
    EXPECT_EQ(mistakes(result), std::vector<std::string>{});
    EXPECT_EQ(part(result, "[global.email]"),
              "[global.email]\nto = [\"x@y\", \"z@y\"]\nserver = \"mail:587\"\n");
    EXPECT_EQ(part(result, "[global.vrrp]"), "[global.vrrp]\ngarp_interval = \"0s\"\n");
    EXPECT_EQ(part(result, "[conntrack.timeout]"),
              "[conntrack.timeout]\ntcp_established = \"60s\"\nudp = \"5s\"\n");
    EXPECT_NE(result.toml.find("address = [\"10.0.0.5/24\"]"), std::string::npos);
    const std::vector<std::string> told = fates(result);
    EXPECT_EQ(std::ranges::count(told,
                                 "11 dropped: global_defs: enable_dbus | there is no D-Bus: "
                                 "`pollux --json` answers questions"),
              1);
}

TEST(Import, APortWithoutADeviceIsALineThatCheckNames) {
    const ImportResult result = import_text(instance(""));
    const LoadResult loaded = load_config_text(result.toml, "x.toml");
    ASSERT_EQ(loaded.errors, 1U);
    EXPECT_EQ(loaded.diagnostics.front().labels.front().source_line,
              "pci = \"fill in: the device of eth0\"");
}

TEST(Import, DevicesAndAddressesOfPortsComeFromTheCommandLine) {
    ImportOptions options;
    options.devices = {{"eth0", "net_af_packet0,iface=eth0"}};
    options.addresses = {{"eth0", "10.0.0.5/24"}};
    const ImportResult result = import_text(instance(""), options);
    EXPECT_EQ(part(result, "[[dpdk.port]]"),
              "[[dpdk.port]]\nname = \"eth0\"\nvdev = \"net_af_packet0,iface=eth0\"\n"
              "address = [\"10.0.0.5/24\"]\n");
}

TEST(Import, AnUnreadableFileIsSaid) {
    const ImportResult result = import_keepalived({"none.conf"}, {}, host_of(Disk{}));
    EXPECT_TRUE(result.unreadable);
    EXPECT_EQ(mistakes(result), std::vector<std::string>{"0 error: none.conf cannot be read"});
}

}  // namespace
}  // namespace pollux::control::testing
