// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionTable: the one table of all workers and both directions (decision D4). Lock-free:
// lookups write nothing, insertion agrees on one record among racing workers, removed records are
// reused after quiescence. Every call is made by a participant of the Quiescence that is online;
// what a call returns may be used until that participant's next quiescent point.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/lb/address_table.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/connection_traits.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/memory_region.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/record_table.h"

namespace pollux::lb {

// A packet's way through the stages of a batched lookup; the worker's own memory.
struct ConnectionLookup {
    std::uint64_t hash;       // prepare: of the packet's key
    std::uint32_t home;       // prepare: position of the home bucket
    std::uint32_t candidate;  // find_candidate, find_elsewhere: record to verify or kNoCandidate
    std::uint8_t key;         // find_candidate: under which of its keys
    bool elsewhere;           // find_candidate: call find_elsewhere
};

inline constexpr std::uint32_t kNoCandidate = 0xffffffff;

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
    IndexFull,    // no slot in any of the candidate buckets, or no record for a second attempt
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
inline constexpr unsigned kLocalPortTries = 64;

struct ConnectionTableLimits {
    std::uint32_t max_connections = 1U << 20;
    unsigned participants = 2;      // workers and the control core
    double embryonic_share = 0.25;  // of max_connections
    std::array<std::uint64_t, 4> hash_secret{};
};

class ConnectionTable {
  public:
    // Adds the table's sections to the plan of the memory region.
    static void plan(RegionPlan& plan, const ConnectionTableLimits& limits);

    // `region` was made from a plan with this table's sections; like the others it outlives the
    // table. `servers` and `locals` are indexed by RealServerId and LocalAddressId.
    ConnectionTable(const ConnectionTableLimits& limits, MemoryRegion& region,
                    Quiescence& quiescence, const AddressTable& servers,
                    const AddressTable& locals);
    ConnectionTable(const ConnectionTable&) = delete;
    ConnectionTable& operator=(const ConnectionTable&) = delete;

    // Before the first participant goes online.
    void set_removal_hook(RemovalHook hook) noexcept { table_.traits().set_hook(hook); }

    // Lookup. A burst runs each stage over all its packets before the next stage, so that the lines
    // which one stage prefetches have arrived in the next. Nothing is written.

    // Stage 1: hashes the key and prefetches its home bucket.
    void prepare(const FlowKey& key, ConnectionLookup& lookup) const noexcept;
    // Stage 2: looks for the tag in the home bucket and prefetches the candidate's record, or the
    // further buckets when the home bucket says that keys of its own went elsewhere.
    void find_candidate(ConnectionLookup& lookup) const noexcept;
    // Stage 3, when lookup.elsewhere: looks there and prefetches the candidate's record.
    void find_elsewhere(ConnectionLookup& lookup) const noexcept;
    // Stage 4: compares the whole key. Finds nothing that is not live or has expired at `now`.
    [[nodiscard]] FoundConnection verify(const FlowKey& key, const ConnectionLookup& lookup,
                                         Tick now) const noexcept;

    // Whether the record with this state has this key as its key number `which`, live or not: the
    // comparison of stage 4 for a caller that looks at life and time-out itself.
    [[nodiscard]] bool is_of(const Connection& connection, ConnectionState state, unsigned which,
                             const FlowKey& key) const noexcept {
        return table_.traits().has_key(connection, state, which, key);
    }

    // All stages for one key (ICMP quotes, fragments, tests).
    [[nodiscard]] FoundConnection find(const FlowKey& key, Tick now) const noexcept;

    // Precondition: `index` came from this table within the present burst.
    [[nodiscard]] Connection& connection(ConnectionIndex index) noexcept {
        return table_[lb::index(index)];
    }
    [[nodiscard]] const Connection& connection(ConnectionIndex index) const noexcept {
        return table_[lb::index(index)];
    }

    // Insertion: reserve, Connection::init, then one of the inserts, which consumes the reservation
    // whatever the outcome.

