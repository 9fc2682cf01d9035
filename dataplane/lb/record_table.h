// SPDX-License-Identifier: Apache-2.0
#pragma once

// RecordTable: the lock-free table under ConnectionTable and PersistenceTable: records with one or
// two keys, found through a SlotIndex, taken from a RecordPool. Callers are participants of the
// Quiescence and online; see ConnectionTable for the rules of use.
//
// The life of a record, all in the low three bits of its state word (Lifecycle):
//
//   Free -> Building -> Live -> Removed -> (quiescence) -> Free
//              |  \                ^
//              |   +-> Contending -+
//              +---------+-> Aborted -> (quiescence) -> Free
//
// A record is findable from the moment when its state becomes Live, under all its keys at once: the
// slots are placed before, and lookups ignore what is not Live. So no half-inserted record is ever
// usable, and insertion has one point at which it takes effect: the change to Live.
//
// Agreement on one record per key. Whoever inserts first places all slots, then searches all its
// keys for rivals, then becomes Live. Placing and searching are sequentially consistent, so of two
// rivals the one that finished placing later sees the other in its search. What it sees:
//   - Live: it loses (Aborted) and the other record is the answer.
//   - nothing: its change Building -> Live succeeds unless a rival aborted it meanwhile.
//   - a rival that is not decided: it becomes Contending and decides: a rival in Building is
//     aborted (its owner tries again); of two Contending ones the lower position stays.
// A record becomes Live only by the compare-and-swap that follows a search without rivals that was
// begun after all its slots were placed. Were two records of one key Live, the one that was placed
// later would have seen the other in its search, Building, Contending or Live, and in each case one
// of the two would not have become Live. No thread ever waits: Contending records are decided by
// anyone who meets them (`decide` needs nothing of the owner), and Building ones can be aborted.
// Whoever was aborted decides all Contending rivals before it tries again, so that it does not meet
// them undecided once more; a record is aborted only in favour of a lower Contending or a Live one.
// So each retry means that another insertion has got ahead.
//
// A position cannot be reused while anybody may still hold it: Aborted and Removed records are
// retired and wait for quiescence. Hence no compare-and-swap on a state word meets a later record.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/lb/atomic_access.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/lifecycle.h"
#include "dataplane/lb/record_pool.h"
#include "dataplane/lb/slot_index.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

// What RecordTable relies on. Tests build tables that lack one of these, to show that they would
// see it, and tables whose steps they order at will.
struct SafeProtocol {
    static constexpr bool kSearchForRivals = true;
    static constexpr bool kWaitForQuiescence = true;
    static constexpr std::memory_order kBecomeLive = std::memory_order_seq_cst;
    static void step() noexcept {}  // before each access to what rivals share
};

// How a live record counts at a given time.
enum class Presence : std::uint8_t {
    Present,
    Expired,   // whoever meets it may remove it
    Detached,  // live, but without slots: no longer found
};

enum class PublishStatus : std::uint8_t { Published, Taken, IndexFull };

struct PublishResult {
    PublishStatus status = PublishStatus::IndexFull;
    std::uint32_t record = 0;  // Published: ours; Taken: whose key it is
    unsigned key = 0;          // Taken: which of our keys
};

struct FoundRecord {
    std::uint32_t record = 0;  // 0: none
    unsigned key = 0;          // under which of its keys
};

// The hashes of a record's keys as far as the caller knows them.
struct KeyHashes {
    // NOLINTNEXTLINE(google-explicit-constructor): the first key's hash alone is the usual case.
    KeyHashes(std::uint64_t first_key, std::uint64_t second_key = 0) noexcept
        : first(first_key), second(second_key) {}
    std::uint64_t first;
    std::uint64_t second;  // 0: not known, or there is no second key
};

// Keys by the kind of bucket in which they lie.
struct IndexUse {
    std::uint64_t home = 0, second = 0, overflow = 0;
};

