// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/ipvs/recorded.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace pollux::control::ipvs::testing {
namespace {

std::string sorted_lines(const std::string& text) {
    std::istringstream lines(text);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    std::sort(all.begin(), all.end());
    std::string joined;
    for (const std::string& line : all) joined += line + "\n";
    return joined;
}

bool mentions(const Recorded& step, const char* what) {
    return step.command.find(what) != std::string::npos;
}

}  // namespace

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

Output RecordedTexts::run(const std::string& line) {
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

Output RecordedTexts::run_one(const std::string& line) {
    const std::size_t pipe = line.find(" | ipvsadm -R");
    if (pipe == std::string::npos) {
        std::vector<std::string> words = split_line(line);
        words.erase(words.begin());
        return run_words(words, "");
    }
    const std::size_t open = line.find('\'');
    std::string input = line.substr(open + 1, line.rfind('\'') - open - 1);
    for (std::size_t at; (at = input.find("\\n")) != std::string::npos;) {
        input.replace(at, 2, "\n");
    }
    return run_words({"-R"}, input);
}

void RecordedTexts::set_up_as_recorded() {
    for (const Recorded& step : read_recording("setup.txt")) {
        if (mentions(step, "--pe")) continue;
        SCOPED_TRACE(step.command);
        const Output output = run(step.command);
        EXPECT_EQ(output.err, step.err);
        EXPECT_EQ(output.exit_status, step.exit_status);
    }
}

unsigned RecordedTexts::compare_empty() {
    unsigned compared = 0;
    for (const Recorded& step : read_recording("empty.txt")) {
        if (!step.command.starts_with("ipvsadm")) continue;
        if (mentions(step, "--help")) continue;  // its own test
        SCOPED_TRACE(step.command);
        const Output output = run(step.command);
        EXPECT_EQ(output.out, step.out);
        EXPECT_EQ(output.exit_status, step.exit_status);
        ++compared;
    }
    return compared;
}

unsigned RecordedTexts::compare_populated() {
    set_up_as_recorded();
    unsigned compared = 0;
    for (const Recorded& step : read_recording("populated.txt")) {
        // Rates and connections belong to a run; the one with counters came after more packets.
        if (step.command.starts_with("cat ") || mentions(step, "--rate") ||
            mentions(step, "-Lnc") || mentions(step, "-L -c") ||
            step.command == "ipvsadm -Ln -t 10.1.0.10:80 --stats") {
            continue;
        }
        SCOPED_TRACE(step.command);
        const Output output = run(step.command);
        if (mentions(step, "--nosort")) {
            // The kernel's hash order of services is not an order that anybody asked for.
            EXPECT_EQ(sorted_lines(output.out), sorted_lines(without_engines(step.out)));
        } else {
            EXPECT_EQ(output.out, without_engines(step.out));
        }
        EXPECT_EQ(output.err, step.err);
        EXPECT_EQ(output.exit_status, step.exit_status);
        ++compared;
    }
    return compared;
}

unsigned RecordedTexts::compare_errors(const std::vector<std::string>& skipped) {
    set_up_as_recorded();
    unsigned compared = 0;
    for (const Recorded& step : read_recording("errors.txt")) {
        if (mentions(step, "daemon") || mentions(step, "--pe sip") || mentions(step, "setpriv")) {
            continue;
        }
        if (mentions(step, "-Lnc")) continue;  // connections belong to a run
        if (std::ranges::count(skipped, step.title) > 0 && !step.title.empty()) continue;
        // Weights above 65535, which LVS takes: refused with LVS's message.
        if (mentions(step, "-w 70000") || mentions(step, "-w 2147483647")) {
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
    return compared;
}

Names RecordedTexts::recorded_names() {
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
    return names;
}

void RecordedTexts::set_counts(std::vector<lb::ServiceView>& views) const {
    for (lb::ServiceView& view : views) {
        for (lb::ServerView& row : view.servers) {
            const std::string key = view.spec.address.to_string() + ":" +
                                    std::to_string(view.spec.port) + ">" + row.address.to_string();
            const auto counts = counts_.find(key);
            if (counts == counts_.end()) continue;
            row.active = counts->second[0];
            row.inactive = counts->second[1];
            row.persistent = counts->second[2];
            row.connections = counts->second[3];
            row.packets_in = counts->second[4];
            row.bytes_in = counts->second[5];
            view.connections += row.connections;
            view.packets_in += row.packets_in;
            view.bytes_in += row.bytes_in;
        }
    }
}

}  // namespace pollux::control::ipvs::testing
