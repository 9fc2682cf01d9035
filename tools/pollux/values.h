// SPDX-License-Identifier: Apache-2.0
#pragma once

// Members of a JSON object as printable text, whatever they are. A daemon of another version may
// leave some out: then they are empty or zero. Pure.

#include <nlohmann/json.hpp>
#include <string>

namespace pollux::cli {

using Json = nlohmann::ordered_json;

// A string member; "" if absent or null.
[[nodiscard]] std::string text(const Json& object, const char* name);
// A number as digits; "0" if absent.
[[nodiscard]] std::string number(const Json& object, const char* name);
// "yes" or "no".
[[nodiscard]] std::string yes_no(const Json& object, const char* name);
// An array member; empty if absent.
[[nodiscard]] Json list(const Json& object, const char* name);
// "10.0.0.1:80" or "[2001:db8::1]:80".
[[nodiscard]] std::string endpoint(const std::string& address, int port);
// Strings joined with ", ".
[[nodiscard]] std::string joined(const Json& strings);

// "12.3" with that many digits behind the point.
[[nodiscard]] std::string fixed(double value, int digits);
// "12.3%"; "-" of nothing.
[[nodiscard]] std::string percent(double part, double whole);

}  // namespace pollux::cli
