// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/import/importing.h"

namespace pollux::control::testing {
namespace {

// The services of the result: what follows the first [[virtual_server]].
std::string services(const std::string& rules) {
    ImportOptions options;
    options.devices.push_back({"eth0", "0000:3b:00.0"});
    const ImportResult result = import_ipvsadm(rules, "rules", options);
    std::string text;
    for (const std::string& mistake : mistakes(result)) text += mistake + "\n";
    const std::size_t start = result.toml.find("[[virtual_server]]");
    return start == std::string::npos ? text : text + result.toml.substr(start);
}

TEST(ImportIpvsadm, EveryOptionHasItsKey) {
    EXPECT_EQ(services("-A -u 10.0.0.1:53 -s mh -p 60 -M 255.255.255.0 -b mh-port,mh-fallback\n"
                       "-a -u 10.0.0.1:53 -r 10.0.0.12:5353 -m -w 3 -x 100 -y 50\n"),
              "[[virtual_server]]\n"
              "address = \"10.0.0.1\"\n"
              "port = 53\n"
              "protocol = \"UDP\"\n"
              "lvs_sched = \"mh\"\n"
              "persistence_timeout = \"60s\"\n"
              "persistence_granularity = 24\n"
              "sched_flags = [\"mh-port\", \"mh-fallback\"]\n"
              "\n"
              "[[virtual_server.real_server]]\n"
              "address = \"10.0.0.12\"\n"
              "port = 5353\n"
              "lvs_method = \"NAT\"\n"
              "weight = 3\n"
              "uthreshold = 100\n"
              "lthreshold = 50\n");
}

TEST(ImportIpvsadm, MarksAndTunnelsAreKept) {
    EXPECT_EQ(services("-A -f 3 -6 -s rr -o\n-a -f 3 -6 -r [2001:db8::2]:0 -i --tun-type gue "
                       "--tun-port 6081 --tun-csum\n"),
              "[[virtual_server]]\n"
              "fwmark = 3\n"
              "family = \"ipv6\"\n"
              "lvs_sched = \"rr\"\n"
              "ops = true\n"
              "\n"
              "[[virtual_server.real_server]]\n"
              "address = \"2001:db8::2\"\n"
              "port = 0\n"
              "lvs_method = \"TUN\"\n"
              "weight = 1\n"
              "\n"
              "[virtual_server.real_server.tunnel]\n"
              "type = \"gue\"\n"
              "port = 6081\n"
              "checksum = true\n");
}

TEST(ImportIpvsadm, CommandsApplyInOrder) {
    EXPECT_EQ(services("ipvsadm -C\n-A -t 10.0.0.1:80\n-A -t 10.0.0.2:80 -s rr # comment\n"
                       "-a -t 10.0.0.2:80 -r 10.0.0.12 -g -w 1\n-e -t 10.0.0.2:80 -r 10.0.0.12 -g "
                       "-w 5\n-D -t 10.0.0.1:80\n"),
              "[[virtual_server]]\n"
              "address = \"10.0.0.2\"\n"
              "port = 80\n"
              "protocol = \"TCP\"\n"
              "lvs_sched = \"rr\"\n"
              "\n"
              "[[virtual_server.real_server]]\n"
              "address = \"10.0.0.12\"\n"
              "port = 80\n"
              "lvs_method = \"DR\"\n"
              "weight = 5\n");
}

TEST(ImportIpvsadm, WhatIpvsadmRefusesIsRefusedWithItsLine) {
    EXPECT_EQ(services("-A -t 10.0.0.1:80 -s lbrcr\n"),
              "1 error: there is no scheduler `lbrcr` | see `lvs_sched` in "
              "configs/reference.toml\n");
    EXPECT_EQ(services("-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g\n"),
              "1 error: no -A before this line adds the service | ipvsadm refuses it\n");
    EXPECT_EQ(services("-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr\n"),
              "2 error: the service is there already, from line 1 | ipvsadm refuses it: -E edits "
              "a service\n");
    EXPECT_NE(services("-A -t 10.0.0.1:80 --frobnicate\n").find("1 error: ipvsadm refuses"),
              std::string::npos);
}

TEST(ImportIpvsadm, APortThatDirectRoutingWouldIgnoreHasTwoReadings) {
    EXPECT_EQ(services("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -g\n"),
              "2 error: DR cannot change the port: ipvsadm takes 80, not 8080 | either port 80, or "
              "-m (NAT)\n");
}

TEST(ImportIpvsadm, AServerOnThisMachineIsRefused) {
    const std::string told =
        " is this machine itself: LVS hands it to a program here, behind Pollux there is none | "
        "name another machine that runs the server, or leave it out\n";
    EXPECT_EQ(services("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 127.0.0.1:80 -m\n"),
              "2 error: real server 127.0.0.1" + told);
    EXPECT_EQ(services("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.1:81 -m\n"),
              "2 error: real server 10.0.0.1" + told);
    ImportOptions options;
    options.addresses = {{"eth0", "10.0.0.5/24"}};
    EXPECT_EQ(mistakes(import_ipvsadm(
                  "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.5:81 -m\n", "r", options)),
              std::vector<std::string>{
                  "2 error: real server 10.0.0.5 is this machine itself: LVS hands it to a program "
                  "here, behind Pollux there is none | name another machine that runs the server, "
                  "or leave it out"});
}

TEST(ImportIpvsadm, TimeoutsAndTheSyncDaemonAreTold) {
    const ImportResult result =
        import_ipvsadm("--set 900 120 300\n--start-daemon master\n", "rules", {});
    EXPECT_NE(result.toml.find("[conntrack.timeout]\ntcp_established = \"900s\"\n"
                               "tcp_fin_wait = \"120s\"\nudp = \"300s\"\n"),
              std::string::npos)
        << result.toml;
    EXPECT_EQ(fates(result),
              std::vector<std::string>{
                  "2 dropped: --start-daemon | connections are not synchronised yet"});
}

}  // namespace
}  // namespace pollux::control::testing
