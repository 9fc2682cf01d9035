// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/fragment_table.h"

#include <algorithm>
#include <bit>

#include "dataplane/lb/address_map.h"

namespace pollux::lb {
namespace {

std::uint64_t hash_key(const FragmentKey& key) noexcept {
    std::uint64_t mixed = hash_address(key.source) * 0x9e3779b97f4a7c15U;
    mixed ^= hash_address(key.destination) + ((std::uint64_t{key.id} << 8U) | key.protocol);
    mixed = (mixed ^ (mixed >> 31U)) * 0xd6e8feb86659fd93U;
    return mixed ^ (mixed >> 32U);
}

}  // namespace

Datagram::Addition Datagram::add(FragmentRange range, bool is_last) noexcept {
    const bool beyond_end = total != 0 && range.end > total;
    if (beyond_end || (is_last && total != 0 && range.end != total)) return Addition::Overlap;
    unsigned at = 0;
    while (at < range_count && ranges[at].end < range.first) ++at;
    if (at < range_count && ranges[at].first <= range.first && range.end <= ranges[at].end) {
        return Addition::Duplicate;
    }
    // ranges[at] is the first that ends at or behind the new one's start.
    const bool joins_left = at < range_count && ranges[at].end == range.first;
    const unsigned right = joins_left ? at + 1 : at;
    if (right < range_count && ranges[right].first < range.end) return Addition::Overlap;
    if (is_last && range_count != 0 && ranges[range_count - 1].end > range.end) {
        return Addition::Overlap;
    }
    const bool joins_right = right < range_count && ranges[right].first == range.end;
    if (joins_left && joins_right) {
        ranges[at].end = ranges[right].end;
        std::copy(ranges.begin() + right + 1, ranges.begin() + range_count, ranges.begin() + right);
        --range_count;
    } else if (joins_left) {
        ranges[at].end = range.end;
    } else if (joins_right) {
        ranges[right].first = range.first;
    } else {
        if (range_count == kMaxFragmentRanges) return Addition::TooMany;
        std::copy_backward(ranges.begin() + at, ranges.begin() + range_count,
                           ranges.begin() + range_count + 1);
        ranges[at] = range;
        ++range_count;
    }
    if (is_last) total = range.end;
    return Addition::New;
}

FragmentTable::FragmentTable(std::uint32_t capacity)
    : datagrams_(std::bit_ceil(std::max<std::uint32_t>(capacity, kWays))),
      mask_(datagrams_.size() - 1) {}

Datagram* FragmentTable::take(const FragmentKey& key, TimePoint now) noexcept {
    const std::uint64_t first = hash_key(key) & ~std::uint64_t{kWays - 1};
    Datagram* place = nullptr;
    for (std::uint64_t way = 0; way < kWays; ++way) {
        Datagram& datagram = datagrams_[(first + way) & mask_];
        const bool over = !datagram.used || now >= datagram.deadline;
        if (!over && datagram.key == key) return &datagram;
        // One with waiting fragments has to be cleared by next_overdue first.
        if (over && datagram.parked_count == 0 && place == nullptr) place = &datagram;
    }
    if (place == nullptr) return nullptr;
    place->key = key;
    place->deadline = now + kFragmentTimeout;
    place->used = true;
    place->fate = FragmentFate::Waiting;
    place->drop_reason = DropReason::None;
    place->total = 0;
    place->range_count = 0;
    return place;
}

bool FragmentTable::park(Datagram& datagram, const Packet& packet) noexcept {
    if (parked_ == kMaxParked || datagram.parked_count == kMaxParkedPerDatagram) return false;
    datagram.parked[datagram.parked_count++] = packet;
    ++parked_;
    return true;
}

Packet FragmentTable::unpark(Datagram& datagram) noexcept {
    const Packet packet = datagram.parked[0];
    std::copy(datagram.parked.begin() + 1, datagram.parked.begin() + datagram.parked_count,
              datagram.parked.begin());
    --datagram.parked_count;
    --parked_;
    return packet;
}

Datagram* FragmentTable::next_overdue(TimePoint now) noexcept {
    if (parked_ == 0 || now < next_look_) return nullptr;
    for (std::size_t i = cursor_; i < datagrams_.size(); ++i) {
        Datagram& datagram = datagrams_[i];
        if (datagram.used && datagram.parked_count != 0 && now >= datagram.deadline) {
            cursor_ = static_cast<std::uint32_t>(i);
            return &datagram;
        }
    }
    cursor_ = 0;
    next_look_ = now + kFragmentTimeout / 4;
    return nullptr;
}

}  // namespace pollux::lb
