// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one worker owns. Internal to dataplane/lb: the pipeline's stages work on it. Only the
// worker's thread writes; the control thread reads the counters.

#include <array>

#include "dataplane/lb/counter.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/defence.h"
#include "dataplane/lb/ids.h"
#include "dataplane/lb/packet_context.h"
#include "dataplane/lb/shared_state.h"
#include "dataplane/lb/token_bucket.h"
#include "dataplane/lb/zeroed_array.h"

namespace pollux::lb {

struct CounterBlock {
    Counter received, received_bytes, transmitted, punted, originated, parked;
    Counter connections_created, connection_hits, embryonic_evicted;
    std::array<Counter, kDropReasonCount> dropped;
    std::array<Counter, kPuntReasonCount> punted_by_reason;
};

// Aligned like its packet contexts: clang refuses less than a member asks for, GCC says nothing.
struct alignas(alignof(BurstMemory)) Worker::Impl {
    Impl(SharedState& state, WorkerId worker)
        : shared(state),
          id(worker),
          fragments(state.limits.max_fragments / state.limits.workers),
          traffic(state.limits.max_servers) {}

    SharedState& shared;
    const WorkerId id;
    PacketSource source;
    PacketDropper dropper;
    FragmentTable fragments;
    TokenBucket answers;                 // our own ICMP messages
    std::uint16_t next_ip_id = 1;        // of packets that we make
    std::uint32_t next_fragment_id = 1;  // IPv6
    alignas(64) CounterBlock counters;
    ZeroedArray<TrafficCounters> traffic;  // by RealServerId
    BurstMemory memory;

    [[nodiscard]] Participant self() const noexcept { return participant(id); }
};

}  // namespace pollux::lb
