// SPDX-License-Identifier: Apache-2.0
#include "control/config/read_value.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "control/config/suggest.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

using Outcome = std::optional<ValueError>;

std::string quoted(const KeyRow& row) {
    return "`" + std::string(row.key) + "`";
}

std::string working_line(const KeyRow& row) {
    const std::string example = example_value(row);
    return example.empty() ? "" : "for example " + std::string(row.key) + " = " + example;
}

ValueError wrong_type(const KeyRow& row, const Node& node) {
    return {"E0103", quoted(row) + " cannot be " + std::string(describe(node.kind)),
            "expected " + expected_value(row), node.place, working_line(row)};
}

ValueError malformed(const KeyRow& row, const Node& node) {
    return {"E0112", quoted(row) + " has a value that cannot be read",
            "expected " + expected_value(row), node.place, working_line(row)};
}

ValueError out_of_range(const KeyRow& row, const Node& node) {
    return {"E0104", quoted(row) + " is out of range", "expected " + expected_value(row),
            node.place};
}

Outcome read_text(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto size = static_cast<std::int64_t>(node.text.size());
    if (has_control_character(node.text)) {
        return ValueError{"E0117", quoted(row) + " holds a control character",
                          "\"" + escaped(node.text.substr(0, 64)) + "\"", node.place};
    }
    if (size < row.field.minimum) return malformed(row, node);
    if (row.field.maximum > 0 && size > row.field.maximum) {
        return ValueError{"E0104", quoted(row) + " is too long",
                          "at most " + std::to_string(row.field.maximum) +
                              " characters, this has " + std::to_string(size),
                          node.place};
    }
    reading.text = node.text;
    return std::nullopt;
}

Outcome read_integer(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Integer) return wrong_type(row, node);
    if (node.integer < row.field.minimum || node.integer > row.field.maximum) {
        return out_of_range(row, node);
    }
    reading.integer = node.integer;
    return std::nullopt;
}

Outcome read_real(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Real && node.kind != NodeKind::Integer) return wrong_type(row, node);
    const double value =
        node.kind == NodeKind::Real ? node.real : static_cast<double>(node.integer);
    // Written so that NaN is out of range too.
    if (!(value >= row.field.real_minimum && value <= row.field.real_maximum)) {
        return out_of_range(row, node);
    }
    reading.real = value;
    return std::nullopt;
}

// The digits of a number as the operator wrote them.
std::string written_number(const Node& node) {
    if (node.kind == NodeKind::Integer) return std::to_string(node.integer);
    std::string text = std::to_string(node.real);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

Outcome read_time(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind == NodeKind::Integer || node.kind == NodeKind::Real) {
        const std::string number = written_number(node);
        return ValueError{"E0105", quoted(row) + " is a duration and needs a unit",
                          "\"" + number + "s\" (seconds) or \"" + number + "ms\" (milliseconds)?",
                          node.place,
                          "keepalived reads such a number as seconds: " + std::string(row.key) +
                              " = \"" + number + "s\""};
    }
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto duration = parse_duration(node.text);
    if (!duration) {
        ValueError error = malformed(row, node);
        error.label = "expected a number and a unit: ns, us, ms, s, m, h or d";
        return error;
    }
    if (duration->count() < row.field.minimum || duration->count() > row.field.maximum) {
        return out_of_range(row, node);
    }
    reading.duration = *duration;
    return std::nullopt;
}

Outcome read_size(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind == NodeKind::Integer) {
        const std::string number = std::to_string(node.integer);
        return ValueError{"E0105", quoted(row) + " is a size and needs a unit",
                          "\"" + number + "M\" (MiB) or \"" + number + "G\" (GiB)?", node.place,
                          working_line(row)};
    }
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto size = parse_size(node.text);
    if (!size) return malformed(row, node);
    const auto bytes = static_cast<std::int64_t>(*size);
    if (bytes < row.field.minimum || bytes > row.field.maximum) return out_of_range(row, node);
    reading.integer = bytes;
    return std::nullopt;
}

