// SPDX-License-Identifier: Apache-2.0
#pragma once

// MetricWriter: metric families as text, in Prometheus' exposition format 0.0.4 or as OpenMetrics
// 1.0.0. Pure; any thread.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace pollux::control {

enum class MetricsFormat : std::uint8_t { Prometheus, OpenMetrics };
enum class MetricType : std::uint8_t { Counter, Gauge };

// Of a response.
[[nodiscard]] std::string_view content_type(MetricsFormat format);

// A name or value for a label: anything that is not printable ASCII becomes \xNN, then backslash
// and quotation mark are escaped.
[[nodiscard]] std::string escape_label(std::string_view text);

class MetricWriter {
  public:
    using Label = std::pair<std::string_view, std::string_view>;
    using Labels = std::initializer_list<Label>;

    explicit MetricWriter(MetricsFormat format) : format_(format) {}

    // Begins a family; its samples follow before the next one begins. `name` without the prefix
    // "pollux_"; a counter's ends in "_total".
    void family(MetricType type, std::string_view name, std::string_view help);
    void sample(Labels labels, std::uint64_t value);
    void sample(Labels labels, double value);
    // One family with one sample.
    void counter(std::string_view name, std::string_view help, std::uint64_t value);
    void gauge(std::string_view name, std::string_view help, double value);

    [[nodiscard]] std::string finish() &&;

  private:
    void begin_sample(Labels labels);

    MetricsFormat format_;
    std::string name_;  // of the family's samples
    std::string text_;
};

}  // namespace pollux::control
