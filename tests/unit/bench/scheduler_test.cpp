// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gtest/gtest.h>

#include "tools/bench/scheduler_bench.h"

namespace pollux::bench {
namespace {

const SchedulerFigure& find(const std::vector<SchedulerFigure>& figures, std::string_view name) {
    return *std::find_if(figures.begin(), figures.end(),
                         [name](const SchedulerFigure& figure) { return figure.name == name; });
}

TEST(BenchScheduler, EveryOneIsMeasured) {
    const auto figures = measure_schedulers(8, 10);
    EXPECT_EQ(figures.size(), 14U);
    for (const SchedulerFigure& figure : figures) {
        EXPECT_GT(figure.choice.p10, 0) << figure.name;
        EXPECT_GT(figure.build_us, 0) << figure.name;
    }
    EXPECT_NE(scheduler_text(figures).find("twos"), std::string::npos);
}

// Maglev (Eisenbud et al., NSDI 2016, section 5.3): few others move. LVS's sh deals the table anew.
TEST(BenchScheduler, MaglevMovesFewClientsAndSourceHashingMost) {
    const auto figures = measure_schedulers(16, 10);
    const SchedulerFigure& mh = find(figures, "mh");
    const SchedulerFigure& sh = find(figures, "sh");
    EXPECT_GT(mh.moved_by_leave, 0);
    EXPECT_LT(mh.moved_by_leave, 0.15);
    EXPECT_LT(mh.moved_by_join, 0.15);
    EXPECT_GT(sh.moved_by_leave, 0.3);
    EXPECT_FALSE(find(figures, "rr").is_bound_to_client);
}

}  // namespace
}  // namespace pollux::bench
