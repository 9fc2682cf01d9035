// SPDX-License-Identifier: Apache-2.0
#pragma once

// The charts of results: cost against connections for each forwarding method beside its goal and
// what peers cost, schedulers, and pollux-pktgen's latencies and rates. Pure.

#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/bench/figure.h"
#include "tools/bench/svg_chart.h"

namespace pollux::bench {

// The headline picture. Nothing when the report has no pipeline figure.
[[nodiscard]] std::optional<Chart> pipeline_chart(const Report& report);

// What is drawn of a pollux-pktgen result.
struct GeneratorRun {
    struct Point {
        double rate = 0, throughput = 0;  // frames a second: asked for, arrived
        double loss = 0;
    };
    std::string description;
    std::vector<Point> trials;
    // Of the fastest trial without loss, else of the first: nanoseconds by share of the frames.
    std::vector<std::pair<double, double>> latency;
    std::optional<double> ndr, pdr;
};
// Errors: not readable, not a result of pollux-pktgen.
[[nodiscard]] Result<GeneratorRun> read_generator_run(const std::string& file);

[[nodiscard]] std::optional<Chart> latency_chart(const std::vector<GeneratorRun>& runs);
[[nodiscard]] std::optional<Chart> rate_chart(const std::vector<GeneratorRun>& runs);

// A page without external resources: machine, charts, figures beside their goals.
[[nodiscard]] std::string render_html(const std::optional<Report>& report,
                                      const std::vector<GeneratorRun>& runs);

}  // namespace pollux::bench
