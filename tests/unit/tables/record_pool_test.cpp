// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/record_pool.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using test::participant_at;

constexpr Participant kA{0};
constexpr Participant kB{1};

class Pool {
  public:
    Pool(std::uint32_t records, unsigned participants)
        : quiescence(participants),
          chunks_(pool_chunks(records, participants)),
          pool(heads_, chunks_, pool_records(records, participants), quiescence) {
        for (unsigned i = 0; i < participants; ++i) quiescence.online(participant_at(i));
    }
    std::uint32_t take(Participant self) {
        std::uint32_t upcoming = 0;
        return pool.take(self, upcoming);
    }
    std::set<std::uint32_t> take_all(Participant self) {
        std::set<std::uint32_t> taken;
        while (const std::uint32_t record = take(self)) {
            EXPECT_TRUE(taken.insert(record).second) << "given out twice: " << record;
        }
        return taken;
    }
    void quiesce() {
        for (unsigned i = 0; i < quiescence.participants(); ++i) {
            quiescence.report(participant_at(i));
        }
    }

    Quiescence quiescence;

  private:
    PoolHeads heads_{};
    std::vector<PoolChunk> chunks_;

  public:
    RecordPool pool;
};

TEST(RecordPool, GivesOutEveryRecordOnceInRisingOrder) {
    Pool pool(1000, 2);
    EXPECT_EQ(pool.take(kA), 1U);
    EXPECT_EQ(pool.take(kA), 2U);
    const std::set<std::uint32_t> rest = pool.take_all(kA);
    EXPECT_EQ(rest.size() + 2, pool_records(1000, 2) - 1);
    EXPECT_EQ(*rest.begin(), 3U);
    EXPECT_EQ(*rest.rbegin(), pool_records(1000, 2) - 1);
    EXPECT_EQ(pool.pool.in_use(), rest.size() + 2);
}

// The promise of pool_records: what one participant holds back does not starve another.
TEST(RecordPool, AllRecordsAreUsableWhateverTheOthersHoldBack) {
    Pool pool(100, 4);
    for (unsigned i = 1; i < 4; ++i) {
        const std::uint32_t record = pool.take(participant_at(i));
        pool.pool.retire(participant_at(i), record);
    }
    EXPECT_GE(pool.take_all(kA).size(), 100U);
}

TEST(RecordPool, RetiredRecordsWaitForQuiescenceOfEveryone) {
    Pool pool(200, 2);
    const std::set<std::uint32_t> all = pool.take_all(kA);
    for (const std::uint32_t record : all) pool.pool.retire(kA, record);
    EXPECT_EQ(pool.take(kA), 0U);
    pool.quiescence.report(kA);
    EXPECT_EQ(pool.take(kA), 0U) << "the other participant may still look at it";
    pool.quiesce();
    EXPECT_NE(pool.take(kA), 0U);
}

TEST(RecordPool, GivenBackRecordsAreFreeAtOnce) {
    Pool pool(200, 2);
    const std::set<std::uint32_t> all = pool.take_all(kA);
    for (const std::uint32_t record : all) pool.pool.give_back(kA, record);
    EXPECT_EQ(pool.take_all(kA), all);
}

// The sweeping control core retires, workers take.
TEST(RecordPool, RecordsTravelFromWhoRetiresToWhoTakes) {
    Pool pool(600, 2);
    std::set<std::uint32_t> taken = pool.take_all(kA);
    for (int round = 0; round < 50; ++round) {
        const std::size_t before = taken.size();
        for (const std::uint32_t record : taken) pool.pool.retire(kB, record);
        taken.clear();
        for (int i = 0; i < 3; ++i) {
            pool.quiesce();
            pool.pool.recycle(kB);
        }
        taken = pool.take_all(kA);
        EXPECT_GE(taken.size(), 600U);
        EXPECT_LE(before - taken.size(), kChunkRecords);
    }
}

// Random use by many participants: no record twice, no chunk too many (an always-on assertion).
TEST(RecordPool, SurvivesRandomUse) {
    constexpr unsigned kParticipants = 5;
    Pool pool(300, kParticipants);
    std::mt19937 random(42);
    const auto pick = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
    std::set<std::uint32_t> held;
    for (int i = 0; i < 200000; ++i) {
        const Participant self = participant_at(pick(kParticipants));
        const unsigned what = pick(100);
        if (what < 48) {
            const std::uint32_t record = pool.take(self);
            ASSERT_TRUE(record == 0 || held.insert(record).second);
        } else if (what < 96 && !held.empty()) {
            auto which = held.lower_bound(pick(1300));
            if (which == held.end()) which = held.begin();
            if (what < 54) {
                pool.pool.give_back(self, *which);
            } else {
                pool.pool.retire(self, *which);
            }
            held.erase(which);
        } else if (what < 98) {
            pool.quiescence.report(self);
        } else {
            pool.pool.recycle(self);
        }
        ASSERT_EQ(pool.pool.in_use(), held.size());
    }
}

}  // namespace
}  // namespace pollux::lb
