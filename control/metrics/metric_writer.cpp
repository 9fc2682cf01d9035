// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/metric_writer.h"

#include <array>
#include <charconv>
#include <utility>

namespace pollux::control {
namespace {

constexpr std::string_view kPrefix = "pollux_";
constexpr std::string_view kTotal = "_total";

template <typename Number>
void append_number(std::string& text, Number value) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text.append(digits.data(), end);
}

}  // namespace

std::string_view content_type(MetricsFormat format) {
    return format == MetricsFormat::OpenMetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string escape_label(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f) {
            escaped += "\\\\x";
            escaped += kDigits[byte >> 4U];
            escaped += kDigits[byte & 15U];
            continue;
        }
        if (c == '\\' || c == '"') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

// OpenMetrics names a counter's family without the suffix of its samples.
void MetricWriter::family(MetricType type, std::string_view name, std::string_view help) {
    name_ = std::string(kPrefix) + std::string(name);
    std::string named = name_;
    if (type == MetricType::Counter && format_ == MetricsFormat::OpenMetrics) {
        named.resize(named.size() - kTotal.size());
    }
    text_ += "# HELP " + named + " " + std::string(help) + "\n";
    text_ += "# TYPE " + named + (type == MetricType::Counter ? " counter\n" : " gauge\n");
}

void MetricWriter::begin_sample(Labels labels) {
    text_ += name_;
    char separator = '{';
    for (const auto& [name, value] : labels) {
        text_ += separator;
        text_ += name;
        text_ += "=\"";
        text_ += escape_label(value);
        text_ += '"';
        separator = ',';
    }
    text_ += labels.size() == 0 ? " " : "} ";
}

void MetricWriter::sample(Labels labels, std::uint64_t value) {
    begin_sample(labels);
    append_number(text_, value);
    text_ += '\n';
}

void MetricWriter::sample(Labels labels, double value) {
    begin_sample(labels);
    append_number(text_, value);
    text_ += '\n';
}

void MetricWriter::counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(MetricType::Counter, name, help);
    sample({}, value);
}

void MetricWriter::gauge(std::string_view name, std::string_view help, double value) {
    family(MetricType::Gauge, name, help);
    sample({}, value);
}

std::string MetricWriter::finish() && {
    if (format_ == MetricsFormat::OpenMetrics) text_ += "# EOF\n";
    return std::move(text_);
}

}  // namespace pollux::control
