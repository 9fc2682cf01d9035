// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/options.h"

#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/pktgen/plan_load.h"

namespace pollux::pktgen {
namespace {

constexpr const char* kFile = R"(
[[port]]
name = "lan"
vdev = "net_ring0"
next_hop_mac = "02:00:00:00:00:01"
[service]
address = "203.0.113.80"
port = 80
lvs_method = "DR"
[[server]]
address = "203.0.113.11"
[traffic]
clients = "198.51.100.0/24"
)";

class PktgenOptions : public testing::Test {
  protected:
    PktgenOptions() : name_(testing::TempDir() + "pktgen-" + std::to_string(getpid()) + ".toml") {
        std::ofstream(name_) << kFile;
    }
    ~PktgenOptions() override { std::remove(name_.c_str()); }

    Result<CommandLine> parse(const std::string& verb, std::vector<std::string> options = {}) {
        std::vector<std::string> words{verb, name_};
        words.insert(words.end(), options.begin(), options.end());
        return parse_command_line(words);
    }

    std::string name_;
};

TEST_F(PktgenOptions, OptionsWinOverTheFile) {
    const auto line = parse("search", {"--flows", "77", "--rate", "2.5M", "--kind", "tcp",
                                       "--duration", "1500ms", "--resolution", "0.1", "--json",
                                       "out.json", "--worker-lcore", "3", "--hugepages", "false"});
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(line->verb, Verb::Search);
    EXPECT_EQ(line->plan.traffic.flows, 77U);
    EXPECT_EQ(line->plan.traffic.rate, "2.5M");
    EXPECT_EQ(line->plan.traffic.kind, Kind::Tcp);
    EXPECT_EQ(line->plan.traffic.duration, std::chrono::milliseconds(1500));
    EXPECT_DOUBLE_EQ(line->plan.search.resolution, 0.1);
    EXPECT_EQ(line->plan.dpdk.worker_lcore, 3U);
    EXPECT_FALSE(line->plan.dpdk.hugepages);
    EXPECT_EQ(line->json_file, "out.json");
}

TEST_F(PktgenOptions, ARateMayBeAPlainNumber) {
    const auto line = parse("run", {"--rate", "5000"});
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(parse_rate(line->plan.traffic.rate), 5000);
}

TEST_F(PktgenOptions, WhatTheFileSaysStays) {
    const auto line = parse("run");
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(line->verb, Verb::Run);
    EXPECT_EQ(line->plan.service.method, lb::ForwardingMethod::DirectRouting);
    EXPECT_EQ(line->plan.traffic.clients.to_string(), "198.51.100.0/24");
    EXPECT_EQ(line->json_file, "");
}

TEST_F(PktgenOptions, MisuseIsNamedWithItsRemedy) {
    struct Case {
        std::vector<std::string> options;
        const char* message;
        const char* remedy;
    };
    const Case cases[] = {
        {{"--flow", "1"}, "unknown option --flow", "help"},
        {{"--flows"}, "--flows has no value", "help"},
        {{"--flows", "none"}, "--flows cannot be 'none'", "from 1 to 16777216"},
        {{"--duration", "5"}, "--duration cannot be '5'", "a duration"},
        {{"--kind", "icmp"}, "--kind cannot be 'icmp'", "udp, tcp or tcp-syn"},
        {{"--rate", "fast"}, "'fast' is not a rate", "14.88M"},
        // What must hold together is looked at once more with the options.
        {{"--direction", "both"}, "answers do not pass the balancer", "NAT or FNAT"},
        {{"--lowest", "2M", "--highest", "1M"},
         "search.lowest is above search.highest",
         "exchange"},
    };
    for (const Case& each : cases) {
        const auto line = parse("run", each.options);
        ASSERT_FALSE(line) << each.message;
        EXPECT_NE(line.error().message.find(each.message), std::string::npos)
            << line.error().message;
        EXPECT_NE(line.error().remedy.find(each.remedy), std::string::npos) << line.error().remedy;
    }
}

TEST(PktgenCommandLine, NeedsAVerbAndAFile) {
    using Words = std::vector<std::string>;
    EXPECT_FALSE(parse_command_line(Words{}));
    EXPECT_FALSE(parse_command_line(Words{"walk", "file"}));
    EXPECT_FALSE(parse_command_line(Words{"run"}));
    EXPECT_FALSE(parse_command_line(Words{"run", "--rate"}));
    const auto missing = parse_command_line(Words{"run", "/nonexistent.toml"});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().remedy.find("/nonexistent.toml"), std::string::npos);
    EXPECT_EQ(parse_command_line(Words{"--help"})->verb, Verb::Help);
}

TEST(PktgenCommandLine, HelpNamesEveryOption) {
    const std::string help = usage_text();
    for (const char* option : {"--json", "--rate", "--frame-size", "--tolerance", "--lvs-method",
                               "--file-prefix", "--warm-up-limit"}) {
        EXPECT_NE(help.find(option), std::string::npos) << option;
    }
}

}  // namespace
}  // namespace pollux::pktgen
