// SPDX-License-Identifier: Apache-2.0
// The persistence table against a list with a timer for each template, as LVS has it: random
// operations on few keys, so that expiry, re-arming and replacement happen all the time.
#include <map>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using test::at_second;
using test::be;
using test::ip;
using test::ip4;
using test::make_region;
using test::participant_at;
using Status = TemplateInsertResult::Status;

constexpr Participant kWorker{0};
constexpr unsigned kKeys = 6;
constexpr unsigned kTemplates = 64;
constexpr std::uint32_t kRearmTicks = 60 * 16;

FlowKey key_of(unsigned number) {
    return template_key(ip4(0x0a000001 + number), 32, ip("10.1.0.10"), be(80), Protocol::Tcp);
}

// What the table should do, in the simplest way: every timer is looked at in every tick.
class Model {
  public:
    struct Entry {
        unsigned key = 0, server = 0, connections = 0;
        std::uint32_t expires = 0, timeout = 0;
        bool rearmed = false, assured = false, unreachable = false;
    };

    std::optional<std::uint32_t> find(unsigned key) const {
        for (const auto& [record, entry] : entries) {
            if (entry.key == key && !entry.unreachable) return record;
        }
        return std::nullopt;
    }
    // LVS: ip_vs_conn_expire.
    void tick(std::uint32_t now) {
        std::erase_if(entries, [now](const auto& item) {
            return item.second.expires <= now && item.second.connections == 0;
        });
        for (auto& [record, entry] : entries) {
            if (entry.expires > now) continue;
            entry.expires += kRearmTicks;
            entry.rearmed = true;
        }
    }
    std::map<std::uint32_t, Entry> entries;  // by the table's record
};

class PersistenceModel : public testing::TestWithParam<std::uint32_t> {
  protected:
    PersistenceModel()
        : limits_{kTemplates, 2, {1, 2, 3, 4}},
          region_(make_region(plan_of(limits_))),
          table_(limits_, region_, quiescence_),
          random_(GetParam()) {
        quiescence_.online(participant_at(0));
        quiescence_.online(participant_at(1));
    }
    static RegionPlan plan_of(const PersistenceTableLimits& limits) {
        RegionPlan plan;
        PersistenceTable::plan(plan, limits);
        return plan;
    }
    unsigned roll(unsigned sides) { return static_cast<unsigned>(random_() % sides); }
    Tick now() const { return Tick{now_}; }

    void pass_time() {
        const unsigned ticks = roll(4) == 0 ? roll(2000) : roll(40);
        for (unsigned i = 0; i < ticks; ++i) model_.tick(++now_);
        quiescence_.report(participant_at(0));
        quiescence_.report(participant_at(1));
        table_.recycle(kWorker);
    }
    void insert() {
        const unsigned key = roll(kKeys);
        NewTemplate what;
        what.key = key_of(key);
        what.server = RealServerId{roll(8)};
        what.timeout = Ticks{16 + roll(600)};
        const auto known = model_.find(key);
        const TemplateInsertResult result = table_.insert(kWorker, what, now());
        if (result.status == Status::Full) return;  // records wait for quiescence
        ASSERT_EQ(result.status, known ? Status::Exists : Status::Inserted);
        if (known) {
            ASSERT_EQ(index(result.index), *known);
            return;
        }
        // The record of an ended template may be in use again.
        model_.entries[index(result.index)] = {key,
                                               static_cast<unsigned>(what.server),
                                               0,
                                               now_ + what.timeout.count(),
                                               what.timeout.count(),
                                               false,
                                               false,
                                               false};
    }
    void acquire(std::uint32_t record, Model::Entry& entry) {
        const bool possible = !entry.unreachable;
        ASSERT_EQ(table_.acquire(TemplateIndex{record}, now()), possible);
        if (!possible) return;
        ++entry.connections;
        entry.expires = now_ + (entry.rearmed ? kRearmTicks : entry.timeout);
    }
    void release(std::uint32_t record, Model::Entry& entry) {
        if (entry.connections == 0) return;
        table_.release(TemplateIndex{record}, now());
        --entry.connections;
        if (entry.connections == 0) model_.tick(now_);
    }
    void make_unreachable(std::uint32_t record, Model::Entry& entry) {
        ASSERT_EQ(table_.make_unreachable(kWorker, TemplateIndex{record}), !entry.unreachable);
        entry.unreachable = true;
    }
    void remove_unused(std::uint32_t record, Model::Entry& entry) {
        const bool unused = entry.connections == 0;
        ASSERT_EQ(table_.remove_unused(kWorker, TemplateIndex{record}), unused);
        if (unused) model_.entries.erase(record);
    }
    void change_one() {
        if (model_.entries.empty()) return;
        const auto at =
            std::next(model_.entries.begin(), roll(static_cast<unsigned>(model_.entries.size())));
        const std::uint32_t record = at->first;
        Model::Entry& entry = at->second;
        switch (roll(8)) {
            case 0:
            case 1:
            case 2:
                return acquire(record, entry);
            case 3:
            case 4:
                return release(record, entry);
            case 5:
                table_.assure(TemplateIndex{record});
                entry.assured = true;
                return;
            case 6:
                return make_unreachable(record, entry);
            default:
                return remove_unused(record, entry);
        }
    }
    void compare() {
        for (unsigned key = 0; key < kKeys; ++key) {
            const auto expected = model_.find(key);
            ASSERT_EQ(index(table_.find(key_of(key), now())), expected.value_or(0)) << key;
        }
        std::size_t seen = 0;
        table_.visit(0, kTemplates * 4, now(), [&](const TemplateView& view) {
            const auto found = model_.entries.find(index(view.index));
            // One that has ended stays in the table until the sweep comes.
            if (found == model_.entries.end()) {
                EXPECT_EQ(view.connections, 0U);
                EXPECT_EQ(view.expires_in, Ticks{0});
                return;
            }
            ++seen;
            const Model::Entry& entry = found->second;
            EXPECT_EQ(static_cast<unsigned>(view.server), entry.server);
            EXPECT_EQ(view.connections, entry.connections);
            EXPECT_EQ(view.assured, entry.assured);
            EXPECT_EQ(view.unreachable, entry.unreachable);
            EXPECT_EQ(view.expires_in, Ticks{entry.expires - now_});
        });
        ASSERT_EQ(seen, model_.entries.size());
    }

    Quiescence quiescence_{2};
    PersistenceTableLimits limits_;
    MemoryRegion region_;
    PersistenceTable table_;
    std::mt19937 random_;
    Model model_;
    std::uint32_t now_ = 16000;
};

TEST_P(PersistenceModel, TableAgreesWithTimersUnderRandomOperations) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()));
    for (unsigned i = 0; i < 4000 && !HasFatalFailure() && !HasFailure(); ++i) {
        switch (roll(6)) {
            case 0:
                pass_time();
                break;
            case 1:
                insert();
                break;
            case 2:
                table_.sweep(kWorker, now(), kTemplates * 4);
                break;
            default:
                change_one();
        }
        compare();
    }
}
INSTANTIATE_TEST_SUITE_P(Seeds, PersistenceModel, testing::Range(1U, 9U));

}  // namespace
}  // namespace pollux::lb
