// SPDX-License-Identifier: Apache-2.0

// ipvsadm's language and texts, by the console alone.

#include "control/ipvs/numeric.h"
#include "tests/unit/ipvs/recorded.h"

namespace pollux::control::ipvs {
namespace {

// Services with the counts that a test sets, in place of a data plane.
class Texts : public testing::RecordedTexts {
  protected:
    Texts()
        : console_(table_,
                   {[this](const Table&) {
                        ++publications_;
                        return ok_status();
                    },
                    [this] { return views(); },
                    [this] { return connections_; },
                    {},
                    {},
                    4096},  // of the recorded kernel
                   "ipvsadm") {
        console_.set_names(recorded_names());
    }

    Output run_words(const std::vector<std::string>& words, const std::string& input) override {
        return console_.run(words, input);
    }

    std::vector<lb::ServiceView> views() const {
        std::vector<lb::ServiceView> all;
        for (const lb::ServiceSpec& spec : table_.services) {
            lb::ServiceView view;
            view.spec = spec;
            for (const lb::RealServerSpec& server : spec.servers) {
                lb::ServerView row;
                row.address = server.address;
                row.port = server.port;
                row.method = server.method;
                row.weight = server.weight;
                row.upper_threshold = server.upper_threshold;
                row.lower_threshold = server.lower_threshold;
                row.tunnel = server.tunnel;
                view.servers.push_back(row);
            }
            all.push_back(std::move(view));
        }
        set_counts(all);
        return all;
    }

