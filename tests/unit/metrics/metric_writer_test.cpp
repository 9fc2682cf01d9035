// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/metric_writer.h"

#include <gtest/gtest.h>

namespace pollux::control {
namespace {

std::string sample_text(MetricsFormat format) {
    MetricWriter out(format);
    out.family(MetricType::Counter, "things_total", "Things.");
    out.sample({{"kind", "a"}, {"name", "b"}}, std::uint64_t{7});
    out.gauge("share", "A share.", 0.25);
    return std::move(out).finish();
}

// Prometheus, "Exposition formats", text-based format.
TEST(MetricWriter, PrometheusNamesTheFamilyAsItsSamples) {
    EXPECT_EQ(sample_text(MetricsFormat::Prometheus),
              "# HELP pollux_things_total Things.\n"
              "# TYPE pollux_things_total counter\n"
              "pollux_things_total{kind=\"a\",name=\"b\"} 7\n"
              "# HELP pollux_share A share.\n"
              "# TYPE pollux_share gauge\n"
              "pollux_share 0.25\n");
}

// OpenMetrics 1.0.0: the suffix is the sample's alone, and the text ends with EOF.
TEST(MetricWriter, OpenMetricsNamesTheFamilyWithoutSuffix) {
    EXPECT_EQ(sample_text(MetricsFormat::OpenMetrics),
              "# HELP pollux_things Things.\n"
              "# TYPE pollux_things counter\n"
              "pollux_things_total{kind=\"a\",name=\"b\"} 7\n"
              "# HELP pollux_share A share.\n"
              "# TYPE pollux_share gauge\n"
              "pollux_share 0.25\n"
              "# EOF\n");
}

TEST(MetricWriter, LargeNumbersAreWrittenInFull) {
    MetricWriter out(MetricsFormat::Prometheus);
    out.counter("bytes_total", "Bytes.", 18446744073709551615U);
    EXPECT_NE(std::move(out).finish().find("pollux_bytes_total 18446744073709551615\n"),
              std::string::npos);
}

TEST(MetricWriter, NoNameCanEndItsLabel) {
    EXPECT_EQ(escape_label("plain 10.0.0.1:80"), "plain 10.0.0.1:80");
    EXPECT_EQ(escape_label("a\"} 1\n# EOF\\"), "a\\\"} 1\\\\x0a# EOF\\\\");
    EXPECT_EQ(escape_label("\x1b[31m\x7f\xc3\xa4"), "\\\\x1b[31m\\\\x7f\\\\xc3\\\\xa4");
    EXPECT_EQ(escape_label(std::string_view("\0", 1)), "\\\\x00");
}

}  // namespace
}  // namespace pollux::control
