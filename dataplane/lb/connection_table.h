// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionTable: the one table of all workers and both directions (decision D4). Lock-free:
// lookups write nothing, insertion agrees on one record among racing workers, removed records are
// reused after quiescence. Every call is made by a participant of the Quiescence that is online;
// what a call returns may be used until that participant's next quiescent point.

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/lb/address_table.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/memory_region.h"
#include "dataplane/lb/quiescence.h"

namespace pollux::lb {

// A packet's way through the stages of a batched lookup; the worker's own memory.
struct ConnectionLookup {
    std::uint64_t hash = 0;       // prepare: of the packet's key
    std::uint32_t home = 0;       // prepare: position of the home bucket
    std::uint32_t candidate = 0;  // find_candidate: position to verify; 0: none
    Direction direction = Direction::Forward;
    bool elsewhere = false;  // find_candidate: must look beyond the home bucket
};

struct FoundConnection {
    ConnectionIndex index = kNoConnection;
    Direction direction = Direction::Forward;
    explicit operator bool() const noexcept { return index != kNoConnection; }
};

enum class InsertStatus : std::uint8_t {
    Inserted,
    Exists,       // the forward key is another live connection's: use that one
    ReplyTaken,   // NAT: the server's answers would be those of another live connection
    NoLocalPort,  // FullNAT: no free local address and port among those tried
    IndexFull,    // no slot in any of the candidate buckets
};

struct InsertResult {
    InsertStatus status = InsertStatus::IndexFull;
    ConnectionIndex index = kNoConnection;  // Inserted: ours; Exists, ReplyTaken: the other one
};

// FullNAT: where to look for a free local address and port.
struct LocalPorts {
    LocalAddressId address{};
    std::uint16_t first = 1024, last = 65535;  // host order, inclusive
};

struct ConnectionTableLimits {
    std::uint32_t max_connections = 1U << 20;
    unsigned participants = 2;      // workers and the control core
    double embryonic_share = 0.25;  // of max_connections
    std::array<std::uint64_t, 4> hash_secret{};
};

// Told once for each live connection that leaves the table, by the thread that removed it, while
// the record is still intact: the place to decrement counters and to release the template.
struct RemovalHook {
    void* context = nullptr;
    void (*removed)(void* context, Participant by, ConnectionIndex index,
                    const Connection& connection, ConnectionState last) noexcept = nullptr;
};

class ConnectionTable {
  public:
    // Adds the table's sections to the plan of the memory region.
    static void plan(RegionPlan& plan, const ConnectionTableLimits& limits);

    // `region` was made from a plan with this table's sections and, like the others, outlives it.
    // `servers` and `locals` are indexed by RealServerId and LocalAddressId.
    ConnectionTable(const ConnectionTableLimits& limits, MemoryRegion& region,
                    Quiescence& quiescence, const AddressTable& servers,
                    const AddressTable& locals);
    ~ConnectionTable();
    ConnectionTable(const ConnectionTable&) = delete;
    ConnectionTable& operator=(const ConnectionTable&) = delete;

    // Before the first participant goes online.
    void set_removal_hook(RemovalHook hook) noexcept;

    // Lookup. A burst runs each stage over all its packets before the next stage, so that the lines
    // which one stage prefetches have arrived in the next. Nothing is written.
    // ----------------------

    // Stage 1: hashes the key and prefetches its home bucket.
    void prepare(const FlowKey& key, ConnectionLookup& lookup) const noexcept;
    // Stage 2: looks for the tag in the home bucket and prefetches the candidate's record, or the
    // further buckets when the home bucket says that keys of its own went elsewhere.
    void find_candidate(ConnectionLookup& lookup) const noexcept;
    // Stage 3, only if lookup.elsewhere: looks there and prefetches the candidate's record.
    void find_elsewhere(ConnectionLookup& lookup) const noexcept;
    // Stage 4: compares the whole key. Finds nothing that is not live or has expired at `now`.
    [[nodiscard]] FoundConnection verify(const FlowKey& key, const ConnectionLookup& lookup,
                                         Tick now) const noexcept;

