// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/scheduler/affinity_cache.h"

#include <cstring>

namespace pollux::lb {

namespace {

constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ULL;

std::uint64_t mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 32U)) * kMultiplier;
    return value ^ (value >> 29U);
}

constexpr std::uint64_t word_of(std::uint64_t hash, RealServerId server) noexcept {
    return (hash & 0xffffffff00000000ULL) | static_cast<std::uint32_t>(server);
}

constexpr bool same_tag(std::uint64_t word, std::uint64_t hash) noexcept {
    return (word >> 32U) == (hash >> 32U);
}

}  // namespace

std::uint64_t address_hash(const net::IpAddress& address) noexcept {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::memcpy(&low, address.bytes.data(), sizeof low);
    std::memcpy(&high, address.bytes.data() + sizeof low, sizeof high);
    const std::uint64_t hash = mix(mix(low + kMultiplier) ^ high);
    // The upper half is a tag that tells an entry from an empty one.
    return hash >> 32U != 0 ? hash : hash | (1ULL << 32U);
}

std::optional<RealServerId> AffinityCache::find(const net::IpAddress& address, CoarseTime now,
                                                CoarseTime max_idle) noexcept {
    const std::uint64_t hash = address_hash(address);
    Bucket& bucket = bucket_of(hash);
    for (std::size_t way = 0; way < kWays; ++way) {
        const std::uint64_t word = bucket.words[way].load(std::memory_order_relaxed);
        if (!same_tag(word, hash)) continue;
        const CoarseTime used = bucket.used[way].load(std::memory_order_relaxed);
        if (now - used > max_idle) return std::nullopt;
        if (now != used) bucket.used[way].store(now, std::memory_order_relaxed);
        return RealServerId{static_cast<std::uint32_t>(word)};
    }
    return std::nullopt;
}

void AffinityCache::store(const net::IpAddress& address, RealServerId server,
                          CoarseTime now) noexcept {
    const std::uint64_t hash = address_hash(address);
    Bucket& bucket = bucket_of(hash);
    std::size_t victim = 0;
    CoarseTime longest = 0;
    for (std::size_t way = 0; way < kWays; ++way) {
        const std::uint64_t word = bucket.words[way].load(std::memory_order_relaxed);
        if (same_tag(word, hash)) {
            victim = way;
            break;
        }
        const CoarseTime idle =
            word == 0 ? ~CoarseTime{0} : now - bucket.used[way].load(std::memory_order_relaxed);
        if (idle > longest) {
            longest = idle;
            victim = way;
        }
    }
    bucket.used[victim].store(now, std::memory_order_relaxed);
    bucket.words[victim].store(word_of(hash, server), std::memory_order_relaxed);
}

}  // namespace pollux::lb
