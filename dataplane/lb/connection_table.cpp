// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/connection_table.h"

#include <algorithm>
#include <cassert>

#include "dataplane/lb/record_table_insert.h"

namespace pollux::lb {
namespace {

constexpr std::string_view kRecords = "connection records";
constexpr std::string_view kIndex = "connection index";
constexpr std::string_view kOverflow = "connection overflow";
constexpr std::string_view kChunks = "connection free lists";
constexpr std::string_view kHeads = "connection pool";

// Every connection may have two keys.
SlotIndexSize index_size(const ConnectionTableLimits& limits) noexcept {
    return slot_index_size(2ULL * limits.max_connections);
}

// The FullNAT candidates: all ports of all addresses of the pool, in one row.
class LocalPortRow {
  public:
    explicit LocalPortRow(std::span<const LocalPorts> pool) noexcept : pool_(pool) {
        for (const LocalPorts& ports : pool_) count_ += width(ports);
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // Precondition: place < count().
    [[nodiscard]] std::pair<LocalAddressId, std::uint16_t> at(std::uint64_t place) const noexcept {
        for (const LocalPorts& ports : pool_) {
            if (place < width(ports)) {
                return {ports.address, static_cast<std::uint16_t>(ports.first + place)};
            }
            place -= width(ports);
        }
        return {};
    }

  private:
    static std::uint64_t width(const LocalPorts& ports) noexcept {
        return ports.last >= ports.first ? 1ULL + ports.last - ports.first : 0;
    }
    std::span<const LocalPorts> pool_;
    std::uint64_t count_ = 0;
};

}  // namespace

void ConnectionTable::plan(RegionPlan& plan, const ConnectionTableLimits& limits) {
    const SlotIndexSize size = index_size(limits);
    plan.add<Connection>(kRecords, pool_records(limits.max_connections, limits.participants));
    plan.add<SlotBucket>(kIndex, size.main_buckets);
    plan.add<SlotBucket>(kOverflow, size.overflow_buckets);
    plan.add<PoolChunk>(kChunks, pool_chunks(limits.max_connections, limits.participants));
    plan.add<PoolHeads>(kHeads, 1);
}

ConnectionTable::ConnectionTable(const ConnectionTableLimits& limits, MemoryRegion& region,
                                 Quiescence& quiescence, const AddressTable& servers,
                                 const AddressTable& locals)
    : limits_(limits),
      embryonic_limit_(static_cast<std::uint64_t>(limits.embryonic_share *
                                                  static_cast<double>(limits.max_connections))),
      hash_(limits.hash_secret),
      embryonic_(limits.participants),
      pool_(region.section<PoolHeads>(kHeads)[0], region.section<PoolChunk>(kChunks),
            pool_records(limits.max_connections, limits.participants), quiescence),
      table_(region.section<Connection>(kRecords),
             SlotIndex(region.section<SlotBucket>(kIndex), region.section<SlotBucket>(kOverflow)),
             pool_, hash_, limits.participants, ConnectionTraits(servers, locals, embryonic_)) {
    assert(quiescence.participants() == limits.participants);
}

FoundConnection ConnectionTable::find(const FlowKey& key, Tick now) const noexcept {
    const FoundRecord found = table_.find(key, hash_(key), now);
    return {ConnectionIndex{found.record}, static_cast<Direction>(found.key)};
}

void ConnectionTable::cancel(Participant self, ConnectionIndex reserved) noexcept {
    pool_.give_back(self, lb::index(reserved));
}

std::uint64_t ConnectionTable::prefetch_reply(const NewConnection& what) const noexcept {
    if (!has_reply_key(what.method)) return 0;
    const std::uint64_t hash = hash_(table_.traits().reply_key(what));
    table_.slots().prefetch_home(hash);
    return hash;
}

void ConnectionTable::prefetch_further(std::uint64_t hash,
                                       std::uint64_t reply_hash) const noexcept {
    table_.slots().prefetch_placing(hash);
    if (reply_hash != 0) table_.slots().prefetch_placing(reply_hash);
}

void ConnectionTable::choose_first_local_port(NewConnection& what, std::uint64_t hash,
                                              std::span<const LocalPorts> pool) noexcept {
    const LocalPortRow row(pool);
    if (row.count() == 0) return;
    const auto [address, port] = row.at((hash & 0xffffffffU) % row.count());
    what.local = address;
    what.local_port = net::Be16::from_host(port);
}

InsertResult ConnectionTable::result_of(const PublishResult& published) const noexcept {
    const ConnectionIndex which{published.record};
    switch (published.status) {
        case PublishStatus::Published:
            return {InsertStatus::Inserted, which};
        case PublishStatus::Taken:
            return {published.key == 0 ? InsertStatus::Exists : InsertStatus::ReplyTaken, which};
        case PublishStatus::IndexFull:
            break;
    }
    return {InsertStatus::IndexFull, kNoConnection};
}

InsertResult ConnectionTable::insert(Participant self, ConnectionIndex reserved, KeyHashes hashes,
                                     Tick now) noexcept {
    const bool embryonic = connection(reserved).state_relaxed().has(ConnectionFlag::Embryonic);
    // Counted before the connection can be seen, so that its removal never comes first.
    if (embryonic) count_embryonic(self);
    const InsertResult result = result_of(table_.publish(self, lb::index(reserved), hashes, now));
    if (embryonic && result.status != InsertStatus::Inserted) {
        embryonic_[lb::index(self)].subtract();
    }
    return result;
}

InsertResult ConnectionTable::insert_with_local_port(Participant self, ConnectionIndex reserved,
                                                     std::uint64_t hash,
                                                     std::span<const LocalPorts> pool,
                                                     Tick now) noexcept {
    const LocalPortRow row(pool);
    Connection identity;
    identity.copy_reserved(connection(reserved));
    // Strides instead of steps, lest used ports form runs; a small pool is tried completely.
    const std::uint64_t count = row.count();
    const std::uint64_t stride = count > kLocalPortTries ? (hash >> 32U) % count | 1U : 1U;
    for (unsigned tried = 0; tried < kLocalPortTries && tried < count; ++tried) {
        const auto [address, port] = row.at(((hash & 0xffffffffU) + tried * stride) % count);
        Connection& record = connection(reserved);
        record.set_local(address, net::Be16::from_host(port));
        const FlowKey reply = table_.traits().key(record, 1);
        const std::uint64_t reply_hash = hash_(reply);
        if (table_.find(reply, reply_hash, now).record != 0) continue;
        const InsertResult result = insert(self, reserved, {hash, reply_hash}, now);
        if (result.status != InsertStatus::ReplyTaken) return result;
        // Another worker took the port in this moment: go on with a record that nobody has seen.
        reserved = reserve(self);
        if (reserved == kNoConnection) return {InsertStatus::IndexFull, kNoConnection};
        connection(reserved).copy_reserved(identity);
    }
    const FoundRecord owner = table_.find(identity.forward_key(), hash, now);
    cancel(self, reserved);
    if (owner.record != 0) return {InsertStatus::Exists, ConnectionIndex{owner.record}};
    return {InsertStatus::NoLocalPort, kNoConnection};
}

bool ConnectionTable::remove(Participant self, ConnectionIndex index) noexcept {
    return table_.remove_if(self, lb::index(index),
                            [](const Connection&, std::uint64_t) { return true; });
}

std::uint32_t ConnectionTable::sweep(Participant self, Tick now, std::uint32_t budget) noexcept {
    // The expired ones of a stretch are collected first, so that their buckets arrive meanwhile.
    constexpr std::uint32_t kBatch = 16;
    std::array<std::uint32_t, kBatch> expired;
    std::uint32_t waiting = 0;
    std::uint32_t removed = 0;
    const auto is_expired = [now](const Connection& connection, std::uint64_t state) {
        return connection.expired(ConnectionState::from_word(state), now);
    };
    const auto remove_waiting = [&] {
        for (std::uint32_t i = 0; i < waiting; ++i) {
            if (table_.remove_if(self, expired[i], is_expired)) ++removed;
        }
        waiting = 0;
    };
    table_.sweep(sweep_cursor_, budget,
                 [&](std::uint32_t record, const Connection& connection, std::uint64_t state) {
                     if (!is_expired(connection, state)) return;
                     table_.prefetch_slots(record);
                     expired[waiting++] = record;
                     if (waiting == kBatch) remove_waiting();
                 });
    remove_waiting();
    pool_.recycle(self);
    return removed;
}

bool ConnectionTable::may_add_embryonic(Participant self, unsigned waiting) noexcept {
    constexpr std::uint32_t kRefreshEvery = 32;  // how far off the share may be per participant
    EmbryonicCount& own = embryonic_[lb::index(self)];
    if (own.until_refresh == 0) {
        own.others = -own.get();
        for (const EmbryonicCount& count : embryonic_) own.others += count.get();
        own.until_refresh = kRefreshEvery;
    }
    --own.until_refresh;
    if (own.others + own.get() + waiting < static_cast<std::int64_t>(embryonic_limit_)) return true;
    own.until_refresh = 0;  // at the limit: look again next time
    return false;
}

std::uint32_t ConnectionTable::reclaim_embryonic(Participant self, Tick now, Ticks idle,
                                                 std::uint32_t budget) noexcept {
    const auto may_go = [&](const Connection& connection, std::uint64_t state) {
        return ConnectionState::from_word(state).has(ConnectionFlag::Embryonic) &&
               elapsed(connection.last_seen(), now) >= idle;
    };
    // Collected first, so that their buckets arrive meanwhile.
    std::array<std::uint32_t, kReclaimBatch> found;
    std::uint32_t count = 0;
    table_.sweep(reclaim_cursor_, budget,
                 [&](std::uint32_t record, const Connection& connection, std::uint64_t state) {
                     if (count == kReclaimBatch || !may_go(connection, state)) return;
                     table_.prefetch_slots(record);
                     found[count++] = record;
                 });
    std::uint32_t removed = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (table_.remove_if(self, found[i], may_go)) ++removed;
    }
    pool_.recycle(self);
    return removed;
}

std::uint64_t ConnectionTable::embryonic() const noexcept {
    std::int64_t sum = 0;
    for (const EmbryonicCount& count : embryonic_) sum += count.get();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(sum, 0));
}

std::vector<MemoryAccount> ConnectionTable::memory() const {
    const SlotIndexSize size = index_size(limits_);
    const IndexUse use = table_.index_use();
    const std::uint64_t records = pool_.record_count();
    const std::uint64_t chunks = pool_chunks(limits_.max_connections, limits_.participants);
    return {
        {kRecords, records * sizeof(Connection), records, this->size()},
        {kIndex, size.main_buckets * sizeof(SlotBucket),
         std::uint64_t{size.main_buckets} * kSlotsPerBucket, use.home + use.second},
        {kOverflow, size.overflow_buckets * sizeof(SlotBucket),
         std::uint64_t{size.overflow_buckets} * kSlotsPerBucket, use.overflow},
        {kChunks, chunks * sizeof(PoolChunk), chunks * kChunkRecords, records - this->size()},
    };
}

}  // namespace pollux::lb
