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

// Of at least one sample. Percentiles are samples, not interpolations.
inline Measured summarize(std::vector<double> costs) {
    std::sort(costs.begin(), costs.end());
    return {costs.front(), costs[costs.size() / 10], costs[costs.size() / 2]};
}

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
    return summarize(std::move(costs));
}

// Cycles of one step of a chain of `steps` dependent multiplications: 3 when the core runs at the
// counter's frequency, less when it runs faster.
inline double multiplication_chain(unsigned steps) {
    std::uint64_t value = 3;
    const std::uint64_t begin = __rdtsc();
    for (unsigned i = 0; i < steps; ++i) {
        value *= 0x9e3779b97f4a7c15ULL;
        __asm__ volatile("" : "+r"(value));
    }
    return static_cast<double>(__rdtsc() - begin) / steps;
}

inline double calibrate() {
    std::vector<double> costs;
    for (unsigned i = 0; i < 200; ++i) costs.push_back(multiplication_chain(4096));
    return summarize(std::move(costs)).p10;
}

}  // namespace pollux::bench
