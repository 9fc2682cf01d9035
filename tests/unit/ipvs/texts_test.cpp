// SPDX-License-Identifier: Apache-2.0

// ipvsadm's recorded texts: every refusal with its message and exit status, every listing. What the
// recordings hold of the kernel's synchronisation daemon and of persistence engines is left out:
// Pollux has neither (docs/lvs-compatibility.md).

#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "control/ipvs/console.h"

namespace pollux::control::ipvs {
namespace {

// One "$ command" of a recording with what it printed.
struct Recorded {
    std::string title, command, out, err;
    int exit_status = 0;
};

std::vector<Recorded> read_recording(const std::string& name) {
    std::ifstream file(POLLUX_GOLDEN_DIR "/formats/" + name);
    std::vector<Recorded> all;
    std::string title;
    bool in_error = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("### ")) {
            title = line.substr(4);
        } else if (line.starts_with("$ ")) {
            all.push_back({title, line.substr(2), "", "", 0});
            in_error = false;
        } else if (line == "[stderr]") {
            in_error = true;
        } else if (line.starts_with("[exit ")) {
            all.back().exit_status = std::stoi(line.substr(6));
            title.clear();
            in_error = true;  // the blank line behind it belongs to nobody
        } else if (!all.empty() && !(line.empty() && in_error)) {
            (in_error ? all.back().err : all.back().out) += line + "\n";
        }
    }
    return all;
}

// Services with the counts that a test sets, in place of a data plane.
class Texts : public testing::Test {
  protected:
    Texts()
        : console_(table_,
                   {[](const Table&) { return ok_status(); },
                    [this] { return views(); },
                    [this] { return connections_; },
                    {},
                    {}},
                   "ipvsadm") {
        Names names;
        names.port = [](std::uint16_t port, lb::Protocol protocol) -> std::string {
            static const std::map<std::uint16_t, std::string> kNames = {
                {21, "ftp"}, {53, "domain"}, {80, "http"}, {443, "https"}, {8080, "http-alt"}};
            const auto found = kNames.find(port);
            return found == kNames.end() || protocol == lb::Protocol::None ? "" : found->second;
        };
        names.host = [](const net::IpAddress& address) -> std::string {
            return address.to_string() == "127.0.0.1" ? "localhost" : "";
        };
        console_.set_names(names);
    }

    // One line of a recording; "ipvsadm A; ipvsadm B" runs both, "printf X | ipvsadm -R" feeds X.
    Output run(const std::string& line) {
        Output all;
        std::size_t from = 0;
        while (from < line.size()) {
            const std::size_t to = std::min(line.find("; ", from), line.size());
            const Output one = run_one(line.substr(from, to - from));
            all = {all.out + one.out, all.err + one.err, one.exit_status};
            from = to + 2;
        }
        return all;
    }

    Output run_one(const std::string& line) {
        const std::size_t pipe = line.find(" | ipvsadm -R");
        if (pipe == std::string::npos) {
            std::vector<std::string> words = split_line(line);
            words.erase(words.begin());
            return console_.run(words);
        }
        const std::size_t open = line.find('\'');
        std::string input = line.substr(open + 1, line.rfind('\'') - open - 1);
        for (std::size_t at; (at = input.find("\\n")) != std::string::npos;) {
            input.replace(at, 2, "\n");
        }
        return console_.run({"-R"}, input);
    }

    void set_up_as_recorded() {
        for (const Recorded& step : read_recording("setup.txt")) {
            if (step.command.find("--pe") != std::string::npos) continue;
            SCOPED_TRACE(step.command);
            const Output output = run(step.command);
            EXPECT_EQ(output.err, step.err);
            EXPECT_EQ(output.exit_status, step.exit_status);
        }
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
                const std::string key = spec.address.to_string() + ":" + std::to_string(spec.port) +
                                        ">" + server.address.to_string();
                if (const auto counts = counts_.find(key); counts != counts_.end()) {
                    row.active = counts->second[0];
                    row.inactive = counts->second[1];
                    row.persistent = counts->second[2];
                    row.connections = counts->second[3];
                    row.packets_in = counts->second[4];
                    row.bytes_in = counts->second[5];
                }
                view.connections += row.connections;
                view.packets_in += row.packets_in;
                view.bytes_in += row.bytes_in;
                view.servers.push_back(row);
            }
            all.push_back(std::move(view));
        }
        return all;
    }

    // active, inactive, persistent, connections, packets, bytes by "service>server".
    std::map<std::string, std::array<std::uint64_t, 6>> counts_ = {
        {"10.1.0.10:80>10.2.0.1", {0, 1, 0, 1, 2, 80}},
        {"10.1.0.10:80>10.2.0.2", {0, 1, 0, 1, 2, 80}},
        {"10.1.0.10:80>10.2.0.3", {6, 1, 0, 3, 6, 240}},
        {"10.1.0.10:443>10.2.0.1", {9, 0, 9, 5, 10, 400}},
        {"10.1.0.10:53>10.2.0.2", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.3", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.4", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.5", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:53>10.2.0.6", {0, 0, 0, 1, 1, 29}},
        {"10.1.0.10:36412>10.2.0.1", {0, 1, 0, 0, 0, 0}},
        {"fd00:a::10:80>10.2.0.9", {1, 0, 1, 0, 0, 0}},
    };
    std::vector<lb::ConnectionView> connections_;
    Table table_;
    Console console_;
};

