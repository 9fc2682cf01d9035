// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/plots.h"

#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>

namespace pollux::bench {
namespace {

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

Figure pipeline_figure(const char* method, std::uint64_t connections, double p10) {
    Figure figure;
    figure.what = "pipeline";
    figure.method = method;
    figure.direction = "forward";
    figure.family = "v4";
    figure.connections = connections;
    figure.cost = {p10, p10, p10};
    figure.goal = 70;
    return figure;
}

const Series* find_series(const Chart& chart, std::string_view panel, std::string_view label) {
    for (const Panel& each : chart.panels) {
        for (const Series& series : each.series) {
            if (each.title == panel && series.label == label) return &series;
        }
    }
    return nullptr;
}

TEST(PipelineChart, DrawsFiguresBesideGoalsAndPeers) {
    const Report report{{"a processor", 2.5, 1.0, 2},
                        {pipeline_figure("nat", 1'000'000, 92), pipeline_figure("nat", 1'000, 57)}};
    const auto chart = pipeline_chart(report);
    ASSERT_TRUE(chart);
    using Points = std::vector<std::pair<double, double>>;
    const Series* measured = find_series(*chart, "NAT", "to the server");
    ASSERT_NE(measured, nullptr);
    EXPECT_EQ(measured->points, (Points{{1e3, 57}, {1e6, 92}}));
    const Series* goal = find_series(*chart, "NAT", "goal");
    ASSERT_NE(goal, nullptr);
    EXPECT_EQ(goal->points, (Points{{1e3, 70}, {1e5, 80}, {1e6, 105}, {1e7, 165}}));
    EXPECT_EQ(goal->stroke, Stroke::Dashed);
    // docs/benchmarking.md names these figures of peers.
    const Series* peer = find_series(*chart, "NAT", "DPVS");
    ASSERT_NE(peer, nullptr);
    EXPECT_EQ(peer->points, (Points{{1e3, 320}, {64e3, 890}}));
    EXPECT_EQ(find_series(*chart, "DR", "to the server"), nullptr);
}

TEST(PipelineChart, NeedsAFigure) {
    EXPECT_FALSE(pipeline_chart(Report{}));
}

TEST(SvgChart, LabelsDoNotTouch) {
    Chart chart;
    chart.x = {"x", 0, 1, false, {}};
    chart.y = {"y", 0, 100, false, {}};
    Panel panel;
    for (int i = 0; i < 6; ++i) {
        panel.series.push_back(
            {"label" + std::to_string(i), "#000", Stroke::Solid, {{1, 0.1 * i}}});
    }
    chart.panels.push_back(panel);
    const std::string svg = render_svg(chart);
    std::vector<double> places;
    for (std::size_t at = 0; (at = svg.find(">label", at)) != std::string::npos; ++at) {
        const std::size_t y = svg.rfind(" y=\"", at) + 4;
        places.push_back(std::stod(svg.substr(y)));
    }
    ASSERT_EQ(places.size(), 6U);
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); ++i) EXPECT_GE(places[i] - places[i - 1], 13.9);
}

TEST(SvgChart, LogarithmicAxesSpaceDecadesEqually) {
    Chart chart;
    chart.x = {"x", 1, 100, true, decade_ticks(1, 100, true)};
    chart.y = {"y", 1, 2, false, {}};
    chart.panels.push_back({"", {{"", "#000", Stroke::Solid, {{1, 1}, {10, 1}, {100, 1}}}}});
    const std::string svg = render_svg(chart);
    const std::size_t points = svg.find(" points=\"") + 9;
    double a = 0, b = 0, c = 0, y = 0;
    ASSERT_EQ(std::sscanf(svg.c_str() + points, "%lf,%lf %lf,%lf %lf,", &a, &y, &b, &y, &c), 5);
    EXPECT_NEAR(b - a, c - b, 0.11);
}

TEST(SvgChart, EscapesMarkup) {
    EXPECT_EQ(escape_markup("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
}

TEST(SvgChart, TicksAreRound) {
    const auto ticks = linear_ticks(87, 5);
    EXPECT_EQ(ticks.back().second, "80");
    EXPECT_EQ(short_number(250'000), "250 k");
    EXPECT_EQ(decade_ticks(40, 2500, false).front().second, "50");
    EXPECT_EQ(decade_ticks(800, 14e6, true).size(), 5U);
}

Result<GeneratorRun> through_file(const std::string& text) {
    const std::string name = ::testing::TempDir() + "pollux-bench-generator.json";
    std::ofstream(name) << text;
    Result<GeneratorRun> run = read_generator_run(name);
    std::remove(name.c_str());
    return run;
}

constexpr const char* kRun = R"({"program": "pollux-pktgen",
 "traffic": {"description": "udp & more"}, "ndr": 2000.0, "pdr": null, "trials": [
 {"rate": 9000, "throughput": 8000, "loss": 0.1, "lost": 5,
  "latency": {"count": 1, "buckets": [[999, 1]]}},
 {"rate": 2000, "throughput": 2000, "loss": 0, "lost": 0,
  "latency": {"count": 4, "buckets": [[1000, 3], [5000, 1]]}}]})";

TEST(GeneratorRuns, TheFastestTrialWithoutLossGivesTheLatency) {
    const auto run = through_file(kRun);
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_EQ(run->ndr, 2000);
    EXPECT_EQ(run->pdr, std::nullopt);
    EXPECT_EQ(run->trials.size(), 2U);
    EXPECT_EQ(run->latency, (std::vector<std::pair<double, double>>{{0.75, 1000}, {1, 5000}}));
    const auto chart = rate_chart({*run});
    ASSERT_TRUE(chart);
    EXPECT_EQ(chart->panels[0].series[0].points.front(), (std::pair<double, double>{2000, 0}));
}

TEST(GeneratorRuns, OtherFilesAreRefused) {
    EXPECT_FALSE(through_file("{}"));
    EXPECT_FALSE(through_file(R"({"program": "pollux-bench"})"));
}

TEST(HtmlReport, NeedsNothingFromElsewhere) {
    const Report report{{"a <processor>", 2.5, 1.0, 2}, {pipeline_figure("nat", 1'000, 57)}};
    const auto run = through_file(kRun);
    ASSERT_TRUE(run);
    const std::string page = render_html(report, {*run});
    EXPECT_TRUE(holds(page, "<svg"));
    EXPECT_TRUE(holds(page, "a &lt;processor&gt;"));
    EXPECT_TRUE(holds(page, "udp &amp; more"));
    for (const char* outside : {"src=", "href=", "@import", "url("}) {
        EXPECT_FALSE(holds(page, outside)) << outside;
    }
    EXPECT_TRUE(holds(page, "class=\"met\""));
}

}  // namespace
}  // namespace pollux::bench
