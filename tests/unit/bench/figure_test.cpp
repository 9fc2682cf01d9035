// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/figure.h"

#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>

namespace pollux::bench {
namespace {

Report report_with(double p10) {
    Figure figure;
    figure.what = "pipeline";
    figure.method = "nat";
    figure.direction = "forward";
    figure.family = "v4";
    figure.connections = 1000;
    figure.cost = {p10 - 1, p10, p10 + 1};
    figure.multiplication = 2.5;
    figure.best_multiplication = 2.0;
    figure.goal = 70;
    figure.pages = "normal pages";
    return {{"a processor", 2.5, 1.0, 2}, {figure}};
}

Result<Report> through_file(const std::string& text) {
    const std::string name = ::testing::TempDir() + "pollux-bench-report.json";
    std::ofstream(name) << text;
    Result<Report> report = read_report(name);
    std::remove(name.c_str());
    return report;
}

// DESIGN: the table of goals, docs/benchmarking.md.
TEST(Goals, AreThoseOfTheSizeAtOrAboveTheFlows) {
    const auto goal = [](lb::ForwardingMethod method, std::uint32_t flows) {
        Options options;
        options.method = method;
        options.flows = flows;
        return goal_of("pipeline", options);
    };
    EXPECT_EQ(goal(lb::ForwardingMethod::DirectRouting, 1'000), 60);
    EXPECT_EQ(goal(lb::ForwardingMethod::Nat, 1'001), 80);
    EXPECT_EQ(goal(lb::ForwardingMethod::FullNat, 1'000'000), 110);
    EXPECT_EQ(goal(lb::ForwardingMethod::Tunnel, 10'000'000), 170);
    EXPECT_EQ(goal(lb::ForwardingMethod::Nat, 10'000'001), std::nullopt);
}

TEST(Goals, SixMayCostAQuarterMore) {
    Options options;
    options.flows = 100'000;
    options.family = net::Family::V6;
    EXPECT_EQ(goal_of("pipeline", options), 100);
}

TEST(FigureText, MarksWhatIsOverItsGoal) {
    EXPECT_NE(to_text(report_with(71)).find("over"), std::string::npos);
    EXPECT_EQ(to_text(report_with(70)).find("over"), std::string::npos);
}

TEST(FigureText, TellsHowTheCostGrowsWithTheConnections) {
    Report report = report_with(50);
    EXPECT_EQ(to_text(report).find("growth"), std::string::npos);
    Figure large = report_with(120).figures[0];
    large.connections = 10'000'000;
    large.goal = 165;
    Figure other = large;
    other.method = "dr";  // of no smaller size in this report
    report.figures.push_back(large);
    report.figures.push_back(other);
    const std::string text = to_text(report);
    EXPECT_NE(text.find("growth    nat   forward  v4  from 1000 to 10000000 connections: 2.40 "
                        "times, goal 2.4\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("growth    dr"), std::string::npos) << text;
    report.figures[1].cost.p10 = 125;
    EXPECT_NE(to_text(report).find("2.50 times, goal 2.4  over"), std::string::npos);
}

TEST(FigureText, ShowsTheDisturbanceOfTheClock) {
    EXPECT_NE(to_text(report_with(71)).find("1.25"), std::string::npos);
}

TEST(FigureJson, ComesBackAsItWas) {
    const Report report = report_with(71);
    const Result<Report> back = through_file(to_json(report));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(to_text(back.value()), to_text(report));
}

TEST(FigureJson, AnotherFileIsRefused) {
    EXPECT_FALSE(through_file("{}").ok());
    EXPECT_FALSE(through_file("{\"program\": \"other\"}").ok());
    EXPECT_FALSE(through_file("no JSON").ok());
    EXPECT_FALSE(read_report("/nonexistent/report.json").ok());
}

TEST(Compare, TellsTheChangeOfTheTenthPercentile) {
    EXPECT_NE(compare_text(report_with(100), report_with(90)).find("-10.0%"), std::string::npos);
}

TEST(Compare, LeavesOutWhatOnlyOneHas) {
    Report other = report_with(90);
    other.figures[0].method = "dr";
    EXPECT_EQ(compare_text(report_with(100), other).find('%'), std::string::npos);
}

}  // namespace
}  // namespace pollux::bench
