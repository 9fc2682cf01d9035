// SPDX-License-Identifier: Apache-2.0
#pragma once

// The memory of lblc: which real server serves a destination address. A fixed number of entries in
// buckets of eight; a full bucket forgets its least recently used entry. Any worker, no locks: an
// entry is one word that holds a 32-bit tag of the address beside the server, so it is never seen
// half written. The use time is a second word; if two workers give a slot to different addresses at
// once, an entry may keep a time that is a little off. What may go wrong in all races together is
// that a destination is scheduled afresh or (2^-29 per look-up) shares another's server: choices
// that any scheduler is free to make.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/lb/ids.h"
#include "dataplane/lb/time.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// Time in units of 2^26 ns (67 ms); differences are right for 9 years.
using CoarseTime = std::uint32_t;

constexpr CoarseTime coarse(TimePoint now) noexcept {
    return static_cast<CoarseTime>(now.time_since_epoch().count() >> 26);
}
// Longer durations count as the longest that can be expressed.
constexpr CoarseTime coarse(Duration duration) noexcept {
    const auto units = duration.count() >> 26;
    return units > 0x7fffffff ? 0x7fffffffU : static_cast<CoarseTime>(units);
}

// A 64-bit hash of an address, never 0.
std::uint64_t address_hash(const net::IpAddress& address) noexcept;

class AffinityCache {
  public:
    static constexpr std::size_t kWays = 8;
    static constexpr std::size_t kBuckets = 2048;

    // The server of `address`, unless unused for longer than `max_idle`. Counts as a use.
    std::optional<RealServerId> find(const net::IpAddress& address, CoarseTime now,
                                     CoarseTime max_idle) noexcept;

    // Remembers `server` for `address` in place of what was there.
    void store(const net::IpAddress& address, RealServerId server, CoarseTime now) noexcept;

  private:
    struct Bucket {
        std::array<std::atomic<std::uint64_t>, kWays> words{};  // tag << 32 | server; 0 = empty
        std::array<std::atomic<CoarseTime>, kWays> used{};
    };

    Bucket& bucket_of(std::uint64_t hash) noexcept { return (*buckets_)[hash % kBuckets]; }

    std::unique_ptr<std::array<Bucket, kBuckets>> buckets_ =
        std::make_unique<std::array<Bucket, kBuckets>>();
};

}  // namespace pollux::lb
