// SPDX-License-Identifier: Apache-2.0
#pragma once

// The daemon's log: one line per event in logfmt, for example
//   level=info event="reload applied" changes=3 generation=12
// Values are escaped, so that hostile names cannot forge lines or steer a terminal. Control thread
// only; workers never log. Before `start` lines go to stderr.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "dataplane/net/result.h"

namespace pollux::control::log {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };
// Journald: stderr with the priority prefixes that systemd's journal reads, without time stamps.
enum class Target : std::uint8_t { Stderr, Syslog, Journald, File };
enum class Format : std::uint8_t { Logfmt, Json };

struct Options {
    Target target = Target::Stderr;
    Level level = Level::Info;
    Format format = Format::Logfmt;
    std::string file;  // only for Target::File
};

// A key and its value. Keys are plain words chosen by the code.
struct Field {
    Field(std::string_view name, std::string_view text) : key(name), value(text) {}
    Field(std::string_view name, const char* text) : key(name), value(text) {}
    Field(std::string_view name, const std::string& text) : key(name), value(text) {}
    Field(std::string_view name, bool flag) : key(name), value(flag ? "true" : "false") {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) Field(std::string_view name, Number number)
        : key(name), value(std::to_string(number)) {}

    std::string_view key;
    std::string value;
};
using Fields = std::initializer_list<Field>;

// Errors: the log file cannot be opened. May be called again (reload).
Status start(const Options& options);
// Opens the log file again by its name, since the one that is open may have been renamed. Other
// targets: nothing to do. Errors: the file cannot be opened; the old one stays in use.
Status reopen();
void set_level(Level level);

void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warning(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});
// Logs message and remedy of an error value.
void error(std::string_view event, const Error& cause);

// The text without a time stamp, and one JSON object with `time` as its first member (none if
// empty). Public for tests.
[[nodiscard]] std::string format_logfmt(Level level, std::string_view event, Fields fields);
[[nodiscard]] std::string format_json(std::string_view time, Level level, std::string_view event,
                                      Fields fields);
// Quotes when needed; control characters, quotes, backslashes and invalid UTF-8 become escapes.
[[nodiscard]] std::string quote(std::string_view value);

}  // namespace pollux::control::log
