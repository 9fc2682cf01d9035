// SPDX-License-Identifier: Apache-2.0

#include "tools/golden/setup.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pollux::golden {

namespace {

[[noreturn]] void unknown(const std::string& line) {
    throw Difference("unknown \"pre\" line: " + line);
}

net::IpPrefix prefix(const std::string& text, const std::string& line) {
    const auto parsed = net::IpPrefix::parse(text);
    if (!parsed) unknown(line);
    return *parsed;
}

// "80" or "1000:2000".
std::pair<std::uint16_t, std::uint16_t> ports(const std::string& text, const std::string& line) {
    const std::size_t colon = text.find(':');
    try {
        const unsigned long first = std::stoul(text.substr(0, colon));
        const unsigned long last =
            colon == std::string::npos ? first : std::stoul(text.substr(colon + 1));
        if (first > 65535 || last > 65535) unknown(line);
        return {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
    } catch (const std::logic_error&) {
        unknown(line);
    }
}

lb::Protocol protocol(const std::string& name, const std::string& line) {
    if (name == "tcp") return lb::Protocol::Tcp;
    if (name == "udp") return lb::Protocol::Udp;
    if (name == "sctp") return lb::Protocol::Sctp;
    unknown(line);
}

// iptables -t mangle -A PREROUTING [match...] -j MARK --set-mark N
lb::MarkRuleSpec mark_rule(const std::vector<std::string>& words, const std::string& line) {
    lb::MarkRuleSpec rule;
    bool jumps = false;
    for (std::size_t at = 5; at < words.size(); at += 2) {
        if (at + 1 == words.size()) unknown(line);
        const std::string& option = words[at];
        const std::string& value = words[at + 1];
        if (option == "-d") {
            rule.destination = prefix(value, line);
        } else if (option == "-s") {
            rule.source = prefix(value, line);
        } else if (option == "-p") {
            rule.protocol = protocol(value, line);
        } else if (option == "--dport") {
            std::tie(rule.destination_port_first, rule.destination_port_last) = ports(value, line);
        } else if (option == "--sport") {
            std::tie(rule.source_port_first, rule.source_port_last) = ports(value, line);
        } else if (option == "-j" && value == "MARK") {
            jumps = true;
        } else if (option == "--set-mark") {
            rule.mark = static_cast<std::uint32_t>(std::stoul(value, nullptr, 0));
        } else {
            unknown(line);
        }
    }
    if (!jumps || rule.mark == 0) unknown(line);
    return rule;
}

}  // namespace

TestbedOptions options_of(const Json& recording) {
    TestbedOptions options;
    const Json director = recording.value("director", Json::object());
    for (const auto& [key, value] : director.items()) {
        if (key == "vips") {
            options.virtual_addresses.clear();
            for (const std::string text : value) {
                const auto address = net::IpAddress::parse(text);
                if (!address) throw Difference("not an address: " + text);
                options.virtual_addresses.push_back(*address);
            }
        } else if (key == "mtu") {
            options.client_mtu = value;
        } else if (key == "rmtu") {
            options.server_mtu = value;
        } else if (key != "extra" || !value.empty()) {
            throw Difference("unknown director option \"" + key + "\"");
        }
    }
    return options;
}

void apply_pre_line(const std::string& line, Testbed& bed) {
    const std::vector<std::string> words = control::ipvs::split_line(line);
    const auto starts = [&words](std::initializer_list<const char*> start) {
        return words.size() >= start.size() &&
               std::equal(start.begin(), start.end(), words.begin(),
                          [](const char* a, const std::string& b) { return b == a; });
    };
    if (starts({"ip", "route", "add", "local"}) || starts({"ip", "-6", "route", "add", "local"})) {
        const std::size_t at = words[1] == "-6" ? 5 : 4;
        const bool on_loopback =
            words.size() == at + 3 && words[at + 1] == "dev" && words[at + 2] == "lo";
        if (!on_loopback) unknown(line);
        return bed.own(prefix(words[at], line));
    }
    for (const char* program : {"iptables-legacy", "ip6tables-legacy", "iptables", "ip6tables"}) {
        if (starts({program, "-t", "mangle", "-A", "PREROUTING"})) {
            return bed.add_mark(mark_rule(words, line));
        }
    }
    unknown(line);
}

}  // namespace pollux::golden