std::string without_lines(const std::string& text, std::vector<std::string> marks) {
    std::istringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line);) {
        const bool marked = std::any_of(marks.begin(), marks.end(), [&line](const auto& mark) {
            return line.find(mark) != std::string::npos;
        });
        if (!marked) kept += line + "\n";
    }
    return kept;
}

std::string without_engines(const std::string& text) {
    return without_lines(text, {"pe sip", "10.1.0.99:21 ", "10.1.0.10:5060 "});
}

std::string sorted_lines(const std::string& text) {
    std::istringstream lines(text);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    std::sort(all.begin(), all.end());
    std::string joined;
    for (const std::string& line : all) joined += line + "\n";
    return joined;
}

TEST_F(Texts, ListingsOfTheEmptyTableAreIpvsadms) {
    unsigned compared = 0;
    for (const Recorded& step : read_recording("empty.txt")) {
        if (!step.command.starts_with("ipvsadm")) continue;
        if (step.command.find("--help") != std::string::npos) continue;  // its own test
        SCOPED_TRACE(step.command);
        const Output output = run(step.command);
        EXPECT_EQ(output.out, step.out);
        EXPECT_EQ(output.exit_status, step.exit_status);
        ++compared;
    }
    EXPECT_EQ(compared, 9U);
}

TEST_F(Texts, ListingsOfTheSetUpTableAreIpvsadms) {
    set_up_as_recorded();
    unsigned compared = 0;
    for (const Recorded& step : read_recording("populated.txt")) {
        // Rates and connections belong to a run; the one with counters came after more packets.
        if (step.command.find("cat ") == 0 || step.command.find("--rate") != std::string::npos ||
            step.command.find("-Lnc") != std::string::npos ||
            step.command.find("-L -c") != std::string::npos ||
            step.command == "ipvsadm -Ln -t 10.1.0.10:80 --stats") {
            continue;
        }
        SCOPED_TRACE(step.command);
        const Output output = run(step.command);
        if (step.command.find("--nosort") != std::string::npos) {
            // The kernel's hash order of services is not an order that anybody asked for.
            EXPECT_EQ(sorted_lines(output.out), sorted_lines(without_engines(step.out)));
        } else {
            EXPECT_EQ(output.out, without_engines(step.out));
        }
        EXPECT_EQ(output.err, step.err);
        EXPECT_EQ(output.exit_status, step.exit_status);
        ++compared;
    }
    EXPECT_EQ(compared, 20U);
}

TEST_F(Texts, RefusalsAreIpvsadms) {
    set_up_as_recorded();
    unsigned compared = 0;
    for (const Recorded& step : read_recording("errors.txt")) {
        const auto mentions = [&step](const char* what) {
            return step.command.find(what) != std::string::npos;
        };
        if (mentions("daemon") || mentions("--pe sip") || mentions("setpriv")) continue;
        if (mentions("-Lnc")) continue;  // connections belong to a run
        // Weights above 65535, which LVS takes: refused with LVS's message.
        if (mentions("-w 70000") || mentions("-w 2147483647")) {
            EXPECT_EQ(run(step.command).err, "illegal weight specified\n");
            continue;
        }
        SCOPED_TRACE(step.command);
        const Output output = run(step.command);
        std::string expected = step.out;
        if (step.title == "what became of it") {
            expected = without_lines(expected, {"10.2.0.5:80 ", "10.2.0.50:80 "});
        }
        EXPECT_EQ(output.out, expected);
        EXPECT_EQ(output.err, step.err);
        EXPECT_EQ(output.exit_status, step.exit_status);
        ++compared;
    }
    EXPECT_GT(compared, 50U);
}

TEST_F(Texts, SavedRulesRestoreTheTable) {
    set_up_as_recorded();
    const std::string saved = run("ipvsadm -S -n").out;
    ASSERT_EQ(run("ipvsadm -C").exit_status, 0);

    const Output restored = console_.run({"-R"}, saved);

    EXPECT_EQ(restored.err, "");
    EXPECT_EQ(run("ipvsadm -S -n").out, saved);
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
    EXPECT_EQ(output.err,
              "Invalid operation.  Possibly wrong module version, address not unicast, ...\n");
    EXPECT_TRUE(table_.services[0].servers.empty());
}

TEST_F(Texts, FailedPublicationTakesTheChangeBack) {
    Console failing(table_,
                    {[](const Table&) -> Status {
                         return Error{"table full", ""};
                     },
                     [this] { return views(); },
                     {},
                     {},
                     {}},
                    "ipvsadm");

    const Output output = failing.run({"-A", "-t", "10.1.0.11:80"});

    EXPECT_EQ(output.exit_status, 255);
    EXPECT_EQ(output.err, "table full\n");
    EXPECT_TRUE(table_.services.empty());
}

}  // namespace
}  // namespace pollux::control::ipvs
