// SPDX-License-Identifier: Apache-2.0

#include "vrrp/tracking.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace pollux::vrrp {
namespace {

TrackedState script(int weight, bool good, bool reverse = false) {
    return {Fault::TrackScript, weight, reverse, good, 0};
}
TrackedState file(int weight, std::int64_t value, bool reverse = false) {
    return {Fault::TrackFile, weight, reverse, true, value};
}

struct Case {
    const char* name;
    std::uint8_t base;
    bool weights_count;
    std::vector<TrackedState> tracked;
    std::uint8_t priority;
    bool fault;
};
void PrintTo(const Case& c, std::ostream* out) {
    *out << c.name;
}
class Tracking : public testing::TestWithParam<Case> {};

TEST_P(Tracking, GivesPriorityAndFault) {
    const Case& c = GetParam();
    const TrackResult result = evaluate_tracking(c.base, c.weights_count, c.tracked);
    EXPECT_EQ(result.priority, c.priority) << c.name;
    EXPECT_EQ(result.faults.any(), c.fault) << c.name;
}

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    Table, Tracking,
    testing::Values(
        Case{"nothing tracked", 100, true, {}, 100, false},
        Case{"weight 0 good", 100, true, {script(0, true)}, 100, false},
        Case{"weight 0 failed is a fault", 100, true, {script(0, false)}, 100, true},
        Case{"weight 0 reversed", 100, true, {script(0, true, true)}, 100, true},
        Case{"positive weight while good", 100, true, {script(20, true)}, 120, false},
        Case{"positive weight while failed", 100, true, {script(20, false)}, 100, false},
        Case{"negative weight while good", 150, true, {script(-60, true)}, 150, false},
        Case{"negative weight while failed", 150, true, {script(-60, false)}, 90, false},
        Case{"reversed positive", 100, true, {script(20, true, true)}, 80, false},
        Case{"reversed negative", 100, true, {script(-20, false, true)}, 120, false},
        Case{"several add up", 100, true, {script(20, true), script(-5, false)}, 115, false},
        Case{"clamped above", 200, true, {script(253, true)}, 254, false},
        Case{"clamped below", 50, true, {script(-253, false)}, 1, false},
        Case{"the sum is clamped, not each step",
             200,
             true,
             {script(253, true), script(-100, false)},
             254,
             false},
        Case{"owner keeps 255", 255, true, {script(-60, false)}, 255, true},
        Case{"weights off: failed is a fault", 100, false, {script(-60, false)}, 100, true},
        Case{"file weight 0, zero", 100, true, {file(0, 0)}, 100, false},
        Case{"file weight 0, not zero", 100, true, {file(0, 7)}, 100, true},
        Case{"file product", 100, true, {file(2, 10)}, 120, false},
        Case{"file negative", 100, true, {file(1, -30)}, 70, false},
        Case{"file -253 is the lowest", 100, true, {file(1, -253)}, 1, false},
        Case{"file -254 is a fault", 100, true, {file(1, -254)}, 1, true},
        Case{"file weight 254 reversed", 100, true, {file(254, 1, true)}, 1, true},
        Case{"file overflow", 100, true, {file(254, kHuge)}, 254, false},
        Case{"file underflow", 100, true, {file(254, -kHuge)}, 1, true}));

TEST(Damper, NeedsFallFailuresAndRiseSuccessesInARow) {
    Damper damper(2, 3, true);
    const std::vector<bool> results = {false, false, true,  false, false,
                                       false, true,  false, true,  true};
    const std::vector<bool> good = {true, true, true, true, true, false, false, false, false, true};
    for (std::size_t i = 0; i < results.size(); ++i) {
        const bool before = damper.is_good();
        EXPECT_EQ(damper.observe(results[i]), before != good[i]) << i;
        EXPECT_EQ(damper.is_good(), good[i]) << i;
    }
}

TEST(Damper, InitFailStaysFailedUntilRise) {
    Damper damper(2, 1, false);
    EXPECT_FALSE(damper.observe(true));
    EXPECT_TRUE(damper.observe(true));
    EXPECT_TRUE(damper.is_good());
}

}  // namespace
}  // namespace pollux::vrrp
