// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/scheduler/replica_cache.h"

namespace pollux::lb {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Holds an entry's claim for a scope, or not.
class Claim {
  public:
    // Acquire pairs with the release below: the next holder sees the whole change.
    explicit Claim(ReplicaCache::Entry& entry) noexcept
        : entry_(entry), held_(!entry.claimed.exchange(true, std::memory_order_acquire)) {}
    ~Claim() {
        if (held_) entry_.claimed.store(false, std::memory_order_release);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    [[nodiscard]] bool held() const noexcept { return held_; }

  private:
    ReplicaCache::Entry& entry_;
    bool held_;
};

}  // namespace

ReplicaCache::Entry* ReplicaCache::find(const net::IpAddress& address, CoarseTime now,
                                        CoarseTime max_idle) noexcept {
    const std::uint64_t hash = address_hash(address);
    for (Entry& entry : bucket_of(hash)) {
        if (entry.hash.load(kRelaxed) != hash) continue;
        const CoarseTime used = entry.used.load(kRelaxed);
        if (now - used > max_idle) return nullptr;
        if (now != used) entry.used.store(now, kRelaxed);
        return &entry;
    }
    return nullptr;
}

void ReplicaCache::create(const net::IpAddress& address, RealServerId server,
                          CoarseTime now) noexcept {
    const std::uint64_t hash = address_hash(address);
    Bucket& bucket = bucket_of(hash);
    Entry* victim = bucket.data();
    CoarseTime longest = 0;
    for (Entry& entry : bucket) {
        const std::uint64_t held = entry.hash.load(kRelaxed);
        if (held == hash) {
            victim = &entry;
            break;
        }
        const CoarseTime idle = held == 0 ? ~CoarseTime{0} : now - entry.used.load(kRelaxed);
        if (idle > longest) {
            longest = idle;
            victim = &entry;
        }
    }
    const Claim claim(*victim);
    if (!claim.held()) return;
    victim->used.store(now, kRelaxed);
    victim->changed.store(now, kRelaxed);
    victim->servers[0].store(static_cast<std::uint32_t>(server), kRelaxed);
    victim->size.store(1, kRelaxed);
    victim->hash.store(hash, kRelaxed);
}

void ReplicaCache::insert(Entry& entry, RealServerId server, CoarseTime now) noexcept {
    const Claim claim(entry);
    if (!claim.held()) return;
    const std::uint32_t size = entry.size.load(kRelaxed);
    for (std::uint32_t i = 0; i < size; ++i) {
        if (entry.servers[i].load(kRelaxed) == static_cast<std::uint32_t>(server)) return;
    }
    if (size == kMaxServers) return;
    entry.servers[size].store(static_cast<std::uint32_t>(server), kRelaxed);
    entry.size.store(size + 1, kRelaxed);
    entry.changed.store(now, kRelaxed);
}

void ReplicaCache::remove(Entry& entry, RealServerId server, CoarseTime now) noexcept {
    const Claim claim(entry);
    if (!claim.held()) return;
    const std::uint32_t size = entry.size.load(kRelaxed);
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
        const std::uint32_t held = entry.servers[i].load(kRelaxed);
        if (held != static_cast<std::uint32_t>(server)) entry.servers[kept++].store(held, kRelaxed);
    }
    entry.size.store(kept, kRelaxed);
    entry.changed.store(now, kRelaxed);
}

}  // namespace pollux::lb
