// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/bench_profile.h"

#include <sstream>

#include <gtest/gtest.h>

#include "control/config/load.h"
#include "control/config/render.h"
#include "tools/pollux/cli.h"

namespace pollux::cli {
namespace {

constexpr std::string_view kConfig = R"(
[[dpdk.port]]
name = "wan"
vdev = "net_memif0,role=server,id=0,socket-abstract=no,socket=/run/wan.sock"
address = ["203.0.113.1/24"]
[[dpdk.port]]
name = "lan"
vdev = "net_memif1,role=server,id=1,socket-abstract=no,socket=/run/lan.sock"
address = ["10.0.0.1/24"]
[[route]]
to = "198.51.100.0/24"
via = "203.0.113.9"
[[vrrp_instance]]
name = "VI_1"
interface = "wan"
virtual_router_id = 51
use_vmac = true
  [[vrrp_instance.virtual_ipaddress]]
  address = "203.0.113.80/24"
[[virtual_server]]
address = "203.0.113.80"
port = 80
protocol = "TCP"
lvs_method = "NAT"
  [[virtual_server.real_server]]
  address = "10.0.0.11"
  port = 8080
  [[virtual_server.real_server]]
  address = "10.0.0.12"
  port = 8080
[[virtual_server]]
address = "203.0.113.80"
port = 53
protocol = "UDP"
lvs_method = "NAT"
  [[virtual_server.real_server]]
  address = "10.0.0.13"
  port = 53
)";

Result<std::string> profile_of(std::vector<std::string> args, std::string_view text = kConfig) {
    const control::LoadResult loaded = control::load_config_text(text, "pollux.toml");
    EXPECT_TRUE(loaded.config) << control::render_all(loaded);
    args.push_back("pollux.toml");
    const auto options = parse_bench_profile(args);
    if (!options) return options.error();
    const auto profile = make_profile(*loaded.config, *options);
    if (!profile) return profile.error();
    return render_profile(*profile, *options);
}

bool holds(const Result<std::string>& text, std::string_view part) {
    EXPECT_TRUE(text) << (text ? "" : text.error().message);
    return text && text->find(part) != std::string::npos;
}

TEST(BenchProfile, PktgenCyclesThroughTheClientsOfTheRoute) {
    const auto text = profile_of({"--tool", "pktgen", "--flows", "160"});
    EXPECT_TRUE(holds(text, R"(pktgen.range.dst_mac(port, "start", "00:00:5e:00:01:33"))"));
    EXPECT_TRUE(holds(text, R"(pktgen.range.src_ip(port, "start", "198.51.100.1"))"));
    EXPECT_TRUE(holds(text, R"(pktgen.range.src_ip(port, "max", "198.51.100.16"))"));
    EXPECT_TRUE(holds(text, R"(pktgen.range.src_port(port, "max", 1033))"));
    EXPECT_TRUE(holds(text, R"(pktgen.range.dst_ip(port, "start", "203.0.113.80"))"));
    EXPECT_TRUE(holds(text, R"(pktgen.range.dst_port(port, "min", 80))"));
    EXPECT_TRUE(holds(text, R"(pktgen.range.ip_proto(port, "tcp"))"));
    EXPECT_TRUE(holds(text, "-- also in the file: --service 203.0.113.80:53"));
}

TEST(BenchProfile, TrexVariesClientAndPortAtRandom) {
    const auto text = profile_of({"--tool", "trex", "--service", "203.0.113.80:53", "--flows",
                                  "64512", "--clients", "192.0.2.7/32"});
    EXPECT_TRUE(holds(text, R"(dst="203.0.113.80") / UDP(sport=1024, dport=53))"));
    EXPECT_TRUE(holds(text, R"(min_value="192.0.2.7", max_value="192.0.2.7")"));
    EXPECT_TRUE(holds(text, "min_value=1024, max_value=65535"));
    EXPECT_TRUE(holds(text, R"(pkt_offset="UDP.sport")"));
    EXPECT_TRUE(holds(text, "L4_TYPE_UDP"));
    EXPECT_TRUE(holds(text, "def register():"));
}

TEST(BenchProfile, DperfGetsBothEnds) {
    const auto client = profile_of({"--tool", "dperf", "--pci", "0000:03:00.0", "--flows", "5000"});
    EXPECT_TRUE(holds(client, "mode            client\n"));
    EXPECT_TRUE(
        holds(client, "port            0000:03:00.0 203.0.113.9 203.0.113.80 00:00:5e:00:01:33\n"));
    EXPECT_TRUE(holds(client, "server          203.0.113.80 1\n"));
    EXPECT_TRUE(holds(client, "client          198.51.100.1 16\n"));
    EXPECT_TRUE(holds(client, "cc              5000\n"));
    const auto server = profile_of({"--tool", "dperf", "--role", "server", "--pci", "0000:04:00.0",
                                    "--server-address", "10.0.0.250"});
    EXPECT_TRUE(holds(server, "port            0000:04:00.0 10.0.0.250 10.0.0.1\n"));
    EXPECT_TRUE(holds(server, "server          10.0.0.11 2\n"));
    EXPECT_TRUE(holds(server, "listen          8080 1\n"));
}

TEST(BenchProfile, OwnGeneratorTakesTheOtherEndOfMemif) {
    const auto text = profile_of({"--server-address", "10.0.0.9"});
    EXPECT_TRUE(holds(text, "net_memif0,role=client,id=0,socket-abstract=no"));
    EXPECT_TRUE(holds(text, "next_hop_mac = \"00:00:5e:00:01:33\"\ncarries = \"clients\"\n"));
    EXPECT_TRUE(holds(text, "address = \"10.0.0.9\"\nnext_hop = \"10.0.0.1\"\n"));
    EXPECT_TRUE(holds(text, "[[server]]\naddress = \"10.0.0.12\"\nport = 8080\n"));
    EXPECT_TRUE(holds(text, "lvs_method = \"NAT\""));
    EXPECT_TRUE(holds(text, "clients = \"198.51.100.0/24\""));
}

TEST(BenchProfile, MisuseIsNamed) {
    struct Case {
        std::vector<std::string> args;
        const char* message;
    };
    const Case cases[] = {
        {{"--tool", "iperf"}, "--tool cannot be 'iperf'"},
        {{"--flow", "1"}, "unknown option --flow"},
        {{"--flows"}, "--flows cannot be 'pollux.toml'"},
        {{"--service", "203.0.113.80:81"}, "the file has no virtual_server 203.0.113.80:81"},
        {{"--clients", "2001:db8::/64"}, "--clients is of another family"},
        {{"--tool", "dperf"}, "this profile needs the generator's NIC"},
    };
    for (const Case& each : cases) {
        const auto text = profile_of(each.args);
        ASSERT_FALSE(text) << each.message;
        EXPECT_EQ(text.error().message.find(each.message), 0U) << text.error().message;
    }
}

TEST(BenchProfile, PktgenNeedsAMacThatTheFileDoesNotTell) {
    std::string text(kConfig);
    text.replace(text.find("use_vmac = true"), 15, "use_vmac = false");
    const auto refused = profile_of({"--tool", "pktgen"}, text);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().remedy.find("--balancer-mac"), std::string::npos);
    EXPECT_TRUE(holds(profile_of({"--tool", "pktgen", "--balancer-mac", "02:00:00:00:00:01"}, text),
                      "02:00:00:00:00:01"));
}

TEST(BenchProfile, AFileOfTwoNodesIsReadAsTheNamedOne) {
    const auto options = parse_bench_profile({"--node", "lb2", "pair.toml"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->node, "lb2");

    const std::string pair = POLLUX_SOURCE_ROOT "/configs/vrrp-pair.toml";
    std::ostringstream out, err;
    EXPECT_EQ(run({"bench-profile", "--node", "nobody", pair}, out, err), 1);
    EXPECT_NE(err.str().find("choose with --node NAME"), std::string::npos) << err.str();
    err.str("");
    const std::vector<std::string> args{
        "bench-profile",     "--node", "lb1", "--tool", "trex", "--balancer-mac",
        "02:00:00:00:00:01", pair};
    EXPECT_EQ(run(args, out, err), 0) << err.str();
    EXPECT_NE(out.str().find("192.168.10.10"), std::string::npos);
}

TEST(BenchProfile, FileErrorsAreShown) {
    std::ostringstream out, err;
    EXPECT_EQ(run({"bench-profile", "/nonexistent.toml"}, out, err), 1);
    EXPECT_NE(err.str().find("/nonexistent.toml"), std::string::npos);
    EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace pollux::cli
