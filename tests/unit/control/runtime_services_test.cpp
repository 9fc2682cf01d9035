// SPDX-License-Identifier: Apache-2.0
#include "control/spec/runtime_services.h"

#include <random>

#include <gtest/gtest.h>

#include "control/ipvs/table.h"
#include "control/spec/spec_builder.h"
#include "tests/unit/control/builders.h"

namespace pollux::control {
namespace {

using namespace testing;

RealServerConfig real_server(const std::string& address, std::uint16_t weight) {
    RealServerConfig server;
    server.address = ip(address);
    server.port = 80;
    server.weight = weight;
    return server;
}

// One service of the file with three servers.
Config web_config() {
    VirtualServerConfig service;
    service.address = ip("10.0.0.100");
    service.port = 80;
    service.protocol = lb::Protocol::Tcp;
    service.lvs_sched = lb::SchedulerKind::Wrr;
    service.real_server = {real_server("10.0.1.1", 1), real_server("10.0.1.2", 2),
                           real_server("10.0.1.3", 3)};
    Config config;
    config.virtual_servers.push_back(service);
    return config;
}

// A configuration, the operator's changes and the table that both make.
class RuntimeServicesTest : public ::testing::Test {
  protected:
    lb::DataPlaneSpec spec() const {
        return build_spec({config_, PortTable{}, KernelTables{}, states_, {}, &changes_});
    }

    std::vector<lb::ServiceSpec> services() const { return spec().services; }

    // An ipvsadm command line; returns the refusal, or nothing.
    std::string run(const std::string& line) {
        const auto parsed = ipvs::parse_command(ipvs::split_line(line), "ipvsadm");
        if (const auto* refusal = std::get_if<ipvs::Refusal>(&parsed)) return refusal->message;
        const lb::DataPlaneSpec now = spec();
        ipvs::Table table{now.services, now.timeouts};
        if (const auto refusal = table.apply(std::get<ipvs::Command>(parsed))) {
            return refusal->message;
        }
        changes_.record({now.services, now.timeouts}, {table.services, table.timeouts},
                        build_file_table(config_));
        return "";
    }

    std::vector<std::string> reload(const Config& next) {
        auto lines = changes_.follow_file(build_file_table(config_), build_file_table(next));
        config_ = next;
        return lines;
    }

    // "10.0.1.1=1 10.0.1.2=2" of the file's service.
    std::string servers(std::size_t service = 0) const {
        std::string text;
        const lb::ServiceSpec shown = services().at(service);
        for (const lb::RealServerSpec& server : shown.servers) {
            text += (text.empty() ? "" : " ") + server.address.to_string() + "=" +
                    std::to_string(server.weight);
        }
        return text;
    }

    DefinedBy by(const std::string& server) const {
        return changes_.defined_by(lb::ServiceKey::of(services().at(0)), {ip(server), 80});
    }

