// SPDX-License-Identifier: Apache-2.0

// `pollux ipvs` as a whole, from the command line through the control protocol's JSON and the
// daemon's commands to a data plane and back to ipvsadm's texts. Without DPDK and without traffic:
// counters are set.

#include "tools/pollux/ipvs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "control/api/ipvs_commands.h"
#include "control/api/json_views.h"
#include "control/log/log.h"
#include "control/spec/spec_builder.h"
#include "tests/unit/control/builders.h"
#include "tests/unit/ipvs/recorded.h"

namespace pollux::cli {
namespace {

using control::testing::ip;

class IpvsProgram : public control::ipvs::testing::RecordedTexts {
  protected:
    IpvsProgram() {
        control::log::set_level(control::log::Level::Error);
        lb::DataPlaneLimits limits;
        limits.max_connections = 1024;
        limits.max_services = 64;
        limits.max_servers = 256;
        limits.hugepages = false;
        plane_ = std::move(lb::DataPlane::create(limits)).value();
        control::api::IpvsHooks hooks;
        hooks.file = [this] { return control::build_file_table(config_); };
        hooks.changes = [this]() -> const control::RuntimeServices& { return changes_; };
        hooks.build = [this](const control::RuntimeServices& changes) {
            return control::build_spec({config_, {}, {}, states_, {}, &changes});
        };
        hooks.publish = [this](const lb::DataPlaneSpec& spec, control::RuntimeServices changes) {
            Status done = plane_->apply(spec, {});
            if (done) changes_ = std::move(changes);
            return done;
        };
        hooks.views = [this] {
            auto views = plane_->services({});
            if (counted_) set_counts(views);
            return views;
        };
        hooks.page = [this](std::uint64_t cursor, std::uint32_t budget) {
            auto page = plane_->service_page(cursor, budget);
            if (counted_) set_counts(page.services);
            return page;
        };
        hooks.generation = [this] { return plane_->generation(); };
        hooks.timeouts = [this] { return config_.conntrack.timeout; };
        hooks.size = 4096;
        commands_.emplace(std::move(hooks));
        publish_file();
    }

    void publish_file() {
        ASSERT_TRUE(
            plane_->apply(control::build_spec({config_, {}, {}, states_, {}, &changes_}), {}));
    }

    // What the daemon's rows for these commands do with the request.
    Result<Json> ask(const std::string& command, const Json& arguments) {
        const auto good = [](Json data) { return Json{{"ok", true}, {"data", std::move(data)}}; };
        if (command == "ipvs listing") {
            ++pages_;
            const auto request = control::api::service_page_request(arguments);
            if (!request) return request.error();
            return good(commands_->listing(*request));
        }
        if (command == "show connections") {
            return good({{"connections", connections_}, {"next", 0}});
        }
        const auto output = commands_->run(arguments.at("arguments"), arguments.at("program"),
                                           arguments.value("input", std::string()));
        return good(
            {{"out", output.out}, {"err", output.err}, {"exit_status", output.exit_status}});
    }

    control::ipvs::Output run_words(const std::vector<std::string>& words,
                                    const std::string& input) override {
        std::istringstream in(input);
        std::ostringstream out, err;
        const auto connect = [this]() -> Result<Ask> {
            return Ask([this](const std::string& command, const Json& arguments) {
                return ask(command, arguments);
            });
        };
        const int status =
            run_ipvs({words, "ipvsadm", &in, {}, recorded_names()}, connect, out, err);
        return {out.str(), err.str(), status};
    }

