// SPDX-License-Identifier: Apache-2.0

// Stage 2: brings the index slots and the connection records of a burst into the cache.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

void find_connections(Burst& burst) noexcept {
    BurstMemory& memory = burst.memory;
    bool elsewhere = false;
    for (const std::uint8_t at : memory.flows) {
        burst.table.find_candidate(memory.lookups[at]);
        elsewhere |= memory.lookups[at].elsewhere;
    }
    if (!elsewhere) return;
    for (const std::uint8_t at : memory.flows) {
        if (memory.lookups[at].elsewhere) burst.table.find_elsewhere(memory.lookups[at]);
    }
}

}  // namespace pollux::lb