    Config config_ = web_config();
    ServerStates states_;
    RuntimeServices changes_;
};

TEST_F(RuntimeServicesTest, EditsOfTheFilesServiceAreLaidOverIt) {
    EXPECT_EQ(run("-E -t 10.0.0.100:80 -s rr -p 60"), "");
    EXPECT_EQ(run("-e -t 10.0.0.100:80 -r 10.0.1.2:80 -m -w 7"), "");
    EXPECT_EQ(run("-d -t 10.0.0.100:80 -r 10.0.1.1:80"), "");
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.9:80 -m -w 9"), "");

    EXPECT_EQ(services().at(0).scheduler, lb::SchedulerKind::Rr);
    ASSERT_TRUE(services().at(0).persistence);
    EXPECT_EQ(servers(), "10.0.1.2=7 10.0.1.3=3 10.0.1.9=9");
    EXPECT_EQ(by("10.0.1.2"), DefinedBy::Changed);
    EXPECT_EQ(by("10.0.1.3"), DefinedBy::File);
    EXPECT_EQ(by("10.0.1.9"), DefinedBy::Runtime);
    EXPECT_EQ(changes_.defined_by(lb::ServiceKey::of(services()[0])), DefinedBy::Changed);
    EXPECT_EQ(changes_.deleted(),
              std::vector<std::string>{"TCP 10.0.0.100:80 real_server 10.0.1.1:80"});
    EXPECT_EQ(changes_.size(), 4U);
}

TEST_F(RuntimeServicesTest, ServerDeletedAndAddedAgainIsTheLastOne) {
    EXPECT_EQ(run("-d -t 10.0.0.100:80 -r 10.0.1.1:80"), "");
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.1:80 -m -w 4"), "");

    EXPECT_EQ(servers(), "10.0.1.2=2 10.0.1.3=3 10.0.1.1=4");
    EXPECT_EQ(by("10.0.1.1"), DefinedBy::Changed);
    EXPECT_TRUE(changes_.deleted().empty());
}

TEST_F(RuntimeServicesTest, DeletedServiceStaysAwayUntilTheFileChangesIt) {
    EXPECT_EQ(run("-D -t 10.0.0.100:80"), "");
    EXPECT_TRUE(services().empty());
    EXPECT_EQ(changes_.deleted(), std::vector<std::string>{"TCP 10.0.0.100:80"});

    EXPECT_TRUE(reload(web_config()).empty());
    EXPECT_TRUE(services().empty());

    Config next = web_config();
    next.virtual_servers[0].real_server[0].weight = 5;
    EXPECT_EQ(reload(next).size(), 1U);
    EXPECT_EQ(servers(), "10.0.1.1=5 10.0.1.2=2 10.0.1.3=3");
    EXPECT_EQ(changes_.size(), 0U);
}

TEST_F(RuntimeServicesTest, DeletedServiceMadeAnewIsTheOperatorsAlone) {
    EXPECT_EQ(run("-D -t 10.0.0.100:80"), "");
    EXPECT_EQ(run("-A -t 10.0.0.100:80 -s lc"), "");
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.9:80 -m"), "");

    ASSERT_EQ(services().size(), 1U);
    EXPECT_EQ(servers(), "10.0.1.9=1");
    EXPECT_EQ(changes_.defined_by(lb::ServiceKey::of(services()[0])), DefinedBy::Runtime);
}

TEST_F(RuntimeServicesTest, ReloadKeepsWhatTheFileDoesNotContradict) {
    EXPECT_EQ(run("-e -t 10.0.0.100:80 -r 10.0.1.2:80 -m -w 7"), "");
    EXPECT_EQ(run("-e -t 10.0.0.100:80 -r 10.0.1.3:80 -m -w 8"), "");
    EXPECT_EQ(run("-A -u 10.0.0.100:53 -s rr"), "");
    EXPECT_EQ(run("-a -u 10.0.0.100:53 -r 10.0.1.9:53 -m"), "");

    Config next = web_config();
    next.virtual_servers[0].real_server[1].weight = 20;
    next.virtual_servers[0].quorum = 2;  // not part of the table
    const auto lines = reload(next);

    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0],
              "run-time change given up: virtual_server TCP 10.0.0.100:80: real_server "
              "10.0.1.2:80");
    EXPECT_EQ(servers(), "10.0.1.1=1 10.0.1.2=20 10.0.1.3=8");
    EXPECT_EQ(servers(1), "10.0.1.9=1");
}

TEST_F(RuntimeServicesTest, ServiceThatTheFileLearnsIsTheFiles) {
    Config without;
    config_ = without;
    EXPECT_EQ(run("-A -t 10.0.0.100:80 -s rr"), "");
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.9:80 -m"), "");
    EXPECT_EQ(changes_.defined_by(lb::ServiceKey::of(services().at(0))), DefinedBy::Runtime);

    EXPECT_EQ(reload(web_config()).size(), 1U);

    EXPECT_EQ(servers(), "10.0.1.1=1 10.0.1.2=2 10.0.1.3=3");
    EXPECT_EQ(changes_.size(), 0U);
}

TEST_F(RuntimeServicesTest, ServiceThatTheFileLosesGoesWithItsChanges) {
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.9:80 -m"), "");
    EXPECT_EQ(reload(Config{}).size(), 1U);
    EXPECT_TRUE(services().empty());
}

TEST_F(RuntimeServicesTest, DeadServerStaysOutWhateverItsEdit) {
    config_.virtual_servers[0].real_server[2].inhibit_on_failure = true;
    EXPECT_EQ(run("-e -t 10.0.0.100:80 -r 10.0.1.2:80 -m -w 7"), "");
    EXPECT_EQ(run("-e -t 10.0.0.100:80 -r 10.0.1.3:80 -m -w 8"), "");
    for (std::size_t i : {1U, 2U}) {
        const VirtualServerConfig& service = config_.virtual_servers[0];
        states_.servers[ServerKey::of(service, service.real_server[i])].alive = false;
    }

    EXPECT_EQ(servers(), "10.0.1.1=1 10.0.1.3=0");

    states_.servers.clear();
    EXPECT_EQ(servers(), "10.0.1.1=1 10.0.1.2=7 10.0.1.3=8");
}

