// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that can be known to be wrong before EAL starts, as EAL reports poorly, may end the
// process, and can be started only once. Pure: options and facts in, the first error out.

#include <cstdint>

#include "dataplane/dpdk/host_facts.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/net/result.h"

namespace pollux::dpdk {

inline constexpr unsigned kMaxWorkers = 64;
inline constexpr unsigned kMaxPorts = 32;

// Errors name the port or key and carry the command or change that helps.
Status check_start(const RuntimeOptions& options, const HostFacts& host);

// Bytes that the packet buffers of these options take, for comparison with the memory given.
std::uint64_t estimate_buffer_bytes(const RuntimeOptions& options);

}  // namespace pollux::dpdk
