// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several workers on one shared table at the same time: does a worker's packet cost more because
// others work, and because a connection's replies arrive on another worker than its requests?

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/bench/options.h"
#include "tools/bench/sampler.h"

namespace pollux::bench {

struct ScaleFigure {
    unsigned workers = 0;
    std::vector<Measured> cost;  // cycles per packet, by worker

    // Mean of the workers' tenth percentiles.
    [[nodiscard]] double mean_p10() const;
};

// One figure for each number of workers from 1 to options.workers. Where replies pass the balancer
// every second worker gets replies only, so that each connection is used by both.
// Errors: memory; packets that were not forwarded.
[[nodiscard]] Result<std::vector<ScaleFigure>> measure_scale(const Options& options);

[[nodiscard]] std::string scale_text(const Options& options,
                                     const std::vector<ScaleFigure>& figures);
[[nodiscard]] std::string scale_json(const Options& options,
                                     const std::vector<ScaleFigure>& figures);

}  // namespace pollux::bench