    control::Config config_;
    control::ServerStates states_;
    control::RuntimeServices changes_;
    std::unique_ptr<lb::DataPlane> plane_;
    std::optional<control::api::IpvsCommands> commands_;
    bool counted_ = true;
    int pages_ = 0;  // of listings that were asked for
    Json connections_ = Json::array();
};

TEST_F(IpvsProgram, ListingsOfTheEmptyTableAreIpvsadms) {
    EXPECT_EQ(compare_empty(), 9U);
}

TEST_F(IpvsProgram, ListingsOfTheSetUpTableAreIpvsadms) {
    EXPECT_EQ(compare_populated(), 20U);
}

// Programs that talk to the control socket get the table's size like the program itself.
TEST_F(IpvsProgram, TheDaemonsOwnListingHasTheSizeOfTheTable) {
    const std::string listing = commands_->run({"-L", "-n"}, "ipvsadm", "").out;
    EXPECT_NE(listing.find("(size=4096)\n"), std::string::npos) << listing;
}

TEST_F(IpvsProgram, RefusalsAreIpvsadms) {
    // Deliberate difference: a port of its own for a server under direct routing.
    EXPECT_GT(compare_errors({"DR with another port", "what became of it"}), 50U);
    EXPECT_EQ(run("ipvsadm -A -t 10.1.0.11:80").err, "");
    EXPECT_EQ(run("ipvsadm -a -t 10.1.0.11:80 -r 10.2.0.6:8080 -g").exit_status, 255);
}

TEST_F(IpvsProgram, SavedRulesRestoreTheTableInOneSnapshot) {
    set_up_as_recorded();
    const std::string saved = run("ipvsadm -S -n").out;
    ASSERT_EQ(run("ipvsadm -C").exit_status, 0);
    const std::uint64_t generation = plane_->generation();

    const auto restored = run_words({"-R"}, saved);

    EXPECT_EQ(restored.err, "");
    EXPECT_EQ(run("ipvsadm -S -n").out, saved);
    EXPECT_EQ(plane_->generation(), generation + 1);
}

// The daemon gives a listing in pages of 256, each service counted as one and its servers.
TEST_F(IpvsProgram, ALongTableIsListedWhole) {
    std::string rules;
    for (int i = 0; i < 62; ++i) {
        const std::string service = "10.3.0." + std::to_string(i) + ":80";
        rules += "-A -t " + service + " -s rr\n";
        for (int j = 4; j > 0; --j) {
            rules += "-a -t " + service + " -r 10.4." + std::to_string(i) + "." +
                     std::to_string(j) + ":80 -m -w 1\n";
        }
    }
    ASSERT_EQ(run_words({"-R"}, rules).err, "");

    const std::string saved = run("ipvsadm -S -n").out;

    EXPECT_EQ(pages_, 2);
    EXPECT_EQ(std::ranges::count(saved, '\n'), 62 * 5);
    ASSERT_EQ(run("ipvsadm -C").exit_status, 0);
    ASSERT_EQ(run_words({"-R"}, saved).err, "");
    EXPECT_EQ(run("ipvsadm -S -n").out, saved);
}

TEST_F(IpvsProgram, ZeroStartsTheCountersOver) {
    set_up_as_recorded();
    const std::string before = run("ipvsadm -Ln --stats -t 10.1.0.10:80").out;
    ASSERT_EQ(run("ipvsadm -Z -t 10.1.0.10:80").exit_status, 0);

    const std::string after = run("ipvsadm -Ln --stats -t 10.1.0.10:80").out;

    EXPECT_NE(before.find("TCP  10.1.0.10:80                        5       10        0      400"),
              std::string::npos)
        << before;
    EXPECT_NE(after.find("TCP  10.1.0.10:80                        0        0        0        0"),
              std::string::npos)
        << after;
}

TEST_F(IpvsProgram, RatesAreSampledByTheDaemon) {
    set_up_as_recorded();
    commands_->begin_sample();
    while (commands_->sample_on()) {
    }

    // 5 connections since the start: a quarter of 2.5 per second, rounded as IPVS does.
    const std::string rates = run("ipvsadm -Ln --rate -t 10.1.0.10:443").out;
    EXPECT_NE(rates.find("TCP  10.1.0.10:443                       1        1        0       50"),
              std::string::npos)
        << rates;
}

TEST_F(IpvsProgram, ConnectionsComeInPiecesAndAreListedAsIpvsadmDoes) {
    lb::ConnectionView view;
    view.protocol = lb::Protocol::Tcp;
    view.client = ip("fd00:c::1");
    view.client_port = 1001;
    view.virtual_address = ip("fd00:a::10");
    view.virtual_port = 80;
    view.server = ip("10.2.0.9");
    view.server_port = 80;
    view.state = "ESTABLISHED";
    view.expires_in = std::chrono::milliseconds(898'900);
    connections_.push_back(control::api::connection_json(view));

    EXPECT_EQ(run("ipvsadm -Lnc").out,
              "IPVS connection entries\n"
              "pro expire state       source             virtual            destination\n"
              "TCP 14:58  ESTABLISHED [fd00:c::1]:1001   [fd00:a::10]:80    10.2.0.9:80\n");
}

TEST_F(IpvsProgram, DeadServerCannotBeAdded) {
    control::VirtualServerConfig service;
    service.address = ip("10.1.0.10");
    service.port = 80;
    service.protocol = lb::Protocol::Tcp;
    service.real_server.resize(1);
    service.real_server[0].address = ip("10.2.0.1");
    service.real_server[0].port = 80;
    config_.virtual_servers = {service};
    states_.servers[control::ServerKey::of(service, service.real_server[0])].alive = false;
    publish_file();

    const auto output = run("ipvsadm -a -t 10.1.0.10:80 -r 10.2.0.1:80 -m");

    EXPECT_EQ(output.exit_status, 255);
    EXPECT_NE(output.err.find("held back by its health checks"), std::string::npos) << output.err;
    EXPECT_EQ(changes_.size(), 0U);
}

TEST_F(IpvsProgram, RefusedSnapshotChangesNothing) {
    std::string rules;
    for (int i = 0; i < 65; ++i) rules += "-A -t 10.3.0." + std::to_string(i) + ":80 -s rr\n";

    const auto output = run_words({"-R"}, rules);

    EXPECT_EQ(output.exit_status, 255);
    EXPECT_EQ(output.err, "more services than max_services = 64\nraise the limit and restart\n");
    EXPECT_EQ(changes_.size(), 0U);
    EXPECT_TRUE(plane_->services({}).empty());
}

TEST(IpvsWithoutDaemon, HelpAndWrongLinesNeedNone) {
    const auto unreachable = []() -> Result<Ask> {
        return Error{"no connection to polluxd at /run/x: Permission denied", "use sudo"};
    };
    struct Case {
        std::vector<std::string> words;
        int status;
        const char* err;
    };
    const Case cases[] = {
        {{"--version"}, 0, ""},
        {{"-A"},
         2,
         "You need to supply the 'service-address' option for the 'add-service' command\n"},
        {{"nonsense"}, 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"},
        // tests/golden/formats/errors.txt "not root", but for the advice.
        {{"-Ln"}, 2, "Can't initialize ipvs: Permission denied (you must be root)\nuse sudo\n"},
        {{"-C"}, 2, "Can't initialize ipvs: Permission denied (you must be root)\nuse sudo\n"},
    };
    for (const Case& test : cases) {
        std::ostringstream out, err;
        EXPECT_EQ(run_ipvs({test.words, "ipvsadm", nullptr, {}, {}}, unreachable, out, err),
                  test.status);
        EXPECT_EQ(err.str(), test.err);
    }
}

}  // namespace
}  // namespace pollux::cli