    // A record of our own, or kNoConnection when the table is full.
    [[nodiscard]] ConnectionIndex reserve(Participant self) noexcept {
        return ConnectionIndex{table_.reserve(self)};
    }
    void cancel(Participant self, ConnectionIndex reserved) noexcept;

    // Fetches what `insert` will touch, for callers that have something else to do in between:
    // first the reply key's home bucket (nothing to do without one), then, when that has arrived,
    // the further buckets of both keys. The first call returns the hash of the reply key (0: it has
    // none), `hash` is that of the forward key. The record itself is not read, as it may still be
    // on its way.
    std::uint64_t prefetch_reply(const NewConnection& what) const noexcept;
    void prefetch_further(std::uint64_t hash, std::uint64_t reply_hash) const noexcept;

    // FullNAT: the first local address and port that insert_with_local_port will try, so that
    // prefetch_reply knows the reply key.
    static void choose_first_local_port(NewConnection& what, std::uint64_t hash,
                                        std::span<const LocalPorts> pool) noexcept;

    // Makes the connection findable under all its keys at once, unless another live connection has
    // one of them. `hashes`: of the forward key (from the lookup) and, if known, of the reply key
    // (from prefetch_reply). Racing inserts of one key agree on one connection.
    [[nodiscard]] InsertResult insert(Participant self, ConnectionIndex reserved, KeyHashes hashes,
                                      Tick now) noexcept;

    // FullNAT: chooses the local address and port by looking for a reply key that is free; at most
    // kLocalPortTries are tried, beginning at a place given by the hash.
    [[nodiscard]] InsertResult insert_with_local_port(Participant self, ConnectionIndex reserved,
                                                      std::uint64_t hash,
                                                      std::span<const LocalPorts> pool,
                                                      Tick now) noexcept;

    // Removal.

    // Takes a live connection out (conn_reuse_mode, expire_nodest_conn, an operator). False when
    // another thread did it first: exactly one caller gets true, and the removal hook runs once.
    bool remove(Participant self, ConnectionIndex index) noexcept;

    // Looks at the next `budget` records for expired connections and removes them. Any number of
    // participants may sweep at a time; they share the work. Returns the number removed.
    std::uint32_t sweep(Participant self, Tick now, std::uint32_t budget) noexcept;

    // Makes the records that this participant has removed usable again once quiescence has passed.
    // `reserve` and `sweep` do it on their way; a participant that has become idle calls this.
    void recycle(Participant self) noexcept { pool_.recycle(self); }

    // Embryonic connections.

    // False when half-open connections have reached their share: ask before reserving one. Besides
    // those inserted the caller has `waiting` ones to insert.
    [[nodiscard]] bool may_add_embryonic(Participant self, unsigned waiting = 0) noexcept;
    // To be called by whoever cleared ConnectionFlag::Embryonic with change_state, or set it.
    void count_established(Participant self) noexcept { embryonic_[lb::index(self)].subtract(); }
    void count_embryonic(Participant self) noexcept { embryonic_[lb::index(self)].add(); }
    // Makes room: looks at the next `budget` records and removes embryonic connections that have
    // been idle for at least `idle`, up to kReclaimBatch of them. Returns the number removed; their
    // records become free after quiescence. Established connections are never touched. The hand
    // that goes round finds nearly the oldest: records that it has freed are the next to be used,
    // so the youngest lie behind it.
    static constexpr std::uint32_t kReclaimBatch = 16;
    std::uint32_t reclaim_embryonic(Participant self, Tick now, Ticks idle,
                                    std::uint32_t budget) noexcept;

    // Reading by the control core.

    // Calls visit(ConnectionIndex, const Connection&, ConnectionState) for each live connection in
    // positions [first, first + count) and returns the position to go on with, 0 at the end. What
    // is visited stays intact during the call; read what is needed and copy it. Go through a
    // quiescent point between calls, so that a long walk does not hold up reuse.
    template <typename Visit>
    std::uint32_t visit(std::uint32_t first, std::uint32_t count, Visit&& visit) const;

