// SPDX-License-Identifier: Apache-2.0

// Replays sched/*.json: the operations of the recordings' language, each with the result that the
// kernel gave.

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "dataplane/net/ip_protocol.h"
#include "tools/golden/recording.h"
#include "tools/golden/setup.h"
#include "tools/golden/testbed.h"

namespace pollux::golden {

namespace {

struct End {
    net::IpAddress address;
    std::uint16_t port = 0;
};

// "10.0.0.1:1001" or "[fd00:c::1]:1001".
End parse_end(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) throw Difference("not an address and port: " + text);
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto address = net::IpAddress::parse(host);
    if (!address) throw Difference("not an address: " + host);
    return {*address, static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)))};
}

// The recordings' form of an end in a connection: IPv6 addresses without brackets.
std::string bare_end(const net::IpAddress& address, std::uint16_t port) {
    return address.to_string() + ":" + std::to_string(port);
}

Ends ends_of(const Json& step, const char* from, const char* to) {
    const End source = parse_end(step.at(from));
    const End destination = parse_end(step.at(to));
    return {source.address, destination.address, source.port, destination.port};
}

// The lines behind the titles of a listing, the last one without trailing blanks.
std::vector<std::string> rows_of(std::string text, std::size_t titles) {
    text.erase(text.find_last_not_of(" \t\n") + 1);
    std::vector<std::string> rows;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find('\n', from), text.size());
        rows.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    rows.erase(rows.begin(),
               rows.begin() + static_cast<std::ptrdiff_t>(std::min(titles, rows.size())));
    return rows;
}

// Connection rows are ordered as the recordings' are: by source, virtual, destination.
void sort_connections(std::vector<std::string>& rows) {
    const auto ends = [](const std::string& row) {
        const auto words = control::ipvs::split_line(row);
        return std::vector<std::string>(
            words.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, words.size())),
            words.end());
    };
    std::stable_sort(rows.begin(), rows.end(),
                     [&ends](const auto& a, const auto& b) { return ends(a) < ends(b); });
}

// Rows without the timers of connections, which belong to a run.
std::string comparable(const std::vector<std::string>& rows) {
    static const std::regex kTimer(R"(^((?:TCP|UDP|SCTP|IP) +)\d\d+:\d\d )");
    std::string text;
    for (const std::string& row : rows) text += std::regex_replace(row, kTimer, "$1T ") + "\n";
    return text;
}

std::string comparable(const Json& rows) {
    return comparable(rows.get<std::vector<std::string>>());
}

// Connections whose time is up: the kernel lists them until their timer has run.
bool is_over(const std::string& row) {
    static const std::regex kOver(R"(^(?:TCP|UDP|SCTP|IP) +00:00 )");
    return std::regex_search(row, kOver);
}

// The counters of a --stats or --rate listing. The kernel's estimator brings them up to date each
// two seconds, at a time that is not recorded.
bool shows_counters(const std::string& arguments) {
    return arguments.find("--stats") != std::string::npos ||
           arguments.find("--rate") != std::string::npos;
}
std::vector<std::string> without_counters(std::vector<std::string> rows) {
    static const std::regex kCounters(R"(( +[0-9]+[KMGT]?){5}$)");
    for (std::string& row : rows) row = std::regex_replace(row, kCounters, "");
    return rows;
}

const std::map<std::string, std::string>& tcp_operations() {
    static const std::map<std::string, std::string> kFlags = {
        {"open", "S"}, {"syn", "S"}, {"ack", "A"},     {"data", "PA"},
        {"fin", "FA"}, {"rst", "R"}, {"synack", "SA"}, {"tcp", ""}};
    return kFlags;
}

class Scenario {
  public:
    explicit Scenario(const Json& recording)
        : recording_(recording), steps_(recording.at("steps")), bed_(options_of(recording)) {}

    Replayed replay() {
        set_up();
        for (; at_ < steps_.size(); ++at_) {
            const Json& step = steps_[at_];
            const std::string op = step.at("op");
            const auto found = operations().find(op);
            if (found == operations().end()) {
                throw Difference(where() + "unknown operation \"" + op + "\"");
            }
            for (const auto& [key, value] : step.items()) {
                if (key != "op" && !found->second.fields.contains(key)) {
                    throw Difference(where() + "unknown field \"" + key + "\" of \"" + op + "\"");
                }
            }
            (this->*found->second.run)(step);
        }
        return {static_cast<unsigned>(steps_.size()), 0};
    }

  private:
    struct Operation {
        void (Scenario::*run)(const Json&);
        std::set<std::string> fields;
    };

