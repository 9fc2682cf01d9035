// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a packet of an established connection costs, what a new connection costs, and what the whole
// life of one costs, each by real packets through the real pipeline.

#include "tools/bench/figure.h"
#include "tools/bench/options.h"

namespace pollux::bench {

// Cycles per packet of options.flows established connections.
// Errors: memory; the data plane did not forward each packet as it must.
[[nodiscard]] Result<Figure> measure_pipeline(const Options& options);

// Cycles per SYN that opens a connection, beside options.flows established ones.
[[nodiscard]] Result<Figure> measure_connect(const Options& options);

// Cycles for a TCP connection from its SYN to its last ACK: 10 packets, or the 6 of the client
// where answers do not pass the balancer; beside options.flows established ones.
[[nodiscard]] Result<Figure> measure_life(const Options& options);

}  // namespace pollux::bench
