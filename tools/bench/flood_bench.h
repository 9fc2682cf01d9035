// SPDX-License-Identifier: Apache-2.0
#pragma once

// A SYN flood from ever new clients beside established traffic: what it costs, what became of the
// SYNs, and whether every established connection lives on.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/bench/options.h"
#include "tools/bench/sampler.h"

namespace pollux::bench {

struct FloodFigure {
    std::string method, family;
    std::uint64_t connections = 0;  // established
    std::uint64_t capacity = 0;     // of the table
    Measured before;                // cycles per established packet
    Measured mixed;                 // per packet while every second one is a SYN of the flood
    Measured after;                 // per established packet, with the flood's remains in the table
    std::uint64_t syns = 0;         // sent
    std::uint64_t opened = 0;       // connections that they opened
    std::uint64_t evicted = 0;      // half-open ones that made room for them
    std::vector<std::pair<std::string, std::uint64_t>> dropped;  // by reason
    // New clients beside the flood, in its second half: SYN, and the ACK four milliseconds later.
    std::uint64_t newcomers = 0, newcomers_established = 0;
    std::uint64_t survived = 0;  // established connections that are still found
    std::string pages;

    // What a SYN of the flood costs: the mixture is half established packets.
    [[nodiscard]] double syn_cost() const { return 2 * mixed.p10 - before.p10; }
};

// Errors: memory; an established packet that did not find its connection during the flood is one,
// too: there is no figure then.
[[nodiscard]] Result<FloodFigure> measure_flood(const Options& options);

[[nodiscard]] std::string flood_text(const FloodFigure& figure);
[[nodiscard]] std::string flood_json(const FloodFigure& figure);

}  // namespace pollux::bench