TEST_F(RuntimeServicesTest, ServerThatWasAddedAgainFollowsItsChecks) {
    EXPECT_EQ(run("-d -t 10.0.0.100:80 -r 10.0.1.1:80"), "");
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.1:80 -m"), "");
    const VirtualServerConfig& service = config_.virtual_servers[0];
    states_.servers[ServerKey::of(service, service.real_server[0])].alive = false;

    EXPECT_EQ(servers(), "10.0.1.2=2 10.0.1.3=3");
}

TEST_F(RuntimeServicesTest, ServerCommandsWeightReplacesTheEdits) {
    EXPECT_EQ(run("-e -t 10.0.0.100:80 -r 10.0.1.2:80 -m -w 7"), "");
    EXPECT_EQ(run("-a -t 10.0.0.100:80 -r 10.0.1.9:80 -m -w 9"), "");
    const lb::ServiceKey key = lb::ServiceKey::of(services()[0]);

    changes_.forget_weight(key, {ip("10.0.1.2"), 80});
    EXPECT_EQ(changes_.set_weight(key, {ip("10.0.1.9"), 80}, std::uint16_t{0}), 0);
    EXPECT_EQ(servers(), "10.0.1.1=1 10.0.1.2=2 10.0.1.3=3 10.0.1.9=0");

    EXPECT_EQ(changes_.set_weight(key, {ip("10.0.1.9"), 80}, std::nullopt), 9);
    EXPECT_EQ(servers(), "10.0.1.1=1 10.0.1.2=2 10.0.1.3=3 10.0.1.9=9");
}

TEST_F(RuntimeServicesTest, TimeoutsFollowTheFileOnlyWhereItChanges) {
    EXPECT_EQ(run("--set 100 0 50"), "");
    EXPECT_EQ(spec().timeouts.tcp_established, std::chrono::seconds(100));
    EXPECT_EQ(spec().timeouts.tcp_fin_wait, std::chrono::seconds(120));

    Config next = web_config();
    next.conntrack.timeout.udp = std::chrono::seconds(7);
    EXPECT_EQ(reload(next).size(), 1U);

    EXPECT_EQ(spec().timeouts.tcp_established, std::chrono::seconds(100));
    EXPECT_EQ(spec().timeouts.udp, std::chrono::seconds(7));
}

// Whatever the commands: the table that is built from file and changes is the table that the
// commands made.
TEST_F(RuntimeServicesTest, RandomCommandsAreNeverLost) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto pick = [&](unsigned count) { return random() % count; };
    const auto service = [&] {
        return std::string(" -t 10.0.0.10") + std::to_string(pick(3)) + ":80";
    };
    const auto server = [&] { return " -r 10.0.1." + std::to_string(1 + pick(5)) + ":80"; };
    unsigned accepted = 0;
    for (int i = 0; i < 2000; ++i) {
        const std::string weight = " -m -w " + std::to_string(pick(9));
        const std::string lines[] = {"-A" + service() + " -s rr",
                                     "-E" + service() + " -s lc",
                                     "-D" + service(),
                                     "-a" + service() + server() + weight,
                                     "-e" + service() + server() + weight,
                                     "-d" + service() + server()};
        const std::string& line = lines[pick(6)];
        const lb::DataPlaneSpec now = spec();
        ipvs::Table table{now.services, now.timeouts};
        const auto parsed = ipvs::parse_command(ipvs::split_line(line), "ipvsadm");
        if (table.apply(std::get<ipvs::Command>(parsed))) continue;
        ++accepted;
        ASSERT_EQ(run(line), "") << line;
        std::map<lb::ServiceKey, std::vector<lb::RealServerSpec>> wanted, got;
        for (const auto& each : table.services) wanted[lb::ServiceKey::of(each)] = each.servers;
        const auto built = services();
        for (const auto& each : built) got[lb::ServiceKey::of(each)] = each.servers;
        ASSERT_EQ(wanted, got) << line;
    }
    EXPECT_GT(accepted, 100U);
}

}  // namespace
}  // namespace pollux::control
