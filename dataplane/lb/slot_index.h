// SPDX-License-Identifier: Apache-2.0
#pragma once

// SlotIndex: from a 64-bit hash to record positions. Each key has a home bucket and a second bucket
// in the main array, and two buckets in a small overflow array; it lies in exactly one slot of
// these four and never moves. Lock-free; what the slots mean is record_table.h's affair.
//
// Sizes: main slots = keys / 0.8, overflow buckets = main buckets / 8. A key goes home while the
// home bucket has two free slots (or is no fuller than the second); then to the second; then to the
// emptier overflow bucket. Simulated in churn (each key replaced six times) this leaves about 3 %
// of the keys in the overflow array, which is then 20 % full; at 90 % load it is 50 % full.
// Two-choice without an overflow array fails 3 % of insertions in churn at 80 %. The marks in the
// home bucket keep the usual lookup, hit or miss, at one cache line, and no lookup sees more than
// four.

#include <cstdint>
#include <span>

#include "dataplane/lb/slot_bucket.h"

namespace pollux::lb {

struct SlotIndexSize {
    std::uint32_t main_buckets;
    std::uint32_t overflow_buckets;
};

// Where a key lies.
enum class Placement : std::uint8_t { Home, Second, Overflow, Nowhere };

// For so many keys at 80 % load of the main slots.
[[nodiscard]] SlotIndexSize slot_index_size(std::uint64_t keys) noexcept;

class SlotIndex {
  public:
    // Both arrays zero-filled, not empty, in the memory region.
    SlotIndex(std::span<SlotBucket> main, std::span<SlotBucket> overflow) noexcept
        : main_(main), overflow_(overflow) {}

    // The place of a hash. Bucket numbers by multiply-shift, so that any number of buckets works:
    // home from the upper half, second from the lower half. The tag mixes both halves, so it is
    // uniform among the keys of a bucket, whichever way they came to it.
    [[nodiscard]] std::uint32_t home(std::uint64_t hash) const noexcept {
        return scale(hash >> 32U, main_.size());
    }
    [[nodiscard]] std::uint32_t second(std::uint64_t hash) const noexcept {
        return scale(hash & 0xffffffffU, main_.size());
    }
    [[nodiscard]] static std::uint16_t tag(std::uint64_t hash) noexcept {
        return static_cast<std::uint16_t>((hash >> 32U) ^ hash);
    }
    [[nodiscard]] std::uint32_t overflow(std::uint64_t hash, unsigned choice) const noexcept {
        // Independent of home and second: the upper half of a product hangs on all bits of the
        // hash.
        const std::uint64_t mixed =
            hash * (choice == 0 ? 0x9e3779b97f4a7c15ULL : 0xd6e8feb86659fd93ULL);
        return scale(mixed >> 32U, overflow_.size());
    }

    [[nodiscard]] const SlotBucket& main(std::uint32_t bucket) const noexcept {
        return main_[bucket];
    }
    void prefetch_main(std::uint32_t bucket) const noexcept {
        __builtin_prefetch(&main_[bucket], 0, 3);
    }
    void prefetch_home(std::uint64_t hash) const noexcept { prefetch_main(home(hash)); }
    // The buckets that the home bucket's marks for this hash point to.
    void prefetch_elsewhere(std::uint64_t hash, std::uint64_t marks) const noexcept;

    // The buckets besides the home one that placing a key and looking for its rivals will touch.
    // The home bucket should be in the cache.
    void prefetch_placing(std::uint64_t hash) const noexcept {
        const SlotBucket& bucket = main_[home(hash)];
        const auto used = static_cast<unsigned>(__builtin_popcount(bucket.used()));
        if (used + 1 >= kSlotsPerBucket) prefetch_main(second(hash));
        prefetch_elsewhere(hash, bucket.marks(tag(hash)));
    }

    // Calls visit(word) for each slot, in any bucket that may hold it, whose tag fits the hash,
    // until visit returns true; returns whether it did.
    template <typename Visit>
    bool search(std::uint64_t hash, Visit&& visit) const noexcept {
        const SlotBucket& home_bucket = main_[home(hash)];
        if (search_bucket(home_bucket, tag(hash), visit)) return true;
        const std::uint64_t marks = home_bucket.marks(tag(hash));
        return marks != 0 && search_elsewhere(hash, marks, visit);
    }
    // The same without the home bucket, whose marks are given.
    template <typename Visit>
    bool search_elsewhere(std::uint64_t hash, std::uint64_t marks, Visit&& visit) const noexcept;

    // Puts a slot for the record's key; Nowhere when all four buckets are full. One
    // compare-and-swap (two when not at home): sequentially consistent, so that of two who place
    // and then search for the same key at least one finds the other.
    [[nodiscard]] Placement place(std::uint64_t hash, std::uint32_t record, unsigned key) noexcept;
    // Takes away what `place` put, and says where it was. One thread only for each placed slot.
    Placement clear(std::uint64_t hash, std::uint32_t record, unsigned key) noexcept;

    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return main_.size_bytes() + overflow_.size_bytes();
    }
    [[nodiscard]] std::uint64_t slots() const noexcept {
        return (main_.size() + overflow_.size()) * kSlotsPerBucket;
    }

  private:
    static std::uint32_t scale(std::uint64_t value32, std::size_t count) noexcept {
        return static_cast<std::uint32_t>((value32 * count) >> 32U);
    }
    template <typename Visit>
    static bool search_bucket(const SlotBucket& bucket, std::uint16_t tag, Visit& visit) noexcept {
        for (unsigned hits = bucket.match(tag); hits != 0; hits &= hits - 1) {
            const std::uint64_t word = bucket.load(static_cast<unsigned>(__builtin_ctz(hits)));
            if (SlotWord::used(word) && SlotWord::tag(word) == tag && visit(word)) return true;
        }
        return false;
    }
    static bool place_in(SlotBucket& bucket, std::uint64_t entry) noexcept;
    static bool clear_in(SlotBucket& bucket, std::uint64_t entry) noexcept;
    [[nodiscard]] Placement place_away(std::uint64_t hash, std::uint64_t entry) noexcept;

    std::span<SlotBucket> main_;
    std::span<SlotBucket> overflow_;
};

template <typename Visit>
bool SlotIndex::search_elsewhere(std::uint64_t hash, std::uint64_t marks,
                                 Visit&& visit) const noexcept {
    if (((marks >> SlotWord::kInSecondShift) & SlotWord::kMarkMax) != 0 &&
        search_bucket(main_[second(hash)], tag(hash), visit)) {
        return true;
    }
    if (((marks >> SlotWord::kInOverflowShift) & SlotWord::kMarkMax) == 0) return false;
    const std::uint32_t first = overflow(hash, 0);
    const std::uint32_t other = overflow(hash, 1);
    return search_bucket(overflow_[first], tag(hash), visit) ||
           (other != first && search_bucket(overflow_[other], tag(hash), visit));
}

}  // namespace pollux::lb
