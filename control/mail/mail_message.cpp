// SPDX-License-Identifier: Apache-2.0
#include "control/mail/mail_message.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace pollux::control {
namespace {

constexpr std::string_view kEnd = "\r\n";
// Of a header's text, before it is cut off.
constexpr std::size_t kMaxHeaderText = 200;
// Of a body line (RFC 5322 section 2.1.1 allows 998 bytes without CR LF).
constexpr std::size_t kMaxLine = 900;

// English whatever the locale says.
constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm utc(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return parts;
}

// "Mon, 30 Nov 2026 14:00:05 +0000".
std::string mail_date(std::chrono::system_clock::time_point time) {
    const std::tm parts = utc(time);
    char text[64];
    std::snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d +0000",
                  kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                  kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                  parts.tm_hour, parts.tm_min, parts.tm_sec);
    return text;
}

// "2026-11-30 14:00:05 UTC".
std::string line_time(std::chrono::system_clock::time_point time) {
    const std::tm parts = utc(time);
    char text[64];
    const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return {text, length};
}

std::string header(std::string_view name, std::string_view text) {
    return std::string(name) + ": " + plain_text(text).substr(0, kMaxHeaderText) +
           std::string(kEnd);
}

std::string headers(const EmailConfig& config, std::string_view subject, const MailStamp& stamp) {
    const auto since = stamp.time.time_since_epoch();
    const auto at = config.from.rfind('@');
    const std::string domain = at == std::string::npos ? "pollux" : config.from.substr(at + 1);
    std::string text = header("From", "<" + config.from + ">");
    text += "To: ";
    for (std::size_t i = 0; i < config.to.size(); ++i) {
        if (i > 0) text += "," + std::string(kEnd) + "    ";
        text += "<" + plain_text(config.to[i]).substr(0, kMaxHeaderText) + ">";
    }
    text += kEnd;
    text += header("Date", mail_date(stamp.time));
    text += header("Message-ID", "<" + std::to_string(since.count()) + "." +
                                     std::to_string(stamp.number) + "@" + domain + ">");
    text += header("Subject", subject);
    text += header("X-Mailer", "Pollux");
    text += header("Auto-Submitted", "auto-generated");
    text += header("MIME-Version", "1.0");
    text += header("Content-Type", "text/plain; charset=us-ascii");
    return text + std::string(kEnd);
}

std::string body_line(std::string_view text) {
    const std::string plain = plain_text(text);
    std::string lines;
    for (std::size_t i = 0; i < plain.size(); i += kMaxLine) {
        if (i > 0) lines += "    ";
        lines += plain.substr(i, kMaxLine) + std::string(kEnd);
    }
    return lines.empty() ? std::string(kEnd) : lines;
}

std::string headline(const Event& event) {
    std::string text = std::string(to_string(event.kind)) + " " + event.subject;
    if (!event.after.empty()) text += ": " + event.after;
    return text;
}

std::string event_lines(const Event& event) {
    std::string change = event.after;
    if (!event.before.empty()) change = event.before + " -> " + change;
    return body_line(line_time(event.time) + "  " + std::string(to_string(event.kind)) + " " +
                     event.subject + "  " + change) +
           (event.cause.empty() ? std::string() : body_line("    " + event.cause));
}

}  // namespace

std::string plain_text(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string plain;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\') {
            plain += c;
        } else {
            plain += "\\x";
            plain += kDigits[byte >> 4U];
            plain += kDigits[byte & 15U];
        }
    }
    return plain;
}

bool is_mail_address(std::string_view address) {
    const auto at = address.find('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == address.size()) return false;
    return std::ranges::all_of(
               address,
               [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '>'; }) &&
           address.find('@', at + 1) == std::string_view::npos;
}

std::string event_mail(const EmailConfig& config, const std::string& router_id,
                       const MailBatch& batch, const MailStamp& stamp) {
    const bool one = batch.events.size() == 1 && batch.lost == 0;
    const std::string subject = "[" + router_id + "] " +
                                (one ? headline(batch.events.front())
                                     : std::to_string(batch.events.size()) +
                                           " events, last: " + headline(batch.events.back()));
    std::string text = headers(config, subject, stamp);
    for (const Event& event : batch.events) text += event_lines(event);
    if (batch.lost > 0) {
        text += body_line(std::to_string(batch.lost) +
                          " older events found no room in the queue (queue_limit)");
    }
    return text;
}

std::string test_mail(const EmailConfig& config, const std::string& router_id,
                      const MailStamp& stamp) {
    return headers(config, "[" + router_id + "] test mail", stamp) +
           body_line("This is the test mail of Pollux on " + router_id + " (pollux test-mail).");
}

}  // namespace pollux::control
