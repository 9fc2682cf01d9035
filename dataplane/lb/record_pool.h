// SPDX-License-Identifier: Apache-2.0
#pragma once

// RecordPool: which records of a table are free. Lock-free. Positions travel in chunks of 60: each
// participant takes from a chunk of its own and collects what it retires in another; full chunks
// go over a shared stack, so that one compare-and-swap moves 60 records. Retired chunks wait in
// their participant's queue until their quiescence token has passed. Position 0 is never given out.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "dataplane/lb/quiescence.h"

namespace pollux::lb {

inline constexpr std::uint32_t kChunkRecords = 60;

//   0      4       8       16                                     256
//   | next | count | token | 60 positions                         |
struct alignas(64) PoolChunk {
    std::uint32_t next;  // atomic: the chunk below in the shared stack, or behind in a queue
    std::uint32_t count;
    std::uint64_t token;
    std::array<std::uint32_t, kChunkRecords> records;
};
static_assert(sizeof(PoolChunk) == 256 && std::is_trivially_copyable_v<PoolChunk>);

// Shared by all processes that map the region; zero is the initial state.
struct alignas(64) PoolHeads {
    std::uint64_t full_chunks;   // atomic: tag 40 | chunk 24
    std::uint64_t empty_chunks;  // atomic: tag 40 | chunk 24
    std::uint64_t fresh_record;  // atomic: records given out for the first time
    std::uint64_t fresh_chunk;   // atomic
    std::array<std::uint64_t, 4> zero;
};
static_assert(sizeof(PoolHeads) == 64 && std::is_trivially_copyable_v<PoolHeads>);

// Records and chunks that make `records` usable by all participants together, though each may hold
// back up to three chunks of its own. Both counts include position 0.
[[nodiscard]] std::uint32_t pool_records(std::uint32_t records, unsigned participants) noexcept;
[[nodiscard]] std::uint32_t pool_chunks(std::uint32_t records, unsigned participants) noexcept;

class RecordPool {
  public:
    // `record_count` and the size of `chunks` as given by the two functions above.
    RecordPool(PoolHeads& heads, std::span<PoolChunk> chunks, std::uint32_t record_count,
               Quiescence& quiescence);
    ~RecordPool();
    RecordPool(const RecordPool&) = delete;
    RecordPool& operator=(const RecordPool&) = delete;

    // A free position, or 0. `upcoming`: a position that will be taken soon, for prefetching, or 0.
    [[nodiscard]] std::uint32_t take(Participant self, std::uint32_t& upcoming) noexcept;
    // Gives back what nobody else has seen.
    void give_back(Participant self, std::uint32_t record) noexcept;
    // Gives back what others may still be looking at: reused after quiescence.
    void retire(Participant self, std::uint32_t record) noexcept;
    // Moves what has become reusable. Called by `take` when short, and by idle participants.
    void recycle(Participant self) noexcept;

    // Taken and not given back or retired; exact when nothing moves.
    [[nodiscard]] std::uint64_t in_use() const noexcept;
    // Every position ever given out is below it.
    [[nodiscard]] std::uint32_t high_water() const noexcept;
    [[nodiscard]] std::uint32_t record_count() const noexcept { return record_count_; }

  private:
    struct Cache;

    [[nodiscard]] bool refill(Cache& cache) noexcept;
    [[nodiscard]] bool take_fresh(Cache& cache) noexcept;
    void stamp(Cache& cache) noexcept;
    void absorb(Cache& cache, std::uint32_t chunk) noexcept;
    [[nodiscard]] std::uint32_t empty_chunk() noexcept;
    void push(std::uint64_t& head, std::uint32_t chunk) noexcept;
    [[nodiscard]] std::uint32_t pop(std::uint64_t& head) noexcept;

    PoolHeads& heads_;
    std::span<PoolChunk> chunks_;
    std::uint32_t record_count_;
    Quiescence& quiescence_;
    std::unique_ptr<Cache[]> caches_;
};

}  // namespace pollux::lb
