// SPDX-License-Identifier: Apache-2.0

// Thousands of random LANs. POLLUX_SIMULATION_SEEDS sets how many (default below),
// POLLUX_SIMULATION_FIRST_SEED where to begin, POLLUX_SIMULATION_TRACE=1 tells what happens: to see
// one failing seed, set the first seed to it, the number to 1 and the trace on.

#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/simulation/world.h"

namespace pollux::vrrp::simulation {
namespace {

constexpr std::uint64_t kDefaultSeeds = 6000;
constexpr std::uint64_t kMutantSeeds = 400;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoull(text);
}

std::string report(const Scenario& scenario, const Violation& violation) {
    return std::string("invariant (") + violation.invariant + ") broken after " +
           std::to_string(static_cast<double>(violation.when.count()) / 1e6) +
           " ms: " + violation.text + "\n" + describe(scenario) +
           "  again: POLLUX_SIMULATION_FIRST_SEED=" + std::to_string(scenario.seed) +
           " POLLUX_SIMULATION_SEEDS=1 POLLUX_SIMULATION_TRACE=1";
}

TEST(VrrpSimulation, InvariantsHoldForEverySeed) {
    const std::uint64_t count = from_environment("POLLUX_SIMULATION_SEEDS", kDefaultSeeds);
    const std::uint64_t first = from_environment("POLLUX_SIMULATION_FIRST_SEED", 1);
    std::ostream* trace = std::getenv("POLLUX_SIMULATION_TRACE") != nullptr ? &std::cout : nullptr;
    Outcome sum;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Scenario scenario = make_scenario(seed);
        const Outcome outcome = simulate(scenario, Mutant::None, trace);
        sum.events += outcome.events;
        sum.frames += outcome.frames;
        sum.transitions += outcome.transitions;
        ASSERT_FALSE(outcome.violation.has_value()) << report(scenario, *outcome.violation);
    }
    std::cout << count << " seeds from " << first << ": " << sum.events << " events, " << sum.frames
              << " frames, " << sum.transitions << " transitions\n";
    EXPECT_GT(sum.transitions, count) << "a simulation in which nothing happens proves nothing";
}

TEST(VrrpSimulation, OneSeedIsOneHistory) {
    for (const std::uint64_t seed : {3U, 17U, 99U}) {
        const Scenario scenario = make_scenario(seed);
        const Outcome once = simulate(scenario, Mutant::None, nullptr);
        const Outcome again = simulate(scenario, Mutant::None, nullptr);
        EXPECT_EQ(once.events, again.events);
        EXPECT_EQ(once.frames, again.frames);
        EXPECT_EQ(once.transitions, again.transitions);
    }
}

struct MutantCase {
    Mutant mutant;
    const char* name;
    char invariant;  // that must find it
};
void PrintTo(const MutantCase& c, std::ostream* out) {
    *out << c.name;
}

class VrrpMutant : public testing::TestWithParam<MutantCase> {};

TEST_P(VrrpMutant, IsFoundByItsInvariant) {
    for (std::uint64_t seed = 1; seed <= kMutantSeeds; ++seed) {
        const Outcome outcome = simulate(make_scenario(seed), GetParam().mutant, nullptr);
        if (!outcome.violation) continue;
        if (outcome.violation->invariant == GetParam().invariant) return;
    }
    FAIL() << GetParam().name << " survived " << kMutantSeeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    All, VrrpMutant,
    testing::Values(MutantCase{Mutant::KeepsAnswering, "KeepsAnswering", 'c'},
                    MutantCase{Mutant::NoLastWord, "NoLastWord", 'h'},
                    MutantCase{Mutant::ForgedMovesTimer, "ForgedMovesTimer", 'j'},
                    MutantCase{Mutant::DeafMaster, "DeafMaster", 'a'},
                    MutantCase{Mutant::NoGroup, "NoGroup", 'd'},
                    MutantCase{Mutant::PreemptsAnyway, "PreemptsAnyway", 'e'},
                    MutantCase{Mutant::ReleasesAtWill, "ReleasesAtWill", 'f'},
                    MutantCase{Mutant::MasterInFault, "MasterInFault", 'b'},
                    MutantCase{Mutant::NeverTakesOver, "NeverTakesOver", 'g'},
                    MutantCase{Mutant::ForgetsToNotify, "ForgetsToNotify", 'i'},
                    MutantCase{Mutant::BackupAdvertises, "BackupAdvertises", 'b'},
                    MutantCase{Mutant::ActsOnReload, "ActsOnReload", 'r'}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace pollux::vrrp::simulation
