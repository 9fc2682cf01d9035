// SPDX-License-Identifier: Apache-2.0
#pragma once

// How pollux-bench measures: many short samples (below 1 ms) by the time-stamp counter, of which
// the tenth percentile is reported, because neighbours on the machine only ever add time. The
// calibration tells how fast the core was at that moment.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <x86intrin.h>

namespace pollux::bench {

// Cycles of the time-stamp counter for one unit of work.
struct Measured {
    double minimum = 0;
    double p10 = 0;
    double median = 0;
};

// Runs `sample()`, which does `units` units of work, so many times.
template <typename Sample>
Measured measure(unsigned samples, double units, Sample&& sample) {
    std::vector<double> costs;
    costs.reserve(samples);
    for (unsigned i = 0; i < samples; ++i) {
        const std::uint64_t begin = __rdtsc();
        sample();
        costs.push_back(static_cast<double>(__rdtsc() - begin) / units);
    }
    std::sort(costs.begin(), costs.end());
    return {costs.front(), costs[costs.size() / 10], costs[costs.size() / 2]};
}

// Cycles of one step of a chain of dependent multiplications: 3 when the core runs at the counter's
// frequency, less when it runs faster.
inline double calibrate() {
    std::uint64_t value = 3;
    const Measured cost = measure(200, 4096, [&] {
        for (int i = 0; i < 4096; ++i) {
            value *= 0x9e3779b97f4a7c15ULL;
            __asm__ volatile("" : "+r"(value));
        }
    });
    return cost.p10;
}

}  // namespace pollux::bench
