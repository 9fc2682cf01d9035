// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table that `pollux-bench table` is compared with: DPDK's rte_hash with lock-free readers
// (RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF) and bulk lookups, in memory of the same kind of pages.
// Only rival_rte_hash.cpp sees DPDK; a build without it has rival_none.cpp instead.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "dataplane/net/result.h"

namespace pollux::bench {

// One direction of an IPv4 flow: words 0 and 1 of its FlowKey. Sixteen bytes, for which rte_hash
// has its fastest comparison.
using RivalKey = std::array<std::uint64_t, 2>;

class Rival {
  public:
    static constexpr unsigned kBulk = 32;  // keys of a lookup

    // Room for `keys`, in reserved or transparent huge pages where there are any. The first call
    // starts DPDK's environment; one table at a time. Errors: no DPDK in this build, no memory.
    static Result<std::unique_ptr<Rival>> create(std::uint64_t keys);
    ~Rival();
    Rival(const Rival&) = delete;
    Rival& operator=(const Rival&) = delete;

    // False: no room. `data` is what lookups return.
    bool add(const RivalKey& key, std::uintptr_t data) noexcept;
    // The same under a hash of the caller's, and the lookup with it. A table holds keys of the one
    // kind or of the other.
    bool add(const RivalKey& key, std::uint32_t hash, std::uintptr_t data) noexcept;
    // Removes the key and makes its place usable again at once, as nobody else reads here. False:
    // there is no such key.
    bool remove(const RivalKey& key) noexcept;
    // At most kBulk keys in one call; how many were found.
    unsigned look_up(std::span<const RivalKey> keys) const noexcept;
    // Returns a bit for each key that was found; `data` of the others is not written.
    std::uint64_t look_up(std::span<const RivalKey, kBulk> keys,
                          std::array<std::uint32_t, kBulk>& hashes,
                          std::array<std::uintptr_t, kBulk>& data) const noexcept;
    // Goes through the next `count` keys in the order of the table, round and round, as whoever
    // looks for expired ones must; the sum of their data.
    std::uintptr_t scan(unsigned count) noexcept;

    [[nodiscard]] std::uint64_t bytes() const noexcept;  // all that rte_hash has allocated
    [[nodiscard]] const std::string& pages() const noexcept;

  private:
    struct Impl;
    explicit Rival(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::bench