    [[nodiscard]] std::uint64_t size() const noexcept { return pool_.in_use(); }
    [[nodiscard]] std::uint64_t embryonic() const noexcept;
    [[nodiscard]] std::uint64_t embryonic_limit() const noexcept { return embryonic_limit_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return limits_.max_connections; }
    [[nodiscard]] std::uint32_t participants() const noexcept { return limits_.participants; }
    [[nodiscard]] std::vector<MemoryAccount> memory() const;

  private:
    [[nodiscard]] InsertResult result_of(const PublishResult& published) const noexcept;

    ConnectionTableLimits limits_;
    std::uint64_t embryonic_limit_;
    FlowHash hash_;
    std::vector<EmbryonicCount> embryonic_;  // by Participant
    RecordPool pool_;
    RecordTable<ConnectionTraits> table_;
    alignas(64) std::uint64_t sweep_cursor_ = 0;    // atomic
    alignas(64) std::uint64_t reclaim_cursor_ = 0;  // atomic
};

inline void ConnectionTable::prepare(const FlowKey& key, ConnectionLookup& lookup) const noexcept {
    lookup.hash = hash_(key);
    lookup.home = table_.slots().home(lookup.hash);
    table_.slots().prefetch_main(lookup.home);
}

inline void ConnectionTable::find_candidate(ConnectionLookup& lookup) const noexcept {
    const SlotBucket& home = table_.slots().main(lookup.home);
    const std::uint16_t tag = SlotIndex::tag(lookup.hash);
    const unsigned hits = home.match(tag);
    if (hits != 0) [[likely]] {
        // Cleared meanwhile: record 0, which is never live, so `verify` looks at every slot.
        const std::uint64_t word = home.load(static_cast<unsigned>(__builtin_ctz(hits)));
        lookup.candidate = SlotWord::record(word);
        lookup.key = static_cast<std::uint8_t>(SlotWord::key(word));
        lookup.elsewhere = false;
        table_.prefetch_record(lookup.candidate);
        return;
    }
    const std::uint64_t marks = home.marks(tag);
    lookup.candidate = kNoCandidate;
    lookup.elsewhere = marks != 0;
    if (marks != 0) table_.slots().prefetch_elsewhere(lookup.hash, marks);
}

inline void ConnectionTable::find_elsewhere(ConnectionLookup& lookup) const noexcept {
    const std::uint64_t marks = table_.slots().main(lookup.home).marks(SlotIndex::tag(lookup.hash));
    table_.slots().search_elsewhere(lookup.hash, marks, [&](std::uint64_t word) {
        lookup.candidate = SlotWord::record(word);
        lookup.key = static_cast<std::uint8_t>(SlotWord::key(word));
        table_.prefetch_record(lookup.candidate);
        return true;
    });
}

inline FoundConnection ConnectionTable::verify(const FlowKey& key, const ConnectionLookup& lookup,
                                               Tick now) const noexcept {
    if (lookup.candidate == kNoCandidate) return {};
    if (table_.traits().finds(table_[lookup.candidate], lookup.key, key, now)) [[likely]] {
        return {ConnectionIndex{lookup.candidate}, static_cast<Direction>(lookup.key)};
    }
    // Another key with the same tag, or a connection that has ended: look at every slot.
    const FoundRecord found = table_.find(key, lookup.hash, now);
    return {ConnectionIndex{found.record}, static_cast<Direction>(found.key)};
}

template <typename Visit>
std::uint32_t ConnectionTable::visit(std::uint32_t first, std::uint32_t count,
                                     Visit&& visit) const {
    const std::uint32_t end = pool_.high_water();
    if (first >= end) return 0;
    const std::uint32_t stop = end - first > count ? first + count : end;
    for (std::uint32_t i = first; i < stop; ++i) {
        const Connection& connection = table_[i];
        // Acquire: a live state makes the identity visible.
        const ConnectionState state = connection.state();
        if (state.lifecycle() == Lifecycle::Live) visit(ConnectionIndex{i}, connection, state);
    }
    return stop < end ? stop : 0;
}

}  // namespace pollux::lb
