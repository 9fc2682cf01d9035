// SPDX-License-Identifier: Apache-2.0
// Values as keepalived writes them -> TOML.

#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "control/config/values.h"
#include "control/import/convert.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

namespace {

std::optional<long> parse_long(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "2.5" -> microseconds, at most 100 years.
std::optional<std::int64_t> parse_microseconds(std::string_view text) {
    constexpr std::int64_t kMost = std::int64_t{100} * 366 * 86400;
    const std::size_t dot = text.find('.');
    const std::optional<std::uint64_t> whole =
        dot == 0 ? std::optional<std::uint64_t>(0) : parse_number(text.substr(0, dot));
    if (!whole || *whole > static_cast<std::uint64_t>(kMost)) return std::nullopt;
    std::int64_t microseconds = static_cast<std::int64_t>(*whole) * 1'000'000;
    if (dot == std::string_view::npos) return microseconds;
    std::int64_t unit = 100'000;
    if (text.size() == dot + 1) return std::nullopt;
    for (const char digit : text.substr(dot + 1)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        microseconds += unit * (digit - '0');
        unit /= 10;
    }
    return microseconds;
}

// A command line's words: split at blanks, single or double quotes keep them together.
std::vector<std::string> command_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool started = false;
    char quote = 0;
    for (const char c : text) {
        if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                word += c;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
            started = true;
        } else if (c == ' ' || c == '\t') {
            if (started) words.push_back(std::exchange(word, {}));
            started = false;
        } else {
            word += c;
            started = true;
        }
    }
    if (started) words.push_back(std::move(word));
    return words;
}

}  // namespace

bool is_ip(std::string_view text) {
    return net::IpAddress::parse(text).has_value();
}

std::string read_integer(ImportContext& context, const Statement& statement, std::string_view word,
                         long min, long max) {
    const std::optional<long> value = parse_long(word);
    if (!value) {
        context.log.ignored(
            statement.place,
            import_title(context, statement) + ": `" + escaped(word) + "` is not a number",
            "keepalived ignores the line and takes its default");
        return {};
    }
    if (*value < min || *value > max) {
        context.log.error(
            statement.place,
            import_title(context, statement) + ": " + std::to_string(*value) + " is outside of " +
                std::to_string(min) + " to " + std::to_string(max),
            "keepalived runs with its default instead: write the number that you mean");
        return {};
    }
    return std::to_string(*value);
}

std::string read_seconds(ImportContext& context, const Statement& statement,
                         std::string_view word) {
    const std::optional<std::int64_t> value = parse_microseconds(word);
    if (!value) {
        context.log.ignored(statement.place,
                            import_title(context, statement) + ": `" + escaped(word) +
                                "` is not a number of seconds",
                            "keepalived ignores the line and takes its default");
        return {};
    }
    return toml_text(format_duration(std::chrono::microseconds(*value)));
}

std::optional<bool> read_bool(ImportContext& context, const Statement& statement) {
    const std::string_view word = statement.word(1);
    if (word.empty() || word == "on" || word == "true" || word == "yes") return true;
    if (word == "off" || word == "false" || word == "no") return false;
    context.log.ignored(
        statement.place,
        import_title(context, statement) + ": `" + escaped(word) + "` is neither on nor off",
        "keepalived ignores the line");
    return std::nullopt;
}

std::string read_command(ImportContext& context, const Statement& statement, std::size_t first) {
    std::vector<std::string> words = command_words(statement.word(first));
    const std::string title = import_title(context, statement);
    if (words.empty()) {
        context.log.ignored(statement.place, title + " names no program",
                            "keepalived ignores the line");
        return {};
    }
    if (!words.front().starts_with('/')) {
        const std::string path = context.host.find_program(words.front());
        if (path.empty()) {
            context.log.ignored(statement.place,
                                title + ": there is no program `" + escaped(words.front()) +
                                    "` here: keepalived runs nothing",
                                "write its absolute path");
            return {};
        }
        context.log.changed(statement.place, std::string(statement.word()),
                            words.front() + " is " + path + " on this host");
        words.front() = path;
    }
    if (statement.words.size() > first + 1) {
        context.log.warning(statement.place,
                            title + ": `" + escaped(statement.text(first + 1)) +
                                "` is user and group for keepalived, no argument",
                            "scripts run as [global.scripts] user; arguments go into the quotes");
    }
    if (statement.word(first).find_first_of("|&;<>`$") != std::string_view::npos) {
        context.log.warning(statement.place,
                            title + ": no shell reads `" + escaped(statement.word(first)) + "`",
                            "put it into a script file");
    }
    return toml_texts(words);
}

}  // namespace pollux::control
