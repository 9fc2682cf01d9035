// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/slot_index.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace pollux::lb {
namespace {

constexpr unsigned kAllSlots = (1U << kSlotsPerBucket) - 1;

unsigned mark_shift(bool in_overflow) noexcept {
    return in_overflow ? SlotWord::kInOverflowShift : SlotWord::kInSecondShift;
}

std::uint64_t& mark_slot(SlotBucket& home, std::uint64_t entry) noexcept {
    return home.slots[SlotWord::mark_class(SlotWord::tag(entry))];
}

// Counts one more key that lives away from home. False when the mark is at its maximum: then the
// key must not go there. Sequentially consistent like the placing that follows: whoever sees the
// slot's absence after the placing must have been able to see the mark.
bool raise_mark(SlotBucket& home, std::uint64_t entry, bool in_overflow) noexcept {
    const unsigned shift = mark_shift(in_overflow);
    std::uint64_t& slot = mark_slot(home, entry);
    std::uint64_t word = atomic_load(slot, std::memory_order_seq_cst);
    for (;;) {
        if (((word >> shift) & SlotWord::kMarkMax) == SlotWord::kMarkMax) return false;
        const std::uint64_t raised = word + (std::uint64_t{1} << shift);
        if (atomic_exchange_if(slot, word, raised, std::memory_order_seq_cst)) return true;
    }
}

// After the slot is gone. Release: whoever sees the lower mark need not look for that slot.
void lower_mark(SlotBucket& home, std::uint64_t entry, bool in_overflow) noexcept {
    const unsigned shift = mark_shift(in_overflow);
    std::uint64_t& slot = mark_slot(home, entry);
    std::uint64_t word = atomic_load(slot, std::memory_order_seq_cst);
    for (;;) {
        const std::uint64_t lowered = word - (std::uint64_t{1} << shift);
        if (atomic_exchange_if(slot, word, lowered, std::memory_order_acq_rel)) return;
    }
}

}  // namespace

SlotIndexSize slot_index_size(std::uint64_t keys) noexcept {
    // keys / 0.8 / 8 = keys * 5 / 32, rounded up.
    const std::uint64_t main = std::max<std::uint64_t>((keys * 5 + 31) / 32, 2);
    const std::uint64_t overflow = std::max<std::uint64_t>((main + 7) / 8, 2);
    return {static_cast<std::uint32_t>(main), static_cast<std::uint32_t>(overflow)};
}

void SlotIndex::prefetch_elsewhere(std::uint64_t hash, std::uint64_t marks) const noexcept {
    if (((marks >> SlotWord::kInSecondShift) & SlotWord::kMarkMax) != 0) {
        prefetch_main(second(hash));
    }
    if (((marks >> SlotWord::kInOverflowShift) & SlotWord::kMarkMax) != 0) {
        __builtin_prefetch(&overflow_[overflow(hash, 0)], 0, 3);
        __builtin_prefetch(&overflow_[overflow(hash, 1)], 0, 3);
    }
}

bool SlotIndex::place_in(SlotBucket& bucket, std::uint64_t entry) noexcept {
    for (unsigned free = ~bucket.used() & kAllSlots; free != 0; free &= free - 1) {
        const auto slot = static_cast<unsigned>(std::countr_zero(free));
        std::uint64_t word = bucket.load(slot);
        while (!SlotWord::used(word)) {
            // The slot keeps its marks. Sequentially consistent: see `place`.
            if (atomic_exchange_if(bucket.slots[slot], word, word | entry,
                                   std::memory_order_seq_cst)) {
                return true;
            }
        }
    }
    return false;
}

bool SlotIndex::clear_in(SlotBucket& bucket, std::uint64_t entry) noexcept {
    for (unsigned hits = bucket.match(SlotWord::tag(entry)); hits != 0; hits &= hits - 1) {
        const auto slot = static_cast<unsigned>(std::countr_zero(hits));
        std::uint64_t word = bucket.load(slot);
        while (SlotWord::entry(word) == entry) {
            // Only the marks can change meanwhile; they stay. Release: what was done to
            // the record before is seen by whoever uses the slot next.
            if (atomic_exchange_if(bucket.slots[slot], word, word & SlotWord::kMarks,
                                   std::memory_order_acq_rel)) {
                return true;
            }
        }
    }
    return false;
}

Placement SlotIndex::place(std::uint64_t hash, std::uint32_t record, unsigned key) noexcept {
    const std::uint64_t entry = SlotWord::make(record, tag(hash), key);
    SlotBucket& home_bucket = main_[home(hash)];
    const auto home_used = static_cast<unsigned>(std::popcount(home_bucket.used()));
    const auto is_home_roomy = [&] {
        if (home_used + 1 < kSlotsPerBucket) return true;
        return home_used < kSlotsPerBucket &&
               static_cast<unsigned>(std::popcount(main_[second(hash)].used())) >= home_used;
    };
    if (is_home_roomy() && place_in(home_bucket, entry)) return Placement::Home;
    return place_away(hash, entry);
}

Placement SlotIndex::place_away(std::uint64_t hash, std::uint64_t entry) noexcept {
    SlotBucket& home_bucket = main_[home(hash)];
    SlotBucket& second_bucket = main_[second(hash)];
    if (&second_bucket != &home_bucket && second_bucket.used() != kAllSlots &&
        raise_mark(home_bucket, entry, false)) {
        if (place_in(second_bucket, entry)) return Placement::Second;
        lower_mark(home_bucket, entry, false);
    }
    // The last free slot at home rather than the overflow array.
    if (place_in(home_bucket, entry)) return Placement::Home;
    if (!raise_mark(home_bucket, entry, true)) return Placement::Nowhere;
    SlotBucket* emptier = &overflow_[overflow(hash, 0)];
    SlotBucket* fuller = &overflow_[overflow(hash, 1)];
    if (std::popcount(fuller->used()) < std::popcount(emptier->used())) std::swap(emptier, fuller);
    if (place_in(*emptier, entry) || place_in(*fuller, entry)) return Placement::Overflow;
    lower_mark(home_bucket, entry, true);
    return Placement::Nowhere;
}

Placement SlotIndex::clear(std::uint64_t hash, std::uint32_t record, unsigned key) noexcept {
    const std::uint64_t entry = SlotWord::make(record, tag(hash), key);
    SlotBucket& home_bucket = main_[home(hash)];
    if (clear_in(home_bucket, entry)) return Placement::Home;
    if (clear_in(main_[second(hash)], entry)) {
        lower_mark(home_bucket, entry, false);
        return Placement::Second;
    }
    const bool found = clear_in(overflow_[overflow(hash, 0)], entry) ||
                       clear_in(overflow_[overflow(hash, 1)], entry);
    assert(found && "a record's slot is in one of its four buckets");
    if (!found) return Placement::Nowhere;
    lower_mark(home_bucket, entry, true);
    return Placement::Overflow;
}

}  // namespace pollux::lb
