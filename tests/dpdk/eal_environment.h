// SPDX-License-Identifier: Apache-2.0
#pragma once

// EAL without hugepages for a whole test program, and pools for its tests. The thread that runs
// the tests plays worker and control core in turn.

#include "dataplane/dpdk/buffer_pools.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/log_capture.h"

namespace pollux::test {

inline constexpr std::uint32_t kDataBuffers = 2047;

// Made on first use.
dpdk::LogCapture& eal_log();
dpdk::BufferPools& eal_pools();

// Buffers not in use, by pool name ("pollux_data_0", "pollux_punt", "pollux_control").
std::uint32_t free_buffers(const char* pool);

}  // namespace pollux::test
