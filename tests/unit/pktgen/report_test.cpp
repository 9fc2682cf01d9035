// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/report.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/unit/pktgen/balancer_wire.h"

namespace pollux::pktgen {
namespace {

using nlohmann::json;

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

Plan plan() {
    return test::small_plan(lb::ForwardingMethod::Nat, Kind::Udp);
}

// 1000 frames offered in a second, of which so many did not arrive.
Trial trial(std::uint64_t lost, double asked = 1000) {
    Trial result;
    result.rate = asked;
    result.reached = 1000;
    result.elapsed = std::chrono::seconds(1);
    result.counts.offered[0] = 1000;
    result.counts.arrived[0] = 1000 - lost;
    result.counts.by_server = {1000 - lost, 0};
    result.throughput = static_cast<double>(1000 - lost);
    for (std::uint64_t i = 0; i < 1000 - lost; ++i) result.counts.latency.record(i * 1000);
    return result;
}

Outcome outcome_of(std::vector<Trial> trials) {
    Outcome outcome;
    outcome.trials = std::move(trials);
    return outcome;
}

TEST(PktgenReport, ARunPassesOnlyWhenEverythingArrived) {
    EXPECT_TRUE(outcome_of({trial(0)}).passed(Mode::Run));
    EXPECT_FALSE(outcome_of({trial(1)}).passed(Mode::Run));
    EXPECT_FALSE(outcome_of({}).passed(Mode::Run));
    Outcome stopped = outcome_of({trial(0)});
    stopped.stopped = true;
    EXPECT_FALSE(stopped.passed(Mode::Run));
}

TEST(PktgenReport, WrongFramesFailWhateverElseIsTrue) {
    Outcome outcome = outcome_of({trial(0)});
    outcome.ndr = 1000;
    EXPECT_TRUE(outcome.passed(Mode::Search));
    outcome.trials[0].counts.add(Finding::BadChecksum);
    EXPECT_FALSE(outcome.passed(Mode::Run));
    EXPECT_FALSE(outcome.passed(Mode::Search));
    const std::string text = summary_text(plan(), Mode::Run, outcome);
    EXPECT_TRUE(holds(text, "bad-checksum   1"));
    EXPECT_TRUE(holds(text, "FAILED: the balancer forwards frames wrong"));
}

TEST(PktgenReport, ForeignFramesAreNoMistake) {
    Outcome outcome = outcome_of({trial(0)});
    outcome.trials[0].counts.add(Finding::Foreign);
    outcome.trials[0].counts.add(Finding::Late);
    EXPECT_TRUE(outcome.passed(Mode::Run));
}

TEST(PktgenReport, SaysWhenTheGeneratorWasHeldUp) {
    EXPECT_TRUE(trial(0, 1010).is_offered());
    EXPECT_FALSE(trial(0, 1100).is_offered());
    EXPECT_TRUE(holds(trial_line(trial(0, 1100)), "not offered"));
    EXPECT_TRUE(holds(summary_text(plan(), Mode::Run, outcome_of({trial(0, 1100)})),
                      "offered less than asked"));
}

TEST(PktgenReport, SearchTellsBothRatesAndTheWireTheyFill) {
    Outcome outcome = outcome_of({trial(0)});
    outcome.ndr = 14.88e6;
    outcome.pdr = std::nullopt;
    const std::string text = summary_text(plan(), Mode::Search, outcome);
    // 64 bytes and 20 of preamble and gap: 14.88 million of them fill 10 Gbit/s.
    EXPECT_TRUE(holds(text, "NDR: 14.880 M frames/s in each direction, 9.999 Gbit/s")) << text;
    EXPECT_TRUE(holds(text, "PDR: none"));
}

TEST(PktgenReport, JsonHasWhatWasCounted) {
    Outcome outcome = outcome_of({trial(10)});
    outcome.ndr = 900;
    const json value = json::parse(to_json(plan(), Mode::Search, outcome));
    EXPECT_EQ(value.at("program"), "pollux-pktgen");
    EXPECT_EQ(value.at("ndr"), 900);
    EXPECT_TRUE(value.at("pdr").is_null());
    const json& first = value.at("trials").at(0);
    EXPECT_EQ(first.at("lost"), 10);
    EXPECT_DOUBLE_EQ(first.at("loss"), 0.01);
    EXPECT_EQ(first.at("servers").at(0).at("address"), "10.9.0.11");
    EXPECT_EQ(first.at("servers").at(0).at("frames"), 990);
    EXPECT_EQ(first.at("latency").at("count"), 990);
    EXPECT_NEAR(first.at("latency").at("p50").get<double>(), 495e3, 495e3 / 64);
    std::uint64_t sum = 0;
    for (const json& bucket : first.at("latency").at("buckets")) {
        sum += bucket.at(1).get<std::uint64_t>();
    }
    EXPECT_EQ(sum, 990U);
    EXPECT_FALSE(json::parse(to_json(plan(), Mode::Run, outcome)).contains("ndr"));
}

}  // namespace
}  // namespace pollux::pktgen
