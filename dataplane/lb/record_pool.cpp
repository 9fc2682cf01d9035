// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/record_pool.h"

#include <algorithm>
#include <cassert>

#include "dataplane/lb/atomic_access.h"

namespace pollux::lb {
namespace {

constexpr unsigned kChunkBits = 24;
constexpr std::uint64_t kChunkMask = (1U << kChunkBits) - 1;
// What a participant can hold back: the chunk it takes from, the one it retires into, and those
// that wait half full.
constexpr std::uint32_t kChunksPerParticipant = 5;

}  // namespace

// One participant's own; only the counters are read by others.
struct alignas(64) RecordPool::Cache {
    std::uint32_t loaded = 0;        // chunk to take from
    std::uint32_t retiring = 0;      // chunk being filled with retired positions
    std::uint32_t waiting_head = 0;  // queue of stamped chunks, oldest first
    std::uint32_t waiting_tail = 0;
    std::atomic<std::uint64_t> taken{0};
    std::atomic<std::uint64_t> returned{0};

    // One writer: a plain increment that others may read.
    static void count(std::atomic<std::uint64_t>& counter) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
};

std::uint32_t pool_records(std::uint32_t records, unsigned participants) noexcept {
    return 1 + records + participants * 3 * kChunkRecords;
}

std::uint32_t pool_chunks(std::uint32_t records, unsigned participants) noexcept {
    const std::uint32_t all = pool_records(records, participants);
    return 1 + (all + kChunkRecords - 1) / kChunkRecords + participants * kChunksPerParticipant;
}

RecordPool::RecordPool(PoolHeads& heads, std::span<PoolChunk> chunks, std::uint32_t record_count,
                       Quiescence& quiescence)
    : heads_(heads),
      chunks_(chunks),
      record_count_(record_count),
      quiescence_(quiescence),
      caches_(std::make_unique<Cache[]>(quiescence.participants())) {
    assert(chunks.size() <= kChunkMask);
}

RecordPool::~RecordPool() = default;

std::uint32_t RecordPool::take(Participant self, std::uint32_t& upcoming) noexcept {
    Cache& cache = caches_[index(self)];
    if (cache.loaded == 0 || chunks_[cache.loaded].count == 0) {
        if (!refill(cache)) return 0;
    }
    PoolChunk& chunk = chunks_[cache.loaded];
    const std::uint32_t record = chunk.records[--chunk.count];
    constexpr std::uint32_t kAhead = 4;
    upcoming = chunk.count >= kAhead ? chunk.records[chunk.count - kAhead] : 0;
    Cache::count(cache.taken);
    return record;
}

bool RecordPool::refill(Cache& cache) noexcept {
    const auto self = Participant{static_cast<std::uint16_t>(&cache - caches_.get())};
    recycle(self);
    if (cache.loaded != 0 && chunks_[cache.loaded].count != 0) return true;
    if (const std::uint32_t full = pop(heads_.full_chunks); full != 0) {
        if (cache.loaded != 0) push(heads_.empty_chunks, cache.loaded);
        cache.loaded = full;
        return true;
    }
    return take_fresh(cache);
}

// Records that were never used: in order of position, so that a young table is compact.
bool RecordPool::take_fresh(Cache& cache) noexcept {
    const std::uint64_t limit = record_count_ - 1;
    if (atomic_load(heads_.fresh_record, std::memory_order_relaxed) >= limit) return false;
    // Relaxed: the number alone is claimed; the records behind it have been zero since the start.
    const std::uint64_t first =
        std::atomic_ref(heads_.fresh_record).fetch_add(kChunkRecords, std::memory_order_relaxed);
    if (first >= limit) return false;
    if (cache.loaded == 0) cache.loaded = empty_chunk();
    PoolChunk& chunk = chunks_[cache.loaded];
    const auto count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(kChunkRecords, limit - first));
    for (std::uint32_t i = 0; i < count; ++i) {
        chunk.records[i] = static_cast<std::uint32_t>(first) + count - i;  // taken in rising order
    }
    chunk.count = count;
    return true;
}

void RecordPool::give_back(Participant self, std::uint32_t record) noexcept {
    Cache& cache = caches_[index(self)];
    if (cache.loaded != 0 && chunks_[cache.loaded].count == kChunkRecords) {
        push(heads_.full_chunks, cache.loaded);
        cache.loaded = 0;
    }
    if (cache.loaded == 0) {
        cache.loaded = empty_chunk();
        chunks_[cache.loaded].count = 0;
    }
    PoolChunk& chunk = chunks_[cache.loaded];
    chunk.records[chunk.count++] = record;
    Cache::count(cache.returned);
}

void RecordPool::retire(Participant self, std::uint32_t record) noexcept {
    Cache& cache = caches_[index(self)];
    if (cache.retiring == 0) {
        cache.retiring = empty_chunk();
        chunks_[cache.retiring].count = 0;
    }
    PoolChunk& chunk = chunks_[cache.retiring];
    chunk.records[chunk.count++] = record;
    Cache::count(cache.returned);
    if (chunk.count == kChunkRecords) stamp(cache);
}

