// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "control/ipvs/counter_baseline.h"
#include "control/ipvs/rate_estimator.h"

namespace pollux::control::ipvs {
namespace {

std::vector<lb::ServiceView> views_with(std::uint64_t connections, std::uint64_t bytes) {
    lb::ServiceView view;
    view.spec.address = *net::IpAddress::parse("10.1.0.10");
    view.spec.port = 80;
    view.connections = view.packets_in = connections;
    view.bytes_in = bytes;
    lb::ServerView server;
    server.address = *net::IpAddress::parse("10.2.0.1");
    server.connections = server.packets_in = connections;
    server.bytes_in = bytes;
    view.servers.push_back(server);
    return {view};
}

TEST(RateEstimator, ApproachesASteadyRate) {
    RateEstimator estimator;
    std::uint64_t total = 0;
    for (int sample = 0; sample < 40; ++sample) {
        total += 200;  // in two seconds
        estimator.sample(views_with(total, total * 50));
    }
    const ServiceRates rates = estimator.rates(views_with(total, total * 50)).at(0);
    EXPECT_EQ(rates.service.connections, 100U);
    EXPECT_EQ(rates.service.bytes_in, 5000U);
    EXPECT_EQ(rates.servers.at(0).packets_in, 100U);
}

// By the rule: a quarter of 100 after the first sample, then a quarter of the rest.
TEST(RateEstimator, GivesTheLatestSampleAQuarter) {
    RateEstimator estimator;
    estimator.sample(views_with(200, 0));
    EXPECT_EQ(estimator.rates(views_with(200, 0)).at(0).service.connections, 25U);
    estimator.sample(views_with(400, 0));
    EXPECT_EQ(estimator.rates(views_with(400, 0)).at(0).service.connections, 44U);
    estimator.sample(views_with(400, 0));
    EXPECT_EQ(estimator.rates(views_with(400, 0)).at(0).service.connections, 33U);
}

TEST(RateEstimator, ForgetsWhatARoundDidNotTake) {
    RateEstimator estimator;
    const auto views = views_with(200, 0);
    estimator.sample(views);
    estimator.begin_round();
    estimator.end_round();
    EXPECT_EQ(estimator.rates(views).at(0).service.connections, 0U);
    EXPECT_EQ(estimator.rates(views).at(0).servers.at(0).connections, 0U);
}

TEST(RateEstimator, CountersSetToZeroDoNotGiveHugeRates) {
    RateEstimator estimator;
    estimator.sample(views_with(1000000, 0));
    for (int sample = 0; sample < 60; ++sample) estimator.sample(views_with(0, 0));
    EXPECT_EQ(estimator.rates(views_with(0, 0)).at(0).service.connections, 0U);
}

TEST(CounterBaseline, CountsFromZeroOn) {
    CounterBaseline baseline;
    baseline.zero(views_with(100, 4000), nullptr);

    const auto shown = baseline.adjusted(views_with(130, 5000));

    EXPECT_EQ(shown.at(0).connections, 30U);
    EXPECT_EQ(shown.at(0).bytes_in, 1000U);
    EXPECT_EQ(shown.at(0).servers.at(0).packets_in, 30U);
}

TEST(CounterBaseline, OneServiceLeavesTheOthersAlone) {
    CounterBaseline baseline;
    lb::ServiceSpec other;
    other.address = *net::IpAddress::parse("10.1.0.11");
    other.port = 80;
    baseline.zero(views_with(100, 4000), &other);

    EXPECT_EQ(baseline.adjusted(views_with(130, 5000)).at(0).connections, 130U);
}

TEST(CounterBaseline, ServiceMadeAnewIsShownAsItIs) {
    CounterBaseline baseline;
    baseline.zero(views_with(100, 4000), nullptr);

    EXPECT_EQ(baseline.adjusted(views_with(7, 300)).at(0).connections, 7U);
}

}  // namespace
}  // namespace pollux::control::ipvs
