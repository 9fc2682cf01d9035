// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/options.h"

#include <algorithm>
#include <charconv>

#include "dataplane/lb/data_plane.h"

namespace pollux::bench {
namespace {

using lb::ForwardingMethod;

struct MethodName {
    std::string_view name;
    ForwardingMethod method;
};
constexpr MethodName kMethods[] = {
    {"dr", ForwardingMethod::DirectRouting},
    {"nat", ForwardingMethod::Nat},
    {"fnat", ForwardingMethod::FullNat},
    {"tun", ForwardingMethod::Tunnel},
};

// A whole number from `low` to `high`, without anything behind it.
template <typename Number>
bool read_number(std::string_view text, Number low, Number high, Number& value) {
    Number read = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (error != std::errc{} || end != text.data() + text.size() || read < low || read > high) {
        return false;
    }
    value = read;
    return true;
}

bool read_method(Options& options, std::string_view text) {
    for (const MethodName& row : kMethods) {
        if (row.name != text) continue;
        options.method = row.method;
        return true;
    }
    return false;
}

bool read_direction(Options& options, std::string_view text) {
    if (text != "forward" && text != "reply") return false;
    options.travel = text == "reply" ? Travel::Reply : Travel::Forward;
    return true;
}

bool read_family(Options& options, std::string_view text) {
    if (text != "v4" && text != "v6") return false;
    options.family = text == "v6" ? net::Family::V6 : net::Family::V4;
    return true;
}

bool read_file(std::string& file, std::string_view text) {
    file = text;
    return !file.empty();
}

struct OptionRow {
    unsigned bit;
    std::string_view name;
    std::string_view value;  // what the value is; empty: the option has none
    std::string_view help;
    bool (*read)(Options& options, std::string_view text);
};

constexpr OptionRow kRows[] = {
    {Accepts::kMethod, "--method", "dr|nat|fnat|tun", "forwarding method (nat)", read_method},
    {Accepts::kDirection, "--direction", "forward|reply", "client to server or back (forward)",
     read_direction},
    {Accepts::kFamily, "--family", "v4|v6", "address family (v4)", read_family},
    {Accepts::kFlows, "--flows", "N", "established connections, 1 to 50000000 (100000)",
     [](Options& options, std::string_view text) {
         return read_number(text, 1U, 50'000'000U, options.flows);
     }},
    {Accepts::kBurst, "--burst", "N", "packets per burst, 1 to 64 (32)",
     [](Options& options, std::string_view text) {
         return read_number(text, 1U, lb::kMaxBurst, options.burst);
     }},
    {Accepts::kSamples, "--samples", "N", "samples, 10 to 100000 (1000)",
     [](Options& options, std::string_view text) {
         return read_number(text, 10U, 100'000U, options.samples);
     }},
    {Accepts::kServers, "--servers", "N", "real servers, 1 to 250 (64)",
     [](Options& options, std::string_view text) {
         return read_number(text, 1U, 250U, options.servers);
     }},
    {Accepts::kWorkers, "--workers", "N", "most workers, 1 to 64 (2)",
     [](Options& options, std::string_view text) {
         return read_number(text, 1U, 64U, options.workers);
     }},
    {Accepts::kIdle, "--idle", "N", "idle connections, 1000 to 10000000 (10000000)",
     [](Options& options, std::string_view text) {
         return read_number(text, 1000U, 10'000'000U, options.idle);
     }},
    {Accepts::kLife, "--life", "", "whole TCP lives of 10 packets instead of SYNs",
     [](Options& options, std::string_view) { return options.life = true; }},
    {Accepts::kStages, "--stages", "", "also the cost of each stage",
     [](Options& options, std::string_view) { return options.stages = true; }},
    {Accepts::kLarge, "--large", "", "also 10 million connections",
     [](Options& options, std::string_view) { return options.large = true; }},
    {Accepts::kJson, "--json", "", "JSON on standard output",
     [](Options& options, std::string_view) { return options.json = true; }},
    {Accepts::kJsonFile, "--json", "FILE", "write the figures as JSON",
     [](Options& options, std::string_view text) { return read_file(options.json_file, text); }},
};

const OptionRow* find_row(std::string_view name, unsigned accepted) {
    for (const OptionRow& row : kRows) {
        if (row.name == name && (row.bit & accepted) != 0) return &row;
    }
    return nullptr;
}

}  // namespace

Result<Options> parse_options(std::span<const std::string_view> arguments, unsigned accepted,
                              Options defaults) {
    Options options = std::move(defaults);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string name(arguments[i]);
        const OptionRow* row = find_row(name, accepted);
        if (row == nullptr) return Error{"unknown option " + name, "see the list of options"};
        if (row->value.empty()) {
            row->read(options, {});
            continue;
        }
        if (++i == arguments.size()) {
            return Error{name + " has no value", "give " + std::string(row->value)};
        }
        if (!row->read(options, arguments[i])) {
            return Error{name + " cannot be '" + std::string(arguments[i]) + "'",
                         "give " + std::string(row->value) + ": " + std::string(row->help)};
        }
    }
    const bool one_way = options.method == ForwardingMethod::DirectRouting ||
                         options.method == ForwardingMethod::Tunnel;
    if (one_way && options.travel == Travel::Reply) {
        return Error{
            "replies do not pass the balancer with " + std::string(short_name(options.method)),
            "use --direction reply with nat or fnat"};
    }
    return options;
}

std::string describe_options(unsigned accepted) {
    std::string text;
    for (const OptionRow& row : kRows) {
        if ((row.bit & accepted) == 0) continue;
        std::string line = "  " + std::string(row.name) + " " + std::string(row.value);
        line.resize(std::max<std::size_t>(line.size() + 1, 30), ' ');
        text += line + std::string(row.help) + "\n";
    }
    return text;
}

std::string_view short_name(lb::ForwardingMethod method) noexcept {
    for (const MethodName& row : kMethods) {
        if (row.method == method) return row.name;
    }
    return "";
}

std::string_view to_string(Travel travel) noexcept {
    return travel == Travel::Reply ? "reply" : "forward";
}

std::string_view to_string(net::Family family) noexcept {
    return family == net::Family::V6 ? "v6" : "v4";
}

}  // namespace pollux::bench
