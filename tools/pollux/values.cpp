// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/values.h"

#include <cstdio>

#include "tools/pollux/table.h"

namespace pollux::cli {

std::string text(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_string()) return "";
    return printable(member->get<std::string>());
}

std::string number(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number()) return "0";
    return member->dump();
}

std::string yes_no(const Json& object, const char* name) {
    const auto member = object.find(name);
    const bool yes = member != object.end() && member->is_boolean() && member->get<bool>();
    return yes ? "yes" : "no";
}

Json list(const Json& object, const char* name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_array() ? *member : Json::array();
}

std::string endpoint(const std::string& address, int port) {
    const std::string host = address.find(':') == std::string::npos ? address : "[" + address + "]";
    return host + ":" + std::to_string(port);
}

std::string joined(const Json& strings) {
    std::string out;
    for (const Json& entry : strings) {
        if (!entry.is_string()) continue;
        out += (out.empty() ? "" : ", ") + printable(entry.get<std::string>());
    }
    return out;
}

std::string fixed(double value, int digits) {
    char buffer[64];
    std::snprintf(buffer, sizeof(buffer), "%.*f", digits, value);
    return buffer;
}

std::string percent(double part, double whole) {
    if (whole <= 0) return "-";
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "%.1f%%", 100.0 * part / whole);
    return buffer;
}

}  // namespace pollux::cli
