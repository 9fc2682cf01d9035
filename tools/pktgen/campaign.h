// SPDX-License-Identifier: Apache-2.0
#pragma once

// A whole run: resolve, warm up, then one trial or an RFC 2544 search. On the Wire's thread.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/net/result.h"
#include "tools/pktgen/counts.h"
#include "tools/pktgen/plan.h"
#include "tools/pktgen/wire.h"

namespace pollux::pktgen {

enum class Mode : std::uint8_t { Run, Search };

struct Outcome {
    std::vector<Trial> trials;  // in the order of running
    // Of a search: the highest rates, frames a second in each direction.
    std::optional<double> ndr, pdr;
    // Not the balancer but the generator kept the search from going higher.
    bool generator_bound = false;
    unsigned repeated = 0;  // trials that were made again (search.retries)
    bool stopped = false;   // by a signal

    [[nodiscard]] std::uint64_t wrong() const;
    // What the exit status tells: everything arrived (run), an NDR was found (search), nothing was
    // wrong.
    [[nodiscard]] bool passed(Mode mode) const;
};

// `told` hears of each trial as it ends. Errors: nothing was measured.
Result<Outcome> run_campaign(const Plan& plan, Mode mode, Wire& wire,
                             std::span<const net::MacAddress> port_macs,
                             const std::function<void(const Trial&)>& told);

}  // namespace pollux::pktgen
