// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/options.h"

#include <vector>

#include <gtest/gtest.h>

namespace pollux::bench {
namespace {

constexpr unsigned kAll = ~(Accepts::kJsonFile);

Result<Options> parse(std::vector<std::string_view> arguments, unsigned accepted = kAll) {
    return parse_options(arguments, accepted);
}

TEST(BenchOptions, NoArgumentMeansNatForwardWithAHundredThousandFlows) {
    const Options options = parse({}).value();
    EXPECT_EQ(options.method, lb::ForwardingMethod::Nat);
    EXPECT_EQ(options.travel, Travel::Forward);
    EXPECT_EQ(options.family, net::Family::V4);
    EXPECT_EQ(options.flows, 100'000U);
    EXPECT_EQ(options.burst, 32U);
}

TEST(BenchOptions, ReadsEachKindOfValue) {
    const Options options = parse({"--method", "fnat", "--direction", "reply", "--family", "v6",
                                   "--flows", "42", "--burst", "64", "--json"})
                                .value();
    EXPECT_EQ(options.method, lb::ForwardingMethod::FullNat);
    EXPECT_EQ(options.travel, Travel::Reply);
    EXPECT_EQ(options.family, net::Family::V6);
    EXPECT_EQ(options.flows, 42U);
    EXPECT_EQ(options.burst, 64U);
    EXPECT_TRUE(options.json);
}

TEST(BenchOptions, JsonTakesAFileWhereTheVerbWritesOne) {
    EXPECT_EQ(parse({"--json", "a.json"}, Accepts::kJsonFile).value().json_file, "a.json");
}

TEST(BenchOptions, RefusesWhatItCannotMean) {
    const std::vector<std::vector<std::string_view>> wrong = {
        {"--flows"},                                 // no value
        {"--flows", "0"},                            // below the range
        {"--flows", "50000001"},                     // above it
        {"--flows", "10k"},                          // not a number
        {"--flows", "-1"},                           // not a number of this kind
        {"--burst", "65"},                           // more than the worker takes
        {"--method", "masq"},                        // ipvsadm's word, not ours
        {"--speed", "9"},                            // unknown
        {"--method", "dr", "--direction", "reply"},  // replies do not pass the balancer
    };
    for (const auto& arguments : wrong) {
        EXPECT_FALSE(parse(arguments).ok()) << arguments[0];
    }
}

TEST(BenchOptions, RefusesAnOptionOfAnotherVerb) {
    EXPECT_TRUE(parse({"--life"}, Accepts::kLife).ok());
    EXPECT_TRUE(parse({"--stages"}, Accepts::kStages).value().stages);
    EXPECT_FALSE(parse({"--stages"}, Accepts::kLife).ok());
    EXPECT_FALSE(parse({"--life"}, Accepts::kFlows).ok());
}

}  // namespace
}  // namespace pollux::bench
