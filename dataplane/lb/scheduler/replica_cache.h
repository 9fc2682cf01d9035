// SPDX-License-Identifier: Apache-2.0
#pragma once

// The memory of lblcr: the set of real servers that serve a destination address, newest first. A
// fixed number of entries of two cache lines in buckets of four; a full bucket forgets its least
// recently used entry. Any worker, no waiting: who wants to change an entry claims it with one
// exchange and leaves it unchanged when another holds the claim (the choice of a server does not
// depend on being remembered). Readers look at single words and may see a set in the middle of a
// change: then a server of the set is missed or seen twice, which only makes the choice a little
// worse, and each server read is checked against the service before it is used.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/lb/ids.h"
#include "dataplane/lb/scheduler/affinity_cache.h"

namespace pollux::lb {

class ReplicaCache {
  public:
    static constexpr std::size_t kWays = 4;
    static constexpr std::size_t kBuckets = 2048;
    // A larger set is not needed to spread one destination; further servers are used unremembered.
    static constexpr std::uint32_t kMaxServers = 25;

    struct alignas(64) Entry {
        std::atomic<std::uint64_t> hash{0};  // of the address; 0 = empty
        std::atomic<CoarseTime> used{0};
        std::atomic<CoarseTime> changed{0};
        std::atomic<std::uint32_t> size{0};
        std::atomic<bool> claimed{false};
        std::array<std::atomic<std::uint32_t>, kMaxServers> servers{};  // oldest first
    };
    static_assert(sizeof(Entry) == 128);

    // The entry of `address`, or nullptr, also when it was unused for longer than `max_idle`.
    // Counts as a use.
    Entry* find(const net::IpAddress& address, CoarseTime now, CoarseTime max_idle) noexcept;

    // Makes an entry with one server in place of the bucket's least recently used one.
    void create(const net::IpAddress& address, RealServerId server, CoarseTime now) noexcept;

    static void insert(Entry& entry, RealServerId server, CoarseTime now) noexcept;
    static void remove(Entry& entry, RealServerId server, CoarseTime now) noexcept;

  private:
    using Bucket = std::array<Entry, kWays>;

    Bucket& bucket_of(std::uint64_t hash) noexcept { return (*buckets_)[hash % kBuckets]; }

    std::unique_ptr<std::array<Bucket, kBuckets>> buckets_ =
        std::make_unique<std::array<Bucket, kBuckets>>();
};

}  // namespace pollux::lb