    unsigned publications_ = 0;
    std::vector<lb::ConnectionView> connections_;
    Table table_;
    Console console_;
};

TEST_F(Texts, ListingsOfTheEmptyTableAreIpvsadms) {
    EXPECT_EQ(compare_empty(), 9U);
}

TEST_F(Texts, ListingsOfTheSetUpTableAreIpvsadms) {
    EXPECT_EQ(compare_populated(), 20U);
}

TEST_F(Texts, RefusalsAreIpvsadms) {
    EXPECT_GT(compare_errors({}), 50U);
}

TEST_F(Texts, SavedRulesRestoreTheTable) {
    set_up_as_recorded();
    const std::string saved = run("ipvsadm -S -n").out;
    ASSERT_EQ(run("ipvsadm -C").exit_status, 0);

    const Output restored = console_.run({"-R"}, saved);

    EXPECT_EQ(restored.err, "");
    EXPECT_EQ(run("ipvsadm -S -n").out, saved);
}

TEST_F(Texts, RestoreIsOnePublication) {
    const Output restored = console_.run({"-R"},
                                         "-A -t 10.1.0.30:80 -s rr\n"
                                         "-A -t 10.1.0.30:80 -s rr\n"
                                         "-a -t 10.1.0.30:80 -r 10.2.0.1:80 -m\n");

    EXPECT_EQ(restored.err, "Service already exists\n");
    EXPECT_EQ(restored.exit_status, 0);
    EXPECT_EQ(publications_, 1U);
    ASSERT_EQ(table_.services.size(), 1U);
    EXPECT_EQ(table_.services[0].servers.size(), 1U);
}

TEST_F(Texts, RestoreKeepsWhatCameBeforeAWrongLine) {
    const Output restored = console_.run({"-R"},
                                         "-A -t 10.1.0.30:80 -s rr\n"
                                         "-A -t 10.1.0.31:80 -w 70000\n"
                                         "-A -t 10.1.0.32:80 -s rr\n");

    EXPECT_EQ(restored.exit_status, 2);
    EXPECT_EQ(publications_, 1U);
    EXPECT_EQ(table_.services.size(), 1U);
}

TEST_F(Texts, ConnectionsAreListedAsIpvsadmDoes) {
    lb::ConnectionView tcp;
    tcp.protocol = lb::Protocol::Tcp;
    tcp.client = *net::IpAddress::parse("fd00:c::1");
    tcp.client_port = 1001;
    tcp.virtual_address = *net::IpAddress::parse("fd00:a::10");
    tcp.virtual_port = 80;
    tcp.server = *net::IpAddress::parse("10.2.0.9");
    tcp.server_port = 80;
    tcp.state = "ESTABLISHED";
    tcp.expires_in = std::chrono::milliseconds(898'900);
    lb::ConnectionView marked;
    marked.client = *net::IpAddress::parse("10.0.0.1");
    marked.virtual_address = *net::IpAddress::parse("0.0.0.1");
    marked.server = *net::IpAddress::parse("10.2.0.3");
    marked.state = "ASSURED";
    marked.expires_in = std::chrono::seconds(59);
    connections_ = {tcp, marked};

    // Lines of tests/golden/formats/populated.txt and sched/persist-fwmark.json.
    EXPECT_EQ(run("ipvsadm -Lnc").out,
              "IPVS connection entries\n"
              "pro expire state       source             virtual            destination\n"
              "TCP 14:58  ESTABLISHED [fd00:c::1]:1001   [fd00:a::10]:80    10.2.0.9:80\n"
              "IP  00:59  ASSURED     10.0.0.1:0         0.0.0.1:0          10.2.0.3:0\n");
}

TEST_F(Texts, HelpNamesEveryScheduler) {
    const Output output = run("ipvsadm --help");
    EXPECT_EQ(output.exit_status, 0);
    EXPECT_NE(output.out.find("rr|wrr|lc|wlc|lblc|lblcr|dh|sh|sed|nq|fo|ovf|mh|twos"),
              std::string::npos);
}

TEST_F(Texts, StrictTableRefusesAnotherPortUnderDirectRouting) {
    table_.foreign_port = ForeignPort::IsRefused;
    ASSERT_EQ(run("ipvsadm -A -t 10.1.0.11:80 -s rr").exit_status, 0);

    const Output output = run("ipvsadm -a -t 10.1.0.11:80 -r 10.2.0.6:8080 -g");

    EXPECT_EQ(output.exit_status, 255);
    EXPECT_EQ(
        output.err,
        "Invalid operation.  Possibly wrong module version, address not unicast, ...\n"
        "Port 8080 of the real server is not the service's 80: only -m changes ports; use it, "
        "or give no port\n");
    EXPECT_TRUE(table_.services[0].servers.empty());
}

TEST_F(Texts, SyncDaemonIsRefusedByName) {
    const Output output = run("ipvsadm --start-daemon master --mcast-interface eth0");
    EXPECT_EQ(output.exit_status, 255);
    EXPECT_EQ(output.err, "Pollux has no sync daemon: it does not exchange connections with LVS\n");
}

TEST_F(Texts, FailedPublicationTakesTheChangeBack) {
    Console failing(table_,
                    {[](const Table&) -> Status {
                         return Error{"table full", "raise it"};
                     },
                     [this] { return views(); },
                     {},
                     {},
                     {}},
                    "ipvsadm");

    const Output output = failing.run({"-A", "-t", "10.1.0.11:80"});

    EXPECT_EQ(output.exit_status, 255);
    EXPECT_EQ(output.err, "table full\nraise it\n");
    EXPECT_TRUE(table_.services.empty());
}

TEST(Numeric, NamesBecomeNumbersAndTheRestStays) {
    NameResolver resolver;
    resolver.port = [](std::string_view name, lb::Protocol protocol) {
        const bool known = name == "domain" && protocol == lb::Protocol::Udp;
        return known ? std::optional<std::uint16_t>(53) : std::nullopt;
    };
    resolver.host = [](std::string_view name) {
        return name == "www" ? net::IpAddress::parse("10.1.0.10") : std::nullopt;
    };
    const auto rewritten = [&](const std::string& line) {
        return numeric_lines(line + "\n", resolver);
    };

    EXPECT_EQ(rewritten("-a -u www:domain -r www -w5"), "-a -u 10.1.0.10:53 -r 10.1.0.10 -w 5\n");
    EXPECT_EQ(rewritten("-A -t 10.1.0.10:80 -p"), "-A -t 10.1.0.10:80 -p\n");
    EXPECT_EQ(rewritten("-A -t 10.1.0.10:80 --persistent 60 -Mx"),
              "-A -t 10.1.0.10:80 --persistent=60 -M x\n");
    EXPECT_EQ(rewritten("--set 1 2 3"), "--set -- 1 2 3\n");
    // For parse_command to refuse.
    EXPECT_EQ(rewritten("-A -t nobody:80"), "-A -t nobody:80\n");
    EXPECT_EQ(rewritten("-A -t www:domain"), "-A -t www:domain\n");
    EXPECT_EQ(rewritten("-A --wrong www"), "-A --wrong www\n");
}

// parse_command must take what numeric_arguments makes as it takes the original.
TEST_F(Texts, NumericLinesMeanTheSame) {
    for (const testing::Recorded& step : testing::read_recording("setup.txt")) {
        std::vector<std::string> words = split_line(step.command);
        words.erase(words.begin());
        SCOPED_TRACE(step.command);
        const Output direct = run_words(numeric_arguments(words, {}), "");
        EXPECT_EQ(direct.exit_status,
                  step.command.find("--pe") == std::string::npos ? step.exit_status : 255);
    }
    const std::string saved = run("ipvsadm -S -n").out;
    table_.services.clear();
    set_up_as_recorded();
    EXPECT_EQ(run("ipvsadm -S -n").out, saved);
}

}  // namespace
}  // namespace pollux::control::ipvs
