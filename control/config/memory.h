// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much memory a configuration asks for. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config.h"

namespace pollux::control {

struct MemoryItem {
    std::string what;  // "connections (1048576)"
    std::uint64_t bytes = 0;
};

// Tables of the data plane: connections, templates, services, servers, fragments.
std::vector<MemoryItem> table_memory(const Config& config);

// Packet buffers of all ports, out of hugepage_mem.
std::uint64_t mbuf_memory(const Config& config);

// "memory: connections 96M, ..., together 110M; packet buffers 42M of 256M\n"
std::string memory_estimate(const Config& config);

}  // namespace pollux::control
