// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connection table under any protocol, complete or maimed, for the concurrency tests.

#include <vector>

#include "dataplane/lb/record_table_insert.h"
#include "tests/support/table_fixture.h"

namespace pollux::test {

template <typename Protocol>
class ProtocolTable {
  public:
    explicit ProtocolTable(std::uint32_t records, unsigned participants)
        : quiescence(participants),
          chunks_(lb::pool_chunks(records, participants)),
          records_(lb::pool_records(records, participants)),
          main_(lb::slot_index_size(2ULL * records).main_buckets),
          overflow_(lb::slot_index_size(2ULL * records).overflow_buckets),
          embryonic_(participants),
          pool_(heads_, chunks_, lb::pool_records(records, participants), quiescence),
          table(records_, lb::SlotIndex(main_, overflow_), pool_, hash_, participants,
                lb::ConnectionTraits(addresses_.servers, addresses_.locals, embryonic_)) {}

    // Reserves and initialises; 0 when the pool is empty.
    std::uint32_t reserve(lb::Participant self, const lb::NewConnection& what, lb::Tick now) {
        const std::uint32_t record = table.reserve(self);
        if (record != 0) table[record].init(what, now);
        return record;
    }
    lb::PublishResult publish(lb::Participant self, std::uint32_t record,
                              const lb::NewConnection& what, lb::Tick now) {
        return table.publish(self, record, hash_(what.forward), now);
    }
    [[nodiscard]] std::uint32_t find(const lb::FlowKey& key, lb::Tick now) const {
        return table.find(key, hash_(key), now).record;
    }
    [[nodiscard]] std::uint32_t record_count() const {
        return static_cast<std::uint32_t>(records_.size());
    }
    // The keys of each live record.
    [[nodiscard]] std::vector<std::pair<std::uint32_t, lb::FlowKey>> live_keys() const {
        std::vector<std::pair<std::uint32_t, lb::FlowKey>> keys;
        for (std::uint32_t i = 0; i < records_.size(); ++i) {
            const lb::Connection& connection = table[i];
            if (connection.state().lifecycle() != lb::Lifecycle::Live) continue;
            for (unsigned k = 0; k < lb::ConnectionTraits::key_count(connection); ++k) {
                keys.emplace_back(i, table.traits().key(connection, k));
            }
        }
        return keys;
    }
    // How many pairs of live records have a key in common.
    [[nodiscard]] std::size_t shared_keys() const {
        const auto keys = live_keys();
        std::size_t shared = 0;
        for (std::size_t a = 0; a < keys.size(); ++a) {
            for (std::size_t b = a + 1; b < keys.size(); ++b) {
                if (keys[a].first != keys[b].first && keys[a].second == keys[b].second) ++shared;
            }
        }
        return shared;
    }

    lb::Quiescence quiescence;

  private:
    Addresses addresses_;
    lb::FlowHash hash_{{1, 2, 3, 4}};
    lb::PoolHeads heads_{};
    std::vector<lb::PoolChunk> chunks_;
    std::vector<lb::Connection> records_;
    std::vector<lb::SlotBucket> main_;
    std::vector<lb::SlotBucket> overflow_;
    std::vector<lb::EmbryonicCount> embryonic_;
    lb::RecordPool pool_;

  public:
    lb::RecordTable<lb::ConnectionTraits, Protocol> table;
};

}  // namespace pollux::test