    // All stages for one key (ICMP quotes, fragments, tests).
    [[nodiscard]] FoundConnection find(const FlowKey& key, Tick now) const noexcept;

    // Precondition: `index` came from this table within the present burst.
    [[nodiscard]] Connection& connection(ConnectionIndex index) noexcept;
    [[nodiscard]] const Connection& connection(ConnectionIndex index) const noexcept;

    // Insertion: reserve, init, then one of the inserts; each consumes the reservation, whatever
    // the outcome.
    // ----------------------------------------------------------------------------------------

    // A record of our own, or kNoConnection when the table is full. Prefetches the next one.
    [[nodiscard]] ConnectionIndex reserve(Participant self) noexcept;
    void cancel(Participant self, ConnectionIndex reserved) noexcept;

    // Fetches the buckets of the reply key ahead of `insert`; the connection is initialised.
    void prefetch_reply(ConnectionIndex reserved) const noexcept;

    // Makes the reserved and initialised connection findable under all its keys at once, unless
    // another live connection has one of them. `hash` is that of the forward key (from the lookup).
    // Racing inserts of one key agree on one connection.
    [[nodiscard]] InsertResult insert(Participant self, ConnectionIndex reserved,
                                      std::uint64_t hash, Tick now) noexcept;

    // FullNAT: chooses the local address and port by looking for a reply key that is free; at most
    // kLocalPortTries are tried, beginning at a place given by the hash.
    [[nodiscard]] InsertResult insert_with_local_port(Participant self, ConnectionIndex reserved,
                                                      std::uint64_t hash,
                                                      std::span<const LocalPorts> pool,
                                                      Tick now) noexcept;

    // Removal.
    // ----------------------------------------------------------------------------------------

    // Takes a live connection out (conn_reuse_mode, expire_nodest_conn, an operator). False when
    // another thread did it first: exactly one caller gets true, and the removal hook runs once.
    bool remove(Participant self, ConnectionIndex index) noexcept;

    // Looks at the next `budget` records of the table for expired connections and removes them. Any
    // number of participants may sweep at a time; they share the work. Returns the number removed.
    std::uint32_t sweep(Participant self, Tick now, std::uint32_t budget) noexcept;

    // Embryonic connections
    // ---------------------------------------------------------------------------

    // False when half-open connections have reached their share: ask before reserving one.
    [[nodiscard]] bool may_add_embryonic(Participant self) noexcept;
    // To be called by whoever cleared ConnectionFlag::Embryonic with change_state.
    void count_established(Participant self) noexcept;
    // Makes room: looks at up to `budget` records, in turn, and removes embryonic connections that
    // have been idle for at least `idle`, up to `wanted` of them. Returns the number removed; their
    // records become free after quiescence. Established ones are never touched.
    std::uint32_t reclaim_embryonic(Participant self, Tick now, Ticks idle, std::uint32_t wanted,
                                    std::uint32_t budget) noexcept;

    // Reading by the control core
    // ---------------------------------------------------------------------

    // Calls visit(ConnectionIndex, const Connection&, ConnectionState) for each live connection in
    // positions [first, first + count) and returns the position to go on with, 0 at the end. What
    // is visited stays intact during the call; read what is needed and copy it. Go through a
    // quiescent point between calls, so that a long walk does not hold up reuse.
    template <typename Visit>
    std::uint32_t visit(std::uint32_t first, std::uint32_t count, Visit&& visit) const;

    [[nodiscard]] std::uint64_t size() const noexcept;  // live or being inserted
    [[nodiscard]] std::uint64_t embryonic() const noexcept;
    [[nodiscard]] std::uint32_t capacity() const noexcept;  // max_connections
    [[nodiscard]] std::vector<MemoryAccount> memory() const;
};

}  // namespace pollux::lb
