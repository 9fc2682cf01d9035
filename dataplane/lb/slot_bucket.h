// SPDX-License-Identifier: Apache-2.0
#pragma once

// SlotBucket: one cache line of the index, eight slots of eight bytes, and the search in it. Free
// of policy; see slot_index.h for which bucket a key belongs to.

#include <cstdint>
#include <type_traits>

#include "dataplane/lb/atomic_access.h"

// ThreadSanitizer cannot see that an aligned vector load is atomic in each 8-byte lane, as it is on
// every x86 processor, so under it (and on other processors) each slot is loaded by itself.
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define POLLUX_VECTOR_SCAN 1
#elif !__has_feature(thread_sanitizer)
#define POLLUX_VECTOR_SCAN 1
#endif
#endif
#ifdef POLLUX_VECTOR_SCAN
#include <emmintrin.h>
#endif

namespace pollux::lb {

inline constexpr unsigned kSlotsPerBucket = 8;

// A slot's word, used or not; an empty slot may still carry marks.
//
//   0                 32       48         54           60     62       63
//   | record index    | tag    | in second | in overflow | 0    | second | used |
//   |                 |        |           |             |      | key    |      |
//
// "second key" says that the slot stands for the record's second key. The two marks count, in the
// home bucket of a key, the keys that had to go to their second or to an overflow bucket: where a
// mark is 0 nobody needs to look there. Each slot counts the keys of its own class, which is three
// bits of the tag: in churn at full load four of five buckets have such keys, a class in five.
class SlotWord {
  public:
    static constexpr std::uint64_t kUsed = std::uint64_t{1} << 63U;
    static constexpr std::uint64_t kSecondKey = std::uint64_t{1} << 62U;
    static constexpr unsigned kInSecondShift = 48;
    static constexpr unsigned kInOverflowShift = 54;
    static constexpr std::uint64_t kMarkMax = 63;
    static constexpr std::uint64_t kMarks =
        (kMarkMax << kInSecondShift) | (kMarkMax << kInOverflowShift);

    // The slot of the home bucket that has a key's marks.
    static constexpr unsigned mark_class(std::uint16_t tag) noexcept {
        return tag % kSlotsPerBucket;
    }
    static constexpr std::uint64_t make(std::uint32_t record, std::uint16_t tag,
                                        unsigned key) noexcept {
        return kUsed | (key != 0 ? kSecondKey : 0) | (std::uint64_t{tag} << 32U) | record;
    }
    static constexpr std::uint32_t record(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(word);
    }
    static constexpr std::uint16_t tag(std::uint64_t word) noexcept {
        return static_cast<std::uint16_t>(word >> 32U);
    }
    static constexpr unsigned key(std::uint64_t word) noexcept {
        return (word & kSecondKey) != 0 ? 1 : 0;
    }
    static constexpr bool used(std::uint64_t word) noexcept { return (word & kUsed) != 0; }
    // The identity of an entry: all but the marks.
    static constexpr std::uint64_t entry(std::uint64_t word) noexcept { return word & ~kMarks; }
};

struct alignas(64) SlotBucket {
    std::uint64_t slots[kSlotsPerBucket];  // atomic: SlotWord

    // Bit i: slot i is used and has this tag. A filter: the caller loads the slot itself.
    [[nodiscard]] unsigned match(std::uint16_t tag) const noexcept;
    // Bit i: slot i is used.
    [[nodiscard]] unsigned used() const noexcept;

    // Acquires what was written before the slot was placed: the record's identity. Sequentially
    // consistent (the same instruction as acquire here) for the agreement of racing insertions,
    // see SlotIndex::place; for the vector scan x86 gives it, as placing is a locked instruction.
    [[nodiscard]] std::uint64_t load(unsigned slot) const noexcept {
        return atomic_load(slots[slot], std::memory_order_seq_cst);
    }
    // Of the keys with tags of this class whose home this is; see SlotWord. Same order and reason.
    [[nodiscard]] std::uint64_t marks(std::uint16_t tag) const noexcept {
        return load(SlotWord::mark_class(tag)) & SlotWord::kMarks;
    }

  private:
    enum : std::uint32_t { kHighUsed = 0x80000000U, kHighCompare = 0x8000ffffU };
#ifdef POLLUX_VECTOR_SCAN
    // The upper halves of slots first..first+3.
    [[nodiscard]] __m128i upper_halves(unsigned first) const noexcept {
        const auto* at = reinterpret_cast<const __m128i*>(slots + first);
        const __m128 low = _mm_castsi128_ps(_mm_load_si128(at));
        const __m128 high = _mm_castsi128_ps(_mm_load_si128(at + 1));
        return _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
    }
#endif
};
static_assert(sizeof(SlotBucket) == 64 && std::is_trivially_copyable_v<SlotBucket>);

#ifdef POLLUX_VECTOR_SCAN

inline unsigned SlotBucket::match(std::uint16_t tag) const noexcept {
    const __m128i mask = _mm_set1_epi32(static_cast<int>(kHighCompare));
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(kHighUsed | tag));
    const __m128i low = _mm_cmpeq_epi32(_mm_and_si128(upper_halves(0), mask), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_and_si128(upper_halves(4), mask), wanted);
    const __m128i both = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
    return static_cast<unsigned>(_mm_movemask_epi8(both));
}

inline unsigned SlotBucket::used() const noexcept {
    const int low = _mm_movemask_ps(_mm_castsi128_ps(upper_halves(0)));
    const int high = _mm_movemask_ps(_mm_castsi128_ps(upper_halves(4)));
    return static_cast<unsigned>(low | (high << 4));
}

#else

inline unsigned SlotBucket::match(std::uint16_t tag) const noexcept {
    unsigned result = 0;
    for (unsigned i = 0; i < kSlotsPerBucket; ++i) {
        const auto high =
            static_cast<std::uint32_t>(atomic_load(slots[i], std::memory_order_seq_cst) >> 32U);
        if ((high & kHighCompare) == (kHighUsed | tag)) result |= 1U << i;
    }
    return result;
}

inline unsigned SlotBucket::used() const noexcept {
    unsigned result = 0;
    for (unsigned i = 0; i < kSlotsPerBucket; ++i) {
        if (SlotWord::used(atomic_load(slots[i], std::memory_order_seq_cst))) result |= 1U << i;
    }
    return result;
}

#endif

}  // namespace pollux::lb
