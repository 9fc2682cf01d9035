// SPDX-License-Identifier: Apache-2.0
#include "control/log/log.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <spdlog/details/os.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace pollux::control::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::Debug:
            return spdlog::level::debug;
        case Level::Info:
            return spdlog::level::info;
        case Level::Warning:
            return spdlog::level::warn;
        case Level::Error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::Debug:
            return "debug";
        case Level::Info:
            return "info";
        case Level::Warning:
            return "warning";
        case Level::Error:
            return "error";
    }
    return "info";
}

// 2026-01-31T12:00:00.123Z
std::string utc_now() {
    const auto now = std::chrono::system_clock::now();
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() %
        1000;
    const std::tm parts = spdlog::details::os::gmtime(std::chrono::system_clock::to_time_t(now));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       milliseconds);
}

struct State {
    Options options;
    std::shared_ptr<spdlog::logger> logger;
};

std::shared_ptr<spdlog::logger> make_logger(const Options& options) {
    spdlog::sink_ptr sink;
    switch (options.target) {
        case Target::Stderr:
        case Target::Journald:
            sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
            break;
        case Target::Syslog:
            sink = std::make_shared<spdlog::sinks::syslog_sink_st>("polluxd", LOG_PID, LOG_DAEMON,
                                                                   false);
            break;
        case Target::File:
            sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(options.file);
            break;
    }
    auto logger = std::make_shared<spdlog::logger>("pollux", std::move(sink));
    logger->set_pattern("%v");
    logger->set_level(to_spdlog(options.level));
    logger->flush_on(spdlog::level::debug);
    return logger;
}

State& state() {
    static State instance{{}, make_logger({})};
    return instance;
}

// syslog's priorities, which the journal reads at the start of a line.
std::string_view journal_prefix(Level level) {
    switch (level) {
        case Level::Debug:
            return "<7>";
        case Level::Info:
            return "<6>";
        case Level::Warning:
            return "<4>";
        case Level::Error:
            return "<3>";
    }
    return "<6>";
}

void write(Level level, std::string_view event, Fields fields) {
    const State& now = state();
    const auto spd_level = to_spdlog(level);
    if (!now.logger->should_log(spd_level)) return;
    // Syslog and the journal stamp their lines themselves.
    const bool stamped = now.options.target == Target::Stderr || now.options.target == Target::File;
    std::string line;
    if (now.options.target == Target::Journald) line += journal_prefix(level);
    if (now.options.format == Format::Json) {
        line += format_json(stamped ? utc_now() : std::string(), level, event, fields);
    } else {
        if (stamped) line += "time=" + utc_now() + " ";
        line += format_logfmt(level, event, fields);
    }
    now.logger->log(spd_level, line);
}

// Length of the valid UTF-8 sequence at `position`, 0 when there is none. Overlong forms,
// surrogates and C1 controls count as invalid.
std::size_t utf8_length(std::string_view text, std::size_t position) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
    const std::size_t left = text.size() - position;
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const unsigned char first = byte(0);
    if (first >= 0xc2 && first <= 0xdf && left >= 2 && tail(1)) {
        return first == 0xc2 && byte(1) < 0xa0 ? 0 : 2;
    }
    if (first >= 0xe0 && first <= 0xef && left >= 3 && tail(1) && tail(2)) {
        if (first == 0xe0 && byte(1) < 0xa0) return 0;
        if (first == 0xed && byte(1) > 0x9f) return 0;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4 && left >= 4 && tail(1) && tail(2) && tail(3)) {
        if (first == 0xf0 && byte(1) < 0x90) return 0;
        if (first == 0xf4 && byte(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

bool is_plain(std::string_view value) {
    if (value.empty()) return false;
    for (const char c : value) {
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') return false;
    }
    return true;
}

void append_escape(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xfU];
}

}  // namespace

std::string quote(std::string_view value) {
    if (is_plain(value)) return std::string(value);
    std::string out = "\"";
    for (std::size_t i = 0; i < value.size();) {
        const char c = value[i];
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
            out += c;
            ++i;
            continue;
        }
        const std::size_t length = static_cast<unsigned char>(c) < 0x80 ? 0 : utf8_length(value, i);
        if (length > 0) {
            out += value.substr(i, length);
            i += length;
        } else {
            append_escape(out, c);
            ++i;
        }
    }
    out += '"';
    return out;
}

std::string format_logfmt(Level level, std::string_view event, Fields fields) {
    std::string line = "level=";
    line += name_of(level);
    line += " event=";
    line += quote(event);
    for (const Field& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        line += quote(field.value);
    }
    return line;
}

std::string format_json(std::string_view time, Level level, std::string_view event, Fields fields) {
    nlohmann::ordered_json line;
    if (!time.empty()) line["time"] = time;
    line["level"] = name_of(level);
    line["event"] = event;
    for (const Field& field : fields) line[std::string(field.key)] = field.value;
    return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

Status start(const Options& options) {
    try {
        state() = State{options, make_logger(options)};
    } catch (const spdlog::spdlog_ex& failure) {
        return Error{"cannot open the log file " + options.file + ": " + failure.what(),
                     "correct [log] file, or create its folder"};
    }
    return ok_status();
}

Status reopen() {
    const Options options = state().options;
    if (options.target != Target::File) return ok_status();
    // spdlog tries for a while, and waits for the reader of a FIFO: not in the control loop.
    const int descriptor =
        ::open(options.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (descriptor < 0) {
        return Error{"cannot open the log file " + options.file + ": " + std::strerror(errno),
                     "make it writable; the log goes on in the file that is open"};
    }
    ::close(descriptor);
    return start(options);
}

void set_level(Level level) {
    state().options.level = level;
    state().logger->set_level(to_spdlog(level));
}

void debug(std::string_view event, Fields fields) {
    write(Level::Debug, event, fields);
}
void info(std::string_view event, Fields fields) {
    write(Level::Info, event, fields);
}
void warning(std::string_view event, Fields fields) {
    write(Level::Warning, event, fields);
}
void error(std::string_view event, Fields fields) {
    write(Level::Error, event, fields);
}

void error(std::string_view event, const Error& cause) {
    if (cause.remedy.empty()) {
        error(event, {{"cause", cause.message}});
    } else {
        error(event, {{"cause", cause.message}, {"remedy", cause.remedy}});
    }
}

}  // namespace pollux::control::log
