// SPDX-License-Identifier: Apache-2.0
// From words to a request.

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "dataplane/net/ip_address.h"
#include "tools/pollux/cli.h"

namespace pollux::cli {
namespace {

std::optional<long> parse_number(std::string_view text) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "90s", "5m", "1h".
std::optional<long> parse_seconds(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto count = parse_number(text.substr(0, text.size() - 1));
    if (!count || *count < 0 || *count > 86400) return std::nullopt;
    switch (text.back()) {
        case 's':
            return *count;
        case 'm':
            return *count * 60;
        case 'h':
            return *count * 3600;
        default:
            return std::nullopt;
    }
}

Status set_endpoint(Json& args, const std::string& key, const std::string& value) {
    std::string address = value;
    std::string port;
    const bool bracketed = !value.empty() && value.front() == '[';
    const std::size_t close = value.find(']');
    const std::size_t colon = value.rfind(':');
    if (bracketed && close != std::string::npos) {
        address = value.substr(1, close - 1);
        if (close + 1 < value.size() && value[close + 1] == ':') port = value.substr(close + 2);
    } else if (colon != std::string::npos && value.find(':') == colon) {
        address = value.substr(0, colon);
        port = value.substr(colon + 1);
    }
    if (!address.empty()) {
        if (!net::IpPrefix::parse(address)) {
            return Error{value + " is not ADDRESS[:PORT]", "for example 10.0.0.1:80"};
        }
        args[key] = address;
    }
    if (!port.empty()) {
        const auto number = parse_number(port);
        if (!number || *number < 0 || *number > 65535) {
            return Error{"port " + port + " is not a number from 0 to 65535", ""};
        }
        args[key + "_port"] = *number;
    }
    return ok_status();
}

Status set_value(Json& args, const OptionRow& option, const std::string& value) {
    const std::string key(option.key);
    const std::string name(option.name);
    switch (option.kind) {
        case OptionKind::Flag:
        case OptionKind::Text:
            args[key] = value;
            return ok_status();
        case OptionKind::Number: {
            const auto number = parse_number(value);
            if (!number) return Error{name + " " + value + " is not a number", ""};
            args[key] = *number;
            return ok_status();
        }
        case OptionKind::Seconds: {
            const auto seconds = parse_seconds(value);
            if (!seconds) return Error{name + " " + value + " is not a time", "for example 60s"};
            args[key] = *seconds;
            return ok_status();
        }
        case OptionKind::Endpoint:
            return set_endpoint(args, key, value);
    }
    return ok_status();
}

bool is_positional(const OptionRow& option) {
    return !option.name.starts_with("--");
}

}  // namespace

const CommandRow* find_row(const std::vector<std::string>& args) {
    const CommandRow* best = nullptr;
    for (const CommandRow& row : command_rows()) {
        std::string words;
        const auto count =
            static_cast<std::size_t>(std::count(row.words.begin(), row.words.end(), ' ')) + 1;
        for (std::size_t i = 0; i < std::min(count, args.size()); ++i) {
            words += (i == 0 ? "" : " ") + args[i];
        }
        const bool longer = best == nullptr || row.words.size() > best->words.size();
        if (words == row.words && longer) best = &row;
    }
    return best;
}

Result<Json> parse_arguments(const CommandRow& row, std::span<const std::string> words) {
    Json args = Json::parse(row.fixed);
    std::vector<const OptionRow*> positional;
    for (const OptionRow& option : row.options) {
        if (is_positional(option)) positional.push_back(&option);
    }
    auto next_positional = positional.begin();
    const std::string remedy = "see: pollux help " + std::string(row.words);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (!word.starts_with("--")) {
            if (next_positional == positional.end()) {
                return Error{"what is " + word + "?", remedy};
            }
            if (Status set = set_value(args, **next_positional++, word); !set) return set.error();
            continue;
        }
        const auto option = std::find_if(row.options.begin(), row.options.end(),
                                         [&](const auto& known) { return known.name == word; });
        if (option == row.options.end()) return Error{"unknown option " + word, remedy};
        if (option->kind == OptionKind::Flag) {
            args[std::string(option->key)] = true;
            continue;
        }
        if (i + 1 == words.size()) return Error{word + " needs a value", remedy};
        if (Status set = set_value(args, *option, words[++i]); !set) return set.error();
    }
    if (next_positional != positional.end()) {
        return Error{std::string((*next_positional)->name) + " is missing", remedy};
    }
    return args;
}

}  // namespace pollux::cli