    static const std::map<std::string, Operation>& operations() {
        static const std::map<std::string, Operation> kAll = [] {
            std::map<std::string, Operation> all = {
                {"rtcp", {&Scenario::from_server, {"from", "c", "s", "flags", "out"}}},
                {"rudp", {&Scenario::from_server, {"from", "c", "s", "out"}}},
                {"rsctp", {&Scenario::from_server, {"from", "c", "s", "chunk", "out"}}},
                {"udp", {&Scenario::udp, {"c", "v", "rs"}}},
                {"sctp", {&Scenario::sctp, {"c", "v", "chunk", "rs"}}},
                {"conn", {&Scenario::conn, {"c", "v", "found"}}},
                {"ipvsadm", {&Scenario::ipvsadm, {"args", "rc", "out"}}},
                {"list", {&Scenario::list, {"out"}}},
                {"listc", {&Scenario::listc, {"out"}}},
                {"sysctl", {&Scenario::sysctl, {"k", "v", "result"}}},
                {"sleep", {&Scenario::sleep, {"s"}}},
                {"count", {&Scenario::count, {"n"}}},
                {"note", {&Scenario::note, {"text"}}},
            };
            for (const auto& [name, flags] : tcp_operations()) {
                Operation operation{&Scenario::tcp, {"c", "v", "rs"}};
                if (name == "open") operation.fields.insert("ack_rs");
                if (name == "tcp") operation.fields.insert("flags");
                all.emplace(name, operation);
            }
            return all;
        }();
        return kAll;
    }

    std::string where() const { return "step " + std::to_string(at_ + 1) + ": "; }

    void same(const Json& step, const std::string& expected, const std::string& actual) const {
        expect_same(at_, step, expected, actual);
    }

    // The lines of the set-up; where one failed on the kernel, the recording begins with a step
    // that tells how.
    void set_up() {
        const Json sysctl = recording_.value("sysctl", Json::object());
        for (const auto& [name, value] : sysctl.items()) {
            if (bed_.set_sysctl(name, value.get<long long>()) == SysctlResult::Unknown) {
                throw Difference("unknown sysctl " + name);
            }
        }
        for (const std::string line : recording_.value("pre", Json::array())) {
            apply_pre_line(line, bed_);
        }
        for (const std::string line : recording_.value("ipvs", Json::array())) {
            const auto output = bed_.ipvsadm(control::ipvs::split_line(line));
            std::string text = output.out + output.err;
            text.erase(text.find_last_not_of(" \t\n") + 1);
            const bool recorded = at_ < steps_.size() && steps_[at_].at("op") == "ipvsadm" &&
                                  steps_[at_].at("args") == line && steps_[at_].contains("out") &&
                                  steps_[at_]["out"].is_string();
            if (!recorded && output.exit_status == 0 && text.empty()) continue;
            const Json step = recorded ? steps_[at_] : Json{{"op", "ipvsadm"}, {"args", line}};
            same(step, std::to_string(step.value("rc", 0)) + " " + step.value("out", ""),
                 std::to_string(output.exit_status) + " " + text);
            ++at_;
        }
    }

    std::string from_client(const Bytes& packet) {
        return who(
            bed_.put(Side::Client, ethernet(director_mac(Side::Client), client_mac(), packet)));
    }

    void tcp(const Json& step) {
        const std::string op = step.at("op");
        const Ends ends = ends_of(step, "c", "v");
        const std::string flags =
            op == "tcp" ? step.at("flags").get<std::string>() : tcp_operations().at(op);
        const std::string result = from_client(tcp_packet(ends, flags, op == "data" ? "x" : ""));
        same(step, step.at("rs"), result);
        if (op != "open" || result.find("client") != std::string::npos || result == "none") return;
        same(step, step.value("ack_rs", step.at("rs").get<std::string>()),
             from_client(tcp_packet(ends, "A")));
    }

    void udp(const Json& step) {
        same(step, step.at("rs"), from_client(udp_packet(ends_of(step, "c", "v"), "q")));
    }

    Bytes chunk(const Json& step, const Ends& ends) const {
        const auto packet = sctp_packet(ends, step.at("chunk").get<std::string>());
        if (!packet) throw Difference(where() + "unknown chunk " + step.at("chunk").dump());
        return *packet;
    }

    void sctp(const Json& step) {
        same(step, step.at("rs"), from_client(chunk(step, ends_of(step, "c", "v"))));
    }

    void from_server(const Json& step) {
        const std::string op = step.at("op");
        const Ends ends = ends_of(step, "s", "c");
        const unsigned number =
            static_cast<unsigned>(std::stoul(step.at("from").get<std::string>().substr(1)));
        const Bytes packet = op == "rtcp"   ? tcp_packet(ends, step.at("flags").get<std::string>())
                             : op == "rudp" ? udp_packet(ends, "r")
                                            : chunk(step, ends);
        same(step, step.at("out"),
             who(bed_.put(Side::Server,
                          ethernet(director_mac(Side::Server), server_mac(number), packet))));
    }

    struct Found {
        std::string state, destination, virtual_end;
        long long expires = 0;
        auto operator<=>(const Found&) const = default;
    };

    static std::string text_of(const std::vector<Found>& found) {
        std::string text;
        for (const Found& one : found) {
            text += one.state + " " + std::to_string(one.expires) + "s " + one.virtual_end +
                    " -> " + one.destination + "\n";
        }
        return text.empty() ? "no connection\n" : text;
    }

