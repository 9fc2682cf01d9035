// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/vdev_text.h"

#include <algorithm>
#include <cctype>

#include "dataplane/dpdk/driver_traits.h"

namespace pollux::dpdk {
namespace {

constexpr std::string_view kFormHint =
    "write DRIVER and a number, then arguments: net_tap0,iface=tap0";

bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

// Split at commas; an empty text has no parts.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        parts.push_back(text.substr(0, comma));
        if (comma == text.size()) break;
        text.remove_prefix(comma + 1);
        if (text.empty()) parts.emplace_back();
    }
    return parts;
}

std::string join(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) {
        if (!text.empty()) text += ", ";
        text += word;
    }
    return text;
}

Status check_name(std::string_view name, std::string_view driver) {
    if (!std::all_of(name.begin(), name.end(), is_name_character)) {
        return Error{"device name '" + std::string(name) + "' has a character that is not allowed",
                     std::string(kFormHint)};
    }
    if (!driver.starts_with("net_") && !driver.starts_with("eth_")) {
        return Error{"'" + std::string(name) + "' is not a network driver (net_...)",
                     std::string(kFormHint)};
    }
    if (driver.size() == name.size()) {
        return Error{"device name '" + std::string(name) + "' lacks its number",
                     "write " + std::string(name) + "0 for the first one"};
    }
    return ok_status();
}

Status check_key(const VdevText& vdev, std::string_view key) {
    const DriverTraits* traits = find_driver_traits(vdev.driver);
    if (traits == nullptr || traits->argument_keys.empty()) return ok_status();
    const auto& keys = traits->argument_keys;
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return ok_status();
    return Error{vdev.driver + " has no argument '" + std::string(key) + "'",
                 "it takes: " + join({keys.begin(), keys.end()})};
}

}  // namespace

std::optional<std::string_view> VdevText::find(std::string_view key) const {
    for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
        if (pair->first == key) return pair->second;
    }
    return std::nullopt;
}

Result<VdevText> parse_vdev(std::string_view text) {
    const std::vector<std::string_view> parts = split(text);
    if (parts.empty() || parts.front().empty()) {
        return Error{"virtual device text is empty", std::string(kFormHint)};
    }
    VdevText vdev;
    vdev.name = parts.front();
    vdev.driver = vdev.name.substr(0, vdev.name.find_last_not_of("0123456789") + 1);
    if (Status status = check_name(vdev.name, vdev.driver); !status) return status.error();

    for (std::size_t i = 1; i < parts.size(); ++i) {
        const std::string_view part = parts[i];
        const std::size_t equals = std::min(part.find('='), part.size());
        std::string key(part.substr(0, equals));
        if (key.empty()) {
            return Error{"virtual device '" + std::string(text) + "' has an empty argument",
                         std::string(kFormHint)};
        }
        if (vdev.find(key)) {
            return Error{"virtual device '" + vdev.name + "' has '" + key + "' twice", "keep one"};
        }
        if (Status status = check_key(vdev, key); !status) return status.error();
        vdev.pairs.emplace_back(std::move(key), part.substr(std::min(equals + 1, part.size())));
    }
    vdev.arguments = text.substr(std::min(vdev.name.size() + 1, text.size()));
    return vdev;
}

}  // namespace pollux::dpdk
