// SPDX-License-Identifier: Apache-2.0
#include "control/config/values.h"

#include <array>
#include <bit>
#include <limits>
#include <utility>

namespace pollux::control {

namespace {

struct DurationUnit {
    std::string_view name;
    std::int64_t nanoseconds;
};
constexpr std::array<DurationUnit, 7> kDurationUnits = {{
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
}};
constexpr std::int64_t kLongest = 36'500 * kDurationUnits[0].nanoseconds;

struct SizeUnit {
    char name;
    unsigned shift;
};
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::array<SizeUnit, 4> kSizeUnits = {{{'T', 40}, {'G', 30}, {'M', 20}, {'K', 10}}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::optional<unsigned> hex_digit(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

// Length of the well-formed UTF-8 character at the start of `text` (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                               : lead >= 0xe0 && lead <= 0xef ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    }
    const unsigned char second = byte(1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
        return 0;
    }
    return length;
}

bool is_control(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return lead < 0x20 || lead == 0x7f;
    // U+0080..U+009F, and the marks that change the direction of text (U+202A..E, U+2066..9).
    if (character.size() == 2)
        return lead == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
    return character.size() == 3 && ((character >= "\xe2\x80\xaa" && character <= "\xe2\x80\xae") ||
                                     (character >= "\xe2\x81\xa6" && character <= "\xe2\x81\xa9"));
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
    if (text.empty() || text.size() > 19) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    const std::string_view number = text.substr(0, end);
    const std::string_view unit = text.substr(end);
    const auto point = number.find('.');
    const auto whole = parse_number(number.substr(0, point));
    if (!whole) return std::nullopt;
    for (const DurationUnit& candidate : kDurationUnits) {
        if (candidate.name != unit) continue;
        const auto scale = static_cast<std::uint64_t>(candidate.nanoseconds);
        if (*whole > static_cast<std::uint64_t>(kLongest) / scale) return std::nullopt;
        std::int64_t total = static_cast<std::int64_t>(*whole * scale);
        if (point != std::string_view::npos) {
            std::string_view digits = number.substr(point + 1);
            if (digits.empty() || digits.find('.') != std::string_view::npos) return std::nullopt;
            std::int64_t place = candidate.nanoseconds;
            for (const char c : digits) {
                if (place % 10 != 0) {
                    // Hours and days divide by 10 for a few places only; finer is not exact.
                    if (c != '0') return std::nullopt;
                    continue;
                }
                place /= 10;
                total += place * (c - '0');
            }
        }
        if (total > kLongest) return std::nullopt;
        return Duration(total);
    }
    return std::nullopt;
}

std::string format_duration(Duration duration) {
    const std::int64_t count = duration.count();
    if (count == 0) return "0s";
    for (const DurationUnit& unit : kDurationUnits) {
        if (unit.name == "m" || count % unit.nanoseconds != 0) continue;
        return std::to_string(count / unit.nanoseconds) + std::string(unit.name);
    }
    return std::to_string(count) + "ns";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto number = parse_number(text.substr(0, text.size() - 1));
    if (!number) return std::nullopt;
    for (const SizeUnit& unit : kSizeUnits) {
        if (text.back() != unit.name) continue;
        if (*number > kLargest >> unit.shift) return std::nullopt;
        return *number << unit.shift;
    }
    return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
    for (const SizeUnit& unit : kSizeUnits) {
        const std::uint64_t one = std::uint64_t{1} << unit.shift;
        if (bytes < one) continue;
        const std::uint64_t tenths = bytes % one * 10 / one;
        std::string text = std::to_string(bytes / one);
        if (tenths != 0) text += "." + std::to_string(tenths);
        return text + std::string(1, unit.name);
    }
    return std::to_string(bytes);
}

std::optional<NumberRange> parse_range(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last > 65535) return std::nullopt;
    return NumberRange{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

std::optional<std::vector<unsigned>> parse_cpus(std::string_view text) {
    std::vector<unsigned> cpus;
    while (true) {
        const auto comma = text.find(',');
        const auto range = parse_range(text.substr(0, comma));
        if (!range || range->last >= 1024) return std::nullopt;
        for (unsigned cpu = range->first; cpu <= range->last; ++cpu) cpus.push_back(cpu);
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return cpus;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
    HostPort result;
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        result.host = std::string(text.substr(1, close - 1));
        const std::string_view rest = text.substr(close + 1);
        if (!rest.empty() && rest[0] != ':') return std::nullopt;
        has_port = !rest.empty();
        if (has_port) port = rest.substr(1);
    } else {
        const auto colon = text.find(':');
        has_port =
            colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
        result.host = std::string(has_port ? text.substr(0, colon) : text);
        if (has_port) port = text.substr(colon + 1);
    }
    if (result.host.empty()) return std::nullopt;
    if (has_port) {
        const auto number = parse_number(port);
        if (!number || *number == 0 || *number > 65535) return std::nullopt;
        result.port = static_cast<std::uint16_t>(*number);
    }
    return result;
}

std::optional<std::uint8_t> parse_netmask(std::string_view text) {
    const auto address = net::IpAddress::parse(text);
    if (!address || !address->is_v4()) return std::nullopt;
    const std::uint32_t mask = address->v4().host();
    const int ones = std::countl_one(mask);
    if (std::popcount(mask) != ones) return std::nullopt;
    return static_cast<std::uint8_t>(ones);
}

std::optional<std::vector<std::uint8_t>> parse_hex(std::string_view text) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == ' ') {
            ++i;
            continue;
        }
        if (i + 1 >= text.size()) return std::nullopt;
        const auto high = hex_digit(text[i]);
        const auto low = hex_digit(text[i + 1]);
        if (!high || !low) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(*high * 16 + *low));
        i += 2;
    }
    return bytes;
}

std::string escaped(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string result;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, length == 0 ? 1 : length);
        if (length != 0 && !is_control(character)) {
            result += character;
        } else {
            for (const char c : character) {
                const auto byte = static_cast<unsigned char>(c);
                result += "\\x";
                result += kDigits[byte >> 4U];
                result += kDigits[byte & 15U];
            }
        }
        text.remove_prefix(character.size());
    }
    return result;
}

bool has_control_character(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0 || is_control(text.substr(0, length))) return true;
        text.remove_prefix(length);
    }
    return false;
}

}  // namespace pollux::control
