// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text forms of values: durations, sizes, ranges, lists of CPUs. Pure; nullopt = not that form.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config_common.h"

namespace pollux::control {

// "200ms", "1.5s": a number and one of ns us ms s m h d. Exact to the nanosecond, at most 100
// years.
std::optional<Duration> parse_duration(std::string_view text);

// The shortest exact text: "200ms", "90s".
std::string format_duration(Duration duration);

// "256M": a whole number and one of K M G T (powers of 1024). In bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// A decimal number without sign or leading blanks.
std::optional<std::uint64_t> parse_number(std::string_view text);

// "80" or "1024-65535", first <= last <= 65535.
std::optional<NumberRange> parse_range(std::string_view text);

// "2-5,7": CPU numbers below 1024 in the order written; each range rising.
std::optional<std::vector<unsigned>> parse_cpus(std::string_view text);

// "host:25", "192.0.2.1:25", "[2001:db8::1]:25", or without the port. A bare IPv6 address is one
// without a port.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;  // 0: not written
};
std::optional<HostPort> parse_host_port(std::string_view text);

// "255.255.255.0" -> 24; not a netmask: nullopt.
std::optional<std::uint8_t> parse_netmask(std::string_view text);

// Hex digits in pairs, blanks between pairs allowed.
std::optional<std::vector<std::uint8_t>> parse_hex(std::string_view text);

// Printable form for messages: control characters and bytes that are not UTF-8 become \xNN.
std::string escaped(std::string_view text);

// True if the text has a control character (below 0x20, or 0x7f, or C1).
bool has_control_character(std::string_view text);

}  // namespace pollux::control
