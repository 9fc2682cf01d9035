// SPDX-License-Identifier: Apache-2.0
// The fragment table against sets of bytes: which fragments are new, known or overlap, when a
// datagram is whole, and what becomes of those that wait.
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "dataplane/lb/fragment_table.h"
#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using test::ip4;
using Addition = Datagram::Addition;

// A datagram as the set of its 8-byte units that have been seen.
class Units {
  public:
    Addition add(unsigned first, unsigned end, bool is_last) {
        const bool contradicts = (total_ != 0 && end > total_) ||
                                 (is_last && total_ != 0 && end != total_) ||
                                 (is_last && !seen_.empty() && *seen_.rbegin() >= end);
        unsigned known = 0;
        for (unsigned unit = first; unit < end; ++unit) known += seen_.contains(unit) ? 1 : 0;
        const bool duplicate = known == end - first;
        if (total_ != 0 && (end > total_ || (is_last && end != total_))) return Addition::Overlap;
        if (duplicate) return Addition::Duplicate;
        if (known != 0 || contradicts) return Addition::Overlap;
        std::set<unsigned> with = seen_;
        for (unsigned unit = first; unit < end; ++unit) with.insert(unit);
        if (pieces(with) > kMaxFragmentRanges) return Addition::TooMany;
        seen_ = with;
        if (is_last) total_ = end;
        return Addition::New;
    }
    bool is_complete() const { return total_ != 0 && seen_.size() == total_; }

  private:
    static unsigned pieces(const std::set<unsigned>& units) {
        unsigned count = 0;
        for (const unsigned unit : units) count += unit == 0 || !units.contains(unit - 1) ? 1 : 0;
        return count;
    }
    std::set<unsigned> seen_;
    unsigned total_ = 0;
};

TEST(FragmentModel, DatagramsAgreeWithSetsOfUnits) {
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const auto size = static_cast<unsigned>(2 + random() % 40);
        Datagram datagram;
        Units model;
        for (unsigned i = 0; i < 60; ++i) {
            const auto first = static_cast<unsigned>(random() % size);
            const unsigned end =
                first + 1 + static_cast<unsigned>(random() % std::min(size - first, 6U));
            const bool is_last = end == size || random() % 40 == 0;
            const Addition expected = model.add(first, end, is_last);
            ASSERT_EQ(datagram.add({first * 8, end * 8}, is_last), expected)
                << first << ".." << end << (is_last ? " last" : "");
            ASSERT_EQ(datagram.is_complete(), model.is_complete());
        }
    }
}

FragmentKey key_of(unsigned number) {
    return {ip4(0x0a000001 + number % 5), ip4(0x0a01000a), number, 17};
}

// Keys, deadlines and what is parked, against a map. The table may refuse a new datagram for lack
// of room, but must never forget or confuse one that it took.
TEST(FragmentModel, TableAgreesWithAMap) {
    struct Entry {
        TimePoint deadline;
        unsigned mark = 0;
        unsigned parked = 0;
    };
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        FragmentTable table(32);
        std::map<unsigned, Entry> model;
        TimePoint now{std::chrono::seconds(100)};
        for (unsigned i = 0; i < 3000; ++i) {
            if (random() % 8 == 0) now += std::chrono::milliseconds(random() % 400);
            while (Datagram* late = table.next_overdue(now)) {
                Entry& entry = model.at(late->key.id);
                ASSERT_GE(now, entry.deadline);
                ASSERT_EQ(late->parked_count, entry.parked);
                while (late->parked_count != 0) static_cast<void>(table.unpark(*late));
                table.release(*late);
                model.erase(late->key.id);
            }
            std::erase_if(model, [now](const auto& item) {
                return now >= item.second.deadline && item.second.parked == 0;
            });
            const auto number = static_cast<unsigned>(random() % 60);
            const auto known = model.find(number);
            if (known != model.end() && now >= known->second.deadline) continue;  // not yet cleared
            Datagram* const datagram = table.take(key_of(number), now);
            if (known == model.end()) {
                if (datagram == nullptr) continue;
                ASSERT_EQ(datagram->range_count, 0U) << "a fresh one";
                ASSERT_EQ(datagram->fate, FragmentFate::Waiting);
                datagram->total = number + 1;
                model[number] = {now + kFragmentTimeout, number + 1, 0};
            } else {
                ASSERT_NE(datagram, nullptr) << "a known datagram is always found";
                ASSERT_EQ(datagram->total, known->second.mark);
            }
            Entry& entry = model[number];
            unsigned parked = 0;
            for (const auto& [id, other] : model) parked += other.parked;
            ASSERT_EQ(table.parked(), parked);
            if (random() % 4 == 0) {
                const bool room = parked < kMaxParked && entry.parked < kMaxParkedPerDatagram;
                ASSERT_EQ(table.park(*datagram, Packet{}), room);
                entry.parked += room ? 1 : 0;
            } else if (random() % 3 == 0) {
                while (datagram->parked_count != 0) static_cast<void>(table.unpark(*datagram));
                table.release(*datagram);
                model.erase(number);
            }
        }
    }
}

}  // namespace
}  // namespace pollux::lb