// Closes the retiring chunk: everything in it was unlinked before this token.
void RecordPool::stamp(Cache& cache) noexcept {
    PoolChunk& chunk = chunks_[cache.retiring];
    chunk.token = static_cast<std::uint64_t>(quiescence_.advance());
    atomic_store(chunk.next, 0U, std::memory_order_relaxed);
    if (cache.waiting_tail == 0) {
        cache.waiting_head = cache.retiring;
    } else {
        atomic_store(chunks_[cache.waiting_tail].next, cache.retiring, std::memory_order_relaxed);
    }
    cache.waiting_tail = cache.retiring;
    cache.retiring = 0;
}

void RecordPool::recycle(Participant self) noexcept {
    Cache& cache = caches_[index(self)];
    while (cache.waiting_head != 0 &&
           quiescence_.passed(QuiescenceToken{chunks_[cache.waiting_head].token})) {
        const std::uint32_t chunk = cache.waiting_head;
        cache.waiting_head = atomic_load(chunks_[chunk].next, std::memory_order_relaxed);
        if (cache.waiting_head == 0) cache.waiting_tail = 0;
        absorb(cache, chunk);
    }
    // A trickle of retired records must not wait for a whole chunk to come together. At most one
    // half-full chunk waits at a time.
    if (cache.waiting_head == 0 && cache.retiring != 0 && chunks_[cache.retiring].count != 0) {
        stamp(cache);
    }
}

// Takes over a chunk whose time has passed. Only full chunks go to the shared stack, so that there
// are never more chunks than planned for.
void RecordPool::absorb(Cache& cache, std::uint32_t chunk) noexcept {
    if (chunks_[chunk].count == kChunkRecords) {
        push(heads_.full_chunks, chunk);
        return;
    }
    if (cache.loaded == 0) {
        cache.loaded = chunk;
        return;
    }
    PoolChunk& from = chunks_[chunk];
    PoolChunk& to = chunks_[cache.loaded];
    while (from.count != 0 && to.count != kChunkRecords) {
        to.records[to.count++] = from.records[--from.count];
    }
    if (from.count == 0) {
        push(heads_.empty_chunks, chunk);
    } else {
        push(heads_.full_chunks, cache.loaded);
        cache.loaded = chunk;
    }
}

std::uint32_t RecordPool::empty_chunk() noexcept {
    if (const std::uint32_t chunk = pop(heads_.empty_chunks); chunk != 0) return chunk;
    const std::uint64_t fresh =
        std::atomic_ref(heads_.fresh_chunk).fetch_add(1, std::memory_order_relaxed) + 1;
    assert(fresh < chunks_.size() && "pool_chunks counts every chunk that can be in use");
    return static_cast<std::uint32_t>(fresh);
}

// A stack whose head carries a tag that grows with each change: a chunk that was popped and pushed
// again meanwhile makes the compare-and-swap fail (40 bits of tag at 60 records an operation).
void RecordPool::push(std::uint64_t& head, std::uint32_t chunk) noexcept {
    std::uint64_t top = atomic_load(head, std::memory_order_relaxed);
    for (;;) {
        atomic_store(chunks_[chunk].next, static_cast<std::uint32_t>(top & kChunkMask),
                     std::memory_order_relaxed);
        const std::uint64_t next = (((top >> kChunkBits) + 1) << kChunkBits) | chunk;
        // Release: the chunk's contents, and all that was done to its records; pairs with pop.
        if (atomic_exchange_if(head, top, next, std::memory_order_acq_rel)) return;
    }
}

std::uint32_t RecordPool::pop(std::uint64_t& head) noexcept {
    std::uint64_t top = atomic_load(head, std::memory_order_acquire);
    for (;;) {
        const auto chunk = static_cast<std::uint32_t>(top & kChunkMask);
        if (chunk == 0) return 0;
        // May be stale when another participant pops the chunk first; then the tag differs.
        const std::uint32_t below = atomic_load(chunks_[chunk].next, std::memory_order_relaxed);
        const std::uint64_t next = (((top >> kChunkBits) + 1) << kChunkBits) | below;
        if (atomic_exchange_if(head, top, next, std::memory_order_acq_rel)) return chunk;
    }
}

std::uint64_t RecordPool::in_use() const noexcept {
    std::uint64_t taken = 0;
    std::uint64_t returned = 0;
    for (unsigned i = 0; i < quiescence_.participants(); ++i) {
        returned += caches_[i].returned.load(std::memory_order_relaxed);
        taken += caches_[i].taken.load(std::memory_order_relaxed);
    }
    return taken > returned ? taken - returned : 0;
}

std::uint32_t RecordPool::high_water() const noexcept {
    const std::uint64_t fresh = atomic_load(heads_.fresh_record, std::memory_order_relaxed);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(fresh, record_count_ - 1)) + 1;
}

}  // namespace pollux::lb
