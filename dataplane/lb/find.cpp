// SPDX-License-Identifier: Apache-2.0

// Stage 2: brings the index slots and the connection records of a burst into the cache.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

void find_connections(Burst& burst) noexcept {
    BurstMemory& memory = burst.memory;
    bool elsewhere = false;
    for (const std::uint8_t at : memory.flows) {
        burst.table.find_candidate(burst.packet(at).lookup);
        elsewhere |= burst.packet(at).lookup.elsewhere;
    }
    if (!elsewhere) return;
    for (const std::uint8_t at : memory.flows) {
        if (burst.packet(at).lookup.elsewhere) burst.table.find_elsewhere(burst.packet(at).lookup);
    }
}

}  // namespace pollux::lb