ValueError unknown_choice(const KeyRow& row, const Node& node) {
    std::vector<std::string_view> names;
    for (const Choice& choice : row.field.choices) names.push_back(choice.name);
    std::string_view near = nearest(node.text, names);
    // What tutorials call the other node.
    if (row.key == "state" && near.empty() &&
        (edit_distance(node.text, "SLAVE", 1) <= 1 ||
         edit_distance(node.text, "STANDBY", 1) <= 1)) {
        near = "BACKUP";
    }
    const std::string shown = escaped(node.text.substr(0, 64));
    ValueError error{"E0106", "unknown value `" + shown + "` for " + quoted(row),
                     near.empty() ? "expected " + expected_value(row)
                                  : "did you mean `" + std::string(near) + "`?",
                     node.place};
    if (!near.empty()) error.help = "possible values: " + expected_value(row);
    if (row.key == "type" && node.text == "AH") {
        error.label = "withdrawn by RFC 3768, and by nobody checked against replay";
        error.help = "type = \"PASS\" on all nodes, or \"none\"";
    }
    return error;
}

Outcome read_choice(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    for (const Choice& choice : row.field.choices) {
        if (choice.name != node.text) continue;
        reading.integer = choice.value;
        return std::nullopt;
    }
    return unknown_choice(row, node);
}

Outcome read_choices(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Array) return wrong_type(row, node);
    for (const Node& item : node.items) {
        if (auto error = read_choice(row, item, reading)) return error;
        reading.integers.push_back(reading.integer);
    }
    return std::nullopt;
}

Outcome read_address(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto address = net::IpAddress::parse(node.text);
    if (!address) {
        ValueError error = malformed(row, node);
        if (net::IpPrefix::parse(node.text)) error.label = "an address without \"/LENGTH\" here";
        return error;
    }
    const std::uint8_t length = address->is_v4() ? 32 : 128;
    reading.prefix = {*address, length};
    return std::nullopt;
}

// "10.0.0.1", "10.0.0.1-20", "10.0.0.250-10.0.1.10", "fd00::1-fd00::20".
Outcome read_address_range(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto dash = node.text.find('-');
    const auto first = net::IpAddress::parse(std::string_view(node.text).substr(0, dash));
    if (!first) return malformed(row, node);
    reading.prefix.address = *first;
    reading.last = *first;
    if (dash == std::string::npos) return std::nullopt;
    std::string end = node.text.substr(dash + 1);
    const char separator = first->is_v4() ? '.' : ':';
    if (end.find(separator) == std::string::npos) {
        end = node.text.substr(0, node.text.rfind(separator, dash) + 1) + end;
    }
    const auto last = net::IpAddress::parse(end);
    if (!last || last->family != first->family || *last < *first) return malformed(row, node);
    reading.last = *last;
    return std::nullopt;
}

Outcome read_prefix(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    if (row.field.type == ValueType::RoutePrefix && node.text.starts_with("default")) {
        if (node.text == "default") {
            reading.prefix = *net::IpPrefix::parse("0.0.0.0/0");
            return std::nullopt;
        }
        if (node.text == "default6") {
            reading.prefix = *net::IpPrefix::parse("::/0");
            return std::nullopt;
        }
    }
    const auto prefix = net::IpPrefix::parse(node.text);
    if (!prefix) {
        ValueError error = malformed(row, node);
        const auto slash = node.text.find('/');
        const auto address = net::IpAddress::parse(std::string_view(node.text).substr(0, slash));
        if (address && slash != std::string::npos) {
            error.label = "the length of " + std::string(address->is_v4() ? "an IPv4" : "an IPv6") +
                          " prefix is at most " + (address->is_v4() ? "32" : "128");
        }
        return error;
    }
    if (row.field.type == ValueType::PrefixList && node.text.find('/') == std::string::npos) {
        ValueError error = malformed(row, node);
        error.label = "the length of the network is missing, for example \"" + node.text +
                      (prefix->address.is_v4() ? "/24\"" : "/64\"");
        return error;
    }
    reading.prefix = *prefix;
    return std::nullopt;
}