// Traits:
//   using Record;                                           64 bytes, trivially copyable
//   std::uint64_t& state_word(Record&)                      low three bits: Lifecycle
//   unsigned key_count(const Record&)                       1 or 2
//   FlowKey key(const Record&, unsigned which)
//   void read_key(const Record&, unsigned which, FlowKey&)  the same in place
//   bool matches(const Record&, unsigned which, const FlowKey&)
//   Presence presence(const Record&, std::uint64_t state, Tick now)
//   bool has_slots(std::uint64_t state)                     false: detached
//   void copy_identity(Record& to, const Record& from)      to: reserved; state Building
//   void removed(Participant, std::uint32_t, const Record&, std::uint64_t last)
template <typename Traits, typename Protocol = SafeProtocol>
class RecordTable {
  public:
    using Record = typename Traits::Record;

    RecordTable(std::span<Record> records, SlotIndex index, RecordPool& pool, const FlowHash& hash,
                unsigned participants, Traits traits)
        : records_(records),
          index_(index),
          pool_(pool),
          hash_(hash),
          use_(participants),
          traits_(std::move(traits)) {}

    [[nodiscard]] Record& operator[](std::uint32_t record) noexcept { return records_[record]; }
    [[nodiscard]] const Record& operator[](std::uint32_t record) const noexcept {
        return records_[record];
    }
    [[nodiscard]] const SlotIndex& slots() const noexcept { return index_; }
    [[nodiscard]] RecordPool& pool() noexcept { return pool_; }
    [[nodiscard]] const RecordPool& pool() const noexcept { return pool_; }
    [[nodiscard]] const FlowHash& hash() const noexcept { return hash_; }
    [[nodiscard]] Traits& traits() noexcept { return traits_; }
    [[nodiscard]] const Traits& traits() const noexcept { return traits_; }

    // The live and present record of this key.
    [[nodiscard]] FoundRecord find(const FlowKey& key, std::uint64_t hash, Tick now) const noexcept;

    // A free record, 0 when there is none; its state is the caller's to set to Building.
    [[nodiscard]] std::uint32_t reserve(Participant self) noexcept {
        std::uint32_t upcoming = 0;
        const std::uint32_t record = pool_.take(self, upcoming);
        if (upcoming != 0) __builtin_prefetch(&records_[upcoming], 1, 3);
        return record;
    }

    // Makes a reserved record in state Building findable, or retires it. The caller has looked in
    // vain for its first key.
    [[nodiscard]] PublishResult publish(Participant self, std::uint32_t record, KeyHashes known,
                                        Tick now) noexcept;

    // Removes a live record if `condition(record, state word)` holds at the moment of removal. True
    // for exactly one caller.
    template <typename Condition>
    bool remove_if(Participant self, std::uint32_t record, Condition&& condition) noexcept;

    // Takes away the slots of a live record that the caller, and it alone, has just detached.
    void clear_slots(Participant self, std::uint32_t record) noexcept {
        clear_all(self, record, keys_of(record));
    }

    // Visits the next `budget` positions, at most one round, with others sharing the work:
    // `consider(position, record, state word)` for live records.
    template <typename Consider>
    void sweep(std::uint64_t& cursor, std::uint32_t budget, Consider&& consider) noexcept;

    void prefetch_record(std::uint32_t record) const noexcept {
        __builtin_prefetch(&records_[record], 0, 3);
    }
    // Fetches the buckets that removing the record will touch.
    void prefetch_slots(std::uint32_t record) const noexcept {
        const Record& which = records_[record];
        for (unsigned key = 0; key < traits_.key_count(which); ++key) {
            index_.prefetch_home(hash_(traits_.key(which, key)));
        }
    }

    // Approximate while participants insert and remove.
    [[nodiscard]] IndexUse index_use() const noexcept;

    [[nodiscard]] static Lifecycle lifecycle(std::uint64_t word) noexcept {
        return static_cast<Lifecycle>(word & kLifecycleMask);
    }

