// SPDX-License-Identifier: Apache-2.0
#pragma once

// Burst: what the stages of Worker::process_burst hand on to each other. Internal to dataplane/lb.
// Each stage is one function over the burst or over a list of its packets, so that the cache lines
// which one stage prefetches have arrived in the next.

#include <span>

#include "dataplane/lb/packet_context.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/lb/tick.h"
#include "dataplane/lb/worker_impl.h"

namespace pollux::lb {

// The service of the burst's latest new flow: the next one often asks for the same.
struct ServiceMemo {
    FlowKey key;
    ServiceId service = kNoService;
};

struct Burst {
    Burst(Worker::Impl& own, TimePoint time, ExtraPackets& further) noexcept
        : worker(own),
          memory(own.memory),
          snapshot(*own.shared.snapshot.read()),
          table(own.shared.connections),
          extra(further),
          now(time),
          tick(to_tick(time)),
          defence(own.shared.defence.read()),
          evicting(own.shared.limits.evict_embryonic) {}

    Worker::Impl& worker;
    BurstMemory& memory;
    const Snapshot& snapshot;
    ConnectionTable& table;
    ExtraPackets& extra;
    const TimePoint now;
    const Tick tick;
    const DefenceLevel defence;
    bool inserted = false;   // the burst has brought new connections
    bool gathering = false;  // new connections wait in memory.openings
    // Half-open connections make room. False: they are not to, or none was found that may.
    bool evicting;
    ServiceMemo memo;
    unsigned sent = 0;        // received packets that go out again
    unsigned next_place = 0;  // in `memory`, for a fragment that had waited

    [[nodiscard]] PacketContext& packet(unsigned at) noexcept { return memory.packets[at]; }
};

// Stages, in this order.
// ----------------------------------------------------------------------------

// Counts each packet as received, parses it and sorts it into memory.flows or memory.others, or
// gives it its verdict.
void classify(Burst& burst, std::span<Packet> packets) noexcept;

// Makes the key and prefetches its bucket. Precondition: the packet has ports.
void prepare_flow(Burst& burst, unsigned at) noexcept;

// Parses a packet that waited as a fragment again. False: it is no longer what it was.
bool reparse(PacketContext& context) noexcept;

// Brings the connection records of memory.flows into the cache.
void find_connections(Burst& burst) noexcept;

// Tracks each of memory.flows, gathers new connections, and sorts the rest into memory.to_server
// and to_client.
void track_connections(Burst& burst) noexcept;

// Inserts the connections that were gathered and goes on with their packets.
void open_gathered(Burst& burst) noexcept;

// ICMP, fragments and whatever else classify has put into memory.others.
void handle_others(Burst& burst) noexcept;

// Rewrites and sends.
void forward(Burst& burst) noexcept;

// Verdicts. Each packet gets exactly one of them (decision D10). ----------------------------------

inline void drop(Burst& burst, PacketContext& context, DropReason reason) noexcept {
    context.packet->verdict = Verdict::Drop;
    context.packet->drop_reason = reason;
    burst.worker.counters.dropped[static_cast<std::size_t>(reason)].add(1);
}

inline void punt(Burst& burst, PacketContext& context, PuntReason reason) noexcept {
    context.packet->verdict = Verdict::Punt;
    context.packet->punt_reason = reason;
    burst.worker.counters.punted.add(1);
    burst.worker.counters.punted_by_reason[static_cast<std::size_t>(reason)].add(1);
}

}  // namespace pollux::lb