Outcome read_addresses(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Array) return wrong_type(row, node);
    for (const Node& item : node.items) {
        auto error = row.field.type == ValueType::AddressList ? read_address(row, item, reading)
                                                              : read_prefix(row, item, reading);
        if (error) return error;
        reading.prefixes.push_back(reading.prefix);
    }
    return std::nullopt;
}

Outcome read_mac(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto mac = net::MacAddress::parse(node.text);
    if (!mac || mac->is_multicast() || mac->is_zero()) return malformed(row, node);
    reading.mac = *mac;
    return std::nullopt;
}

Outcome read_host_port(const KeyRow& row, const Node& node, Reading& reading) {
    if (auto error = read_text(row, node, reading)) return error;
    const auto parsed = parse_host_port(node.text);
    if (!parsed || parsed->host.find(' ') != std::string::npos) return malformed(row, node);
    reading.text = parsed->host;
    reading.integer = parsed->port;
    const auto address = net::IpAddress::parse(parsed->host);
    if (address) reading.prefix.address = *address;
    if (row.key == "metrics_listen" && (!address || parsed->port == 0)) {
        ValueError error = malformed(row, node);
        error.label = "expected an address and a port";
        return error;
    }
    return std::nullopt;
}

Outcome read_texts(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Array) return wrong_type(row, node);
    for (const Node& item : node.items) {
        if (item.kind != NodeKind::Text) return wrong_type(row, item);
        if (has_control_character(item.text)) {
            return ValueError{"E0117", quoted(row) + " holds a control character",
                              "\"" + escaped(item.text.substr(0, 64)) + "\"", item.place};
        }
        reading.list.push_back(item.text);
    }
    return std::nullopt;
}

Outcome read_command(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind == NodeKind::Text) {
        const auto blank = node.text.find_first_of(" \t");
        if (blank != std::string::npos) {
            std::string array;
            std::string_view rest = node.text;
            while (!rest.empty()) {
                const auto end = std::min(rest.find_first_of(" \t"), rest.size());
                if (end > 0) {
                    array += array.empty() ? "[\"" : ", \"";
                    array += std::string(rest.substr(0, end)) + "\"";
                }
                rest.remove_prefix(std::min(end + 1, rest.size()));
            }
            return ValueError{"E0118", quoted(row) + " has a command with arguments in one string",
                              "no shell will split it", node.place,
                              "write " + std::string(row.key) + " = " + escaped(array) + "]"};
        }
        if (auto error = read_text(row, node, reading)) return error;
        if (!node.text.empty()) reading.list = {node.text};
    } else if (auto error = read_texts(row, node, reading)) {
        return error;
    }
    if (!reading.list.empty() && !reading.list.front().starts_with('/')) {
        return ValueError{"E0112", quoted(row) + " needs the absolute path of the program",
                          "starts without \"/\": there is no search path",
                          node.kind == NodeKind::Array ? node.items.front().place : node.place};
    }
    return std::nullopt;
}

Outcome read_range(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Integer && node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto range =
        parse_range(node.kind == NodeKind::Integer ? std::to_string(node.integer) : node.text);
    if (!range) return malformed(row, node);
    reading.ranges.push_back(*range);
    return std::nullopt;
}

Outcome read_status_codes(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind == NodeKind::Array) {
        for (const Node& item : node.items) {
            if (item.kind == NodeKind::Array) return wrong_type(row, item);
            if (auto error = read_status_codes(row, item, reading)) return error;
        }
        return node.items.empty() ? Outcome(malformed(row, node)) : std::nullopt;
    }
    if (auto error = read_range(row, node, reading)) return error;
    if (reading.ranges.back().first < 100 || reading.ranges.back().last > 599) {
        return ValueError{"E0104", quoted(row) + " is out of range",
                          "expected a number from 100 to 599", node.place};
    }
    return std::nullopt;
}