    void conn(const Json& step) {
        const End client = parse_end(step.at("c"));
        std::optional<End> virtual_end;
        if (step.contains("v")) virtual_end = parse_end(step["v"]);
        std::vector<Found> actual;
        for (const lb::ConnectionView& view : bed_.connections()) {
            if (view.client != client.address || view.client_port != client.port) continue;
            if (virtual_end && (view.virtual_address != virtual_end->address ||
                                view.virtual_port != virtual_end->port)) {
                continue;
            }
            actual.push_back(
                {std::string(view.state), bare_end(view.server, view.server_port),
                 bare_end(view.virtual_address, view.virtual_port),
                 std::chrono::duration_cast<std::chrono::seconds>(view.expires_in).count()});
        }
        std::vector<Found> expected;
        for (const Json& one : step.at("found")) {
            expected.push_back({one.at("state"), one.at("d"), one.at("v"), one.at("exp")});
        }
        const auto over = [](const Found& one) { return one.expires == 0; };
        std::erase_if(actual, over);
        std::erase_if(expected, over);
        std::sort(actual.begin(), actual.end());
        std::sort(expected.begin(), expected.end());
        if (actual.size() == expected.size()) {
            for (std::size_t i = 0; i < actual.size(); ++i) {
                const long long apart = actual[i].expires - expected[i].expires;
                if (std::abs(apart) <= kTimerTolerance) actual[i].expires = expected[i].expires;
            }
        }
        same(step, text_of(expected), text_of(actual));
    }

    void ipvsadm(const Json& step) {
        const auto output =
            bed_.ipvsadm(control::ipvs::split_line(step.at("args").get<std::string>()));
        same(step, "exit status " + std::to_string(step.value("rc", 0)),
             "exit status " + std::to_string(output.exit_status));
        std::string text = output.out + output.err;
        text.erase(0, std::min(text.find_first_not_of(" \t\n"), text.size()));
        std::vector<std::string> rows;
        if (!text.empty()) rows = rows_of(text, 0);
        std::vector<std::string> expected = step.value("out", std::vector<std::string>{});
        if (shows_counters(step.at("args"))) {
            expected = without_counters(std::move(expected));
            rows = without_counters(std::move(rows));
        }
        same(step, comparable(expected), comparable(rows));
    }

    void list(const Json& step) {
        same(step, comparable(step.at("out")), comparable(rows_of(bed_.ipvsadm({"-Ln"}).out, 3)));
    }

    void listc(const Json& step) {
        std::vector<std::string> rows = rows_of(bed_.ipvsadm({"-Lnc"}).out, 2);
        std::vector<std::string> expected = step.at("out");
        std::erase_if(rows, is_over);
        std::erase_if(expected, is_over);
        sort_connections(rows);
        sort_connections(expected);
        same(step, comparable(expected), comparable(rows));
    }

    void sysctl(const Json& step) {
        const std::string name = step.at("k");
        if (bed_.set_sysctl(name, step.at("v").get<long long>()) == SysctlResult::Unknown) {
            throw Difference(where() + "unknown sysctl " + name);
        }
        same(step, step.value("result", "ok"), "ok");
    }

    void sleep(const Json& step) {
        const double seconds = step.at("s");
        bed_.sleep(
            std::chrono::duration_cast<lb::Duration>(std::chrono::duration<double>(seconds)));
    }

    void count(const Json& step) {
        same(step, std::to_string(step.at("n").get<unsigned>()),
             std::to_string(bed_.connections().size()));
    }

    void note(const Json& /*step*/) {}

    const Json& recording_;
    const Json& steps_;
    Testbed bed_;
    std::size_t at_ = 0;
};

// Steps that only a kernel can answer.
void refuse_kernel_steps(const Json& recording) {
    for (const Json& step : recording.at("steps")) {
        const std::string op = step.at("op");
        if (op == "sh") {
            throw NeedsKernel("a step runs a shell command: " + step.value("cmd", ""));
        }
        if (op == "read") {
            throw NeedsKernel("a step reads a kernel file: " + step.value("path", ""));
        }
    }
}

}  // namespace

void expect_same(std::size_t index, const Json& step, const std::string& expected,
                 const std::string& actual) {
    if (expected == actual) return;
    Json shown = step;
    for (const char* result : {"rs", "out", "found", "n"}) shown.erase(result);
    const bool lines =
        expected.find('\n') != std::string::npos || actual.find('\n') != std::string::npos;
    const std::string gap = lines ? "\n" : " ";
    throw Difference("step " + std::to_string(index + 1) + " " + shown.dump() + ": expected" + gap +
                     expected + (lines ? "but got" : ", got") + gap + actual);
}

Replayed replay_scenario(const Json& recording) {
    refuse_kernel_steps(recording);
    return Scenario(recording).replay();
}

}  // namespace pollux::golden