  private:
    static constexpr std::uint64_t kLifecycleMask = 7;

    // One participant's own: keys it placed less keys it cleared, by Placement.
    struct alignas(64) KeyCounts {
        std::array<std::atomic<std::int64_t>, 3> at{};
        void add(Placement where, std::int64_t change) noexcept {
            auto& count = at[static_cast<std::size_t>(where)];
            count.store(count.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
        }
    };
    // The keys of a record that is being inserted.
    struct Keys {
        unsigned count;
        FlowKey key[2];
        std::uint64_t hash[2];
    };
    // What a search for rivals found.
    struct Rivals {
        FoundRecord live;        // a live record with one of the keys
        unsigned our_key = 0;    // which of ours it has
        bool undecided = false;  // others are being inserted
    };

    [[nodiscard]] std::uint64_t state(std::uint32_t record) const noexcept {
        Protocol::step();
        // Pairs with the change to Live (and every other change) of the state word.
        return atomic_load(traits_.state_word(const_cast<Record&>(records_[record])),
                           std::memory_order_seq_cst);
    }
    // One compare-and-swap of the lifecycle alone; false when it is no longer `from`.
    bool change(std::uint32_t record, Lifecycle from, Lifecycle to) noexcept;
    [[nodiscard]] Keys keys_of(std::uint32_t record) const noexcept;
    [[nodiscard]] bool place_all(Participant self, std::uint32_t record, const Keys& keys) noexcept;
    void clear_all(Participant self, std::uint32_t record, const Keys& keys) noexcept;
    void clear_key(Participant self, std::uint32_t record, const Keys& keys,
                   unsigned which) noexcept;
    void retire(Participant self, std::uint32_t record) noexcept;

    // See record_table_insert.h.
    template <typename Visit>
    void for_each_rival(std::uint32_t record, const Keys& keys, Visit&& visit) noexcept;
    [[nodiscard]] Rivals look_for_rivals(Participant self, std::uint32_t record, const Keys& keys,
                                         Tick now) noexcept;
    void decide(Participant self, std::uint32_t record, Tick now) noexcept;
    [[nodiscard]] bool loses(Participant self, std::uint32_t record, std::uint32_t rival,
                             Tick now) noexcept;
    [[nodiscard]] bool contend(Participant self, std::uint32_t record, const Keys& keys,
                               PublishResult& result, Tick now) noexcept;
    [[nodiscard]] Rivals settled_owner(Participant self, const Keys& keys, Tick now) noexcept;

    std::span<Record> records_;
    SlotIndex index_;
    RecordPool& pool_;
    const FlowHash& hash_;
    std::vector<KeyCounts> use_;  // by Participant
    Traits traits_;
};

template <typename Traits, typename Protocol>
IndexUse RecordTable<Traits, Protocol>::index_use() const noexcept {
    std::array<std::int64_t, 3> sum{};
    for (const KeyCounts& counts : use_) {
        for (std::size_t i = 0; i < sum.size(); ++i) {
            sum[i] += counts.at[i].load(std::memory_order_relaxed);
        }
    }
    const auto positive = [](std::int64_t value) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    };
    return {positive(sum[0]), positive(sum[1]), positive(sum[2])};
}

template <typename Traits, typename Protocol>
FoundRecord RecordTable<Traits, Protocol>::find(const FlowKey& key, std::uint64_t hash,
                                                Tick now) const noexcept {
    FoundRecord found;
    index_.search(hash, [&](std::uint64_t word) {
        const std::uint32_t record = SlotWord::record(word);
        const std::uint64_t seen = state(record);
        if (lifecycle(seen) != Lifecycle::Live ||
            !traits_.matches(records_[record], SlotWord::key(word), key) ||
            traits_.presence(records_[record], seen, now) != Presence::Present) {
            return false;
        }
        found = {record, SlotWord::key(word)};
        return true;
    });
    return found;
}

}  // namespace pollux::lb