Outcome read_cpus(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind == NodeKind::Array) {
        for (const Node& item : node.items) {
            if (item.kind != NodeKind::Integer) return wrong_type(row, item);
            if (item.integer < 0 || item.integer >= 1024) return malformed(row, item);
            reading.integers.push_back(item.integer);
        }
    } else {
        if (node.kind != NodeKind::Integer && node.kind != NodeKind::Text) {
            return wrong_type(row, node);
        }
        const auto cpus =
            parse_cpus(node.kind == NodeKind::Integer ? std::to_string(node.integer) : node.text);
        if (!cpus) return malformed(row, node);
        reading.integers.assign(cpus->begin(), cpus->end());
    }
    if (reading.integers.empty() || reading.integers.size() > 64) {
        return ValueError{"E0104", quoted(row) + " is out of range",
                          "1 to 64 workers, not " + std::to_string(reading.integers.size()),
                          node.place};
    }
    return std::nullopt;
}

Outcome read_granularity(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind == NodeKind::Integer) {
        if (node.integer < 1 || node.integer > 128) return malformed(row, node);
        reading.integer = node.integer;
        return std::nullopt;
    }
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    const auto length = parse_netmask(node.text);
    if (!length || *length == 0) return malformed(row, node);
    reading.text = node.text;
    reading.integer = *length;
    return std::nullopt;
}

Outcome read_hex(const KeyRow& row, const Node& node, Reading& reading) {
    if (node.kind != NodeKind::Text) return wrong_type(row, node);
    auto bytes = parse_hex(node.text);
    if (!bytes || bytes->size() > 1400) return malformed(row, node);
    reading.bytes = std::move(*bytes);
    return std::nullopt;
}

Outcome read_path(const KeyRow& row, const Node& node, Reading& reading) {
    if (auto error = read_text(row, node, reading)) return error;
    const bool secret = row.field.type == ValueType::SecretFile;
    if (node.text.starts_with('/') ||
        (secret && node.text.starts_with("${CREDENTIALS_DIRECTORY}/"))) {
        return std::nullopt;
    }
    return malformed(row, node);
}

}  // namespace

std::optional<ValueError> read_value(const KeyRow& row, const Node& node, Reading& reading) {
    switch (row.field.type) {
        case ValueType::Boolean:
            if (node.kind != NodeKind::Boolean) return wrong_type(row, node);
            reading.boolean = node.boolean;
            return std::nullopt;
        case ValueType::Integer:
            return read_integer(row, node, reading);
        case ValueType::Real:
            return read_real(row, node, reading);
        case ValueType::Text:
        case ValueType::Name:
            return read_text(row, node, reading);
        case ValueType::Path:
        case ValueType::SecretFile:
            return read_path(row, node, reading);
        case ValueType::Time:
            return read_time(row, node, reading);
        case ValueType::Size:
            return read_size(row, node, reading);
        case ValueType::Choice:
            return read_choice(row, node, reading);
        case ValueType::ChoiceList:
            return read_choices(row, node, reading);
        case ValueType::Address:
            return read_address(row, node, reading);
        case ValueType::AddressRange:
            return read_address_range(row, node, reading);
        case ValueType::Prefix:
        case ValueType::RoutePrefix:
            return read_prefix(row, node, reading);
        case ValueType::AddressList:
        case ValueType::PrefixList:
            return read_addresses(row, node, reading);
        case ValueType::Mac:
            return read_mac(row, node, reading);
        case ValueType::HostPort:
            return read_host_port(row, node, reading);
        case ValueType::Command:
            return read_command(row, node, reading);
        case ValueType::TextList:
            return read_texts(row, node, reading);
        case ValueType::PortRange:
            return read_range(row, node, reading);
        case ValueType::Cpus:
            return read_cpus(row, node, reading);
        case ValueType::StatusCodes:
            return read_status_codes(row, node, reading);
        case ValueType::Hex:
            return read_hex(row, node, reading);
        case ValueType::Granularity:
            return read_granularity(row, node, reading);
        case ValueType::Table:
        case ValueType::TableList:
            break;
    }
    return wrong_type(row, node);
}

}  // namespace pollux::control
