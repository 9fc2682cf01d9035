// SPDX-License-Identifier: Apache-2.0
// Every order of the steps of racing insertions and removals, up to a number of preemptions.
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "tests/concurrency/tables/explorer.h"
#include "tests/concurrency/tables/protocol_table.h"

namespace pollux::lb {
namespace {

using test::at_second;
using test::be;
using test::Explorer;
using test::nat;
using test::participant_at;
using test::ProtocolTable;
using test::tcp_key;

constexpr Tick kNow = at_second(1000);

struct Stepping : SafeProtocol {
    static void step() noexcept { Explorer::step(); }
};
struct WithoutSearch : Stepping {
    static constexpr bool kSearchForRivals = false;
};

// Some connections inserted by a thread each; thread i has participant i.
template <typename Protocol>
class Race {
  public:
    explicit Race(std::vector<NewConnection> connections, bool rising = true)
        : connections_(std::move(connections)), rising_(rising) {}

    void set_up() {
        table = std::make_unique<ProtocolTable<Protocol>>(64, count());
        reserved_.assign(connections_.size(), 0);
        results.assign(connections_.size(), {});
        for (unsigned i = 0; i < connections_.size(); ++i) {
            table->quiescence.online(participant_at(i));
            const unsigned which = rising_ ? i : count() - 1 - i;
            reserved_[which] = table->reserve(participant_at(which), connections_[which], kNow);
        }
    }
    [[nodiscard]] std::vector<std::function<void()>> bodies() {
        std::vector<std::function<void()>> result;
        for (unsigned i = 0; i < connections_.size(); ++i) {
            result.emplace_back([this, i] {
                results[i] = table->publish(participant_at(i), reserved_[i], connections_[i], kNow);
            });
        }
        return result;
    }
    [[nodiscard]] std::size_t published() const {
        return static_cast<std::size_t>(std::count_if(
            results.begin(), results.end(),
            [](const PublishResult& result) { return result.status == PublishStatus::Published; }));
    }

    std::unique_ptr<ProtocolTable<Protocol>> table;
    std::vector<PublishResult> results;

  private:
    [[nodiscard]] unsigned count() const { return static_cast<unsigned>(connections_.size()); }

    std::vector<NewConnection> connections_;
    bool rising_;
    std::vector<std::uint32_t> reserved_;
};

NewConnection with_virtual(NewConnection what, const std::string& virtual_address) {
    what.forward = FlowKey::make(what.forward.source(), what.forward.source_port(),
                                 test::ip(virtual_address), be(80), Protocol::Tcp);
    return what;
}

TEST(InsertOrders, RacingInsertsOfOneKeyAgreeOnOneConnection) {
    for (const bool rising : {true, false}) {
        NewConnection other = nat("198.51.100.7", 40000);
        other.server = RealServerId{3};
        Race<Stepping> race({nat("198.51.100.7", 40000), other}, rising);
        Explorer explorer(3);
        const std::size_t orders = explorer.explore(
            [&] { race.set_up(); }, race.bodies(),
            [&] {
                ASSERT_EQ(race.published(), 1U);
                const unsigned winner = race.results[0].status == PublishStatus::Published ? 0 : 1;
                const PublishResult& loser = race.results[1 - winner];
                EXPECT_EQ(loser.status, PublishStatus::Taken);
                EXPECT_EQ(loser.key, 0U);
                EXPECT_EQ(loser.record, race.results[winner].record);
                EXPECT_EQ(race.table->find(other.forward, kNow), loser.record);
                EXPECT_EQ(race.table->live_keys().size(), 2U);
                const IndexUse use = race.table->table.index_use();
                EXPECT_EQ(use.home + use.second + use.overflow, 2U) << "a slot was left behind";
            });
        EXPECT_GT(orders, 1000U);
    }
}

TEST(InsertOrders, RacingInsertsOfOneReplyKeyGiveOneConnection) {
    for (const bool rising : {true, false}) {
        const NewConnection first = nat("198.51.100.7", 40000);
        const NewConnection second = with_virtual(first, "203.0.113.2");
        Race<Stepping> race({first, second}, rising);
        Explorer explorer(3);
        explorer.explore(
            [&] { race.set_up(); }, race.bodies(),
            [&] {
                ASSERT_EQ(race.published(), 1U);
                const unsigned winner = race.results[0].status == PublishStatus::Published ? 0 : 1;
                EXPECT_EQ(race.results[1 - winner].status, PublishStatus::Taken);
                EXPECT_EQ(race.results[1 - winner].key, 1U);
                EXPECT_EQ(race.results[1 - winner].record, race.results[winner].record);
                EXPECT_EQ(race.table->live_keys().size(), 2U);
            });
    }
}

// A has keys in common with B and with C, which have none in common: either A alone or B and C.
TEST(InsertOrders, AChainOfRivalsIsDecided) {
    for (const bool rising : {true, false}) {
        const NewConnection a = nat("198.51.100.7", 40000);
        NewConnection b = a;  // the same forward key, another reply key
        b.server = RealServerId{3};
        const NewConnection c = with_virtual(a, "203.0.113.2");  // the same reply key
        Race<Stepping> race({b, a, c}, rising);
        Explorer explorer(2);
        const std::size_t orders = explorer.explore(
            [&] { race.set_up(); }, race.bodies(),
            [&] {
                EXPECT_EQ(race.table->shared_keys(), 0U);
                const bool a_won = race.results[1].status == PublishStatus::Published;
                EXPECT_EQ(race.published(), a_won ? 1U : 2U);
                for (const PublishResult& result : race.results) {
                    EXPECT_NE(result.status, PublishStatus::IndexFull);
                    EXPECT_EQ(race.table->table[result.record].state().lifecycle(),
                              Lifecycle::Live);
                }
            });
        EXPECT_GT(orders, 1000U);
    }
}

TEST(InsertOrders, ThreeInsertsOfOneKeyAgree) {
    NewConnection third = nat("198.51.100.7", 40000);
    third.server = RealServerId{4};
    Race<Stepping> race({nat("198.51.100.7", 40000), nat("198.51.100.7", 40000), third}, false);
    Explorer explorer(2);
    explorer.explore([&] { race.set_up(); }, race.bodies(),
                     [&] {
                         EXPECT_EQ(race.published(), 1U);
                         EXPECT_EQ(race.table->shared_keys(), 0U);
                     });
}

// One thread finds the old connection expired and inserts; another sweeps it; a third removes it.
TEST(InsertOrders, AnExpiredConnectionIsRemovedOnceAndReplaced) {
    static int removals;
    std::unique_ptr<ProtocolTable<Stepping>> table;
    NewConnection what = nat("198.51.100.7", 40000);
    what.timeout = std::chrono::seconds(60);
    constexpr Tick kLater = at_second(1060);
    std::uint32_t old = 0;
    std::uint32_t reserved = 0;
    PublishResult result;
    const auto is_expired = [&](const Connection& connection, std::uint64_t word) {
        return connection.expired(ConnectionState::from_word(word), kLater);
    };
    Explorer explorer(2);
    explorer.explore(
        [&] {
            removals = 0;
            table = std::make_unique<ProtocolTable<Stepping>>(64, 3);
            for (unsigned i = 0; i < 3; ++i) table->quiescence.online(participant_at(i));
            table->table.traits().set_hook(
                {nullptr, [](void*, Participant, ConnectionIndex, const Connection&,
                             ConnectionState) noexcept { ++removals; }});
            old = table->reserve(participant_at(0), what, kNow);
            ASSERT_EQ(table->publish(participant_at(0), old, what, kNow).status,
                      PublishStatus::Published);
            reserved = table->reserve(participant_at(0), what, kLater);
        },
        {[&] { result = table->publish(participant_at(0), reserved, what, kLater); },
         [&] { (void)table->table.remove_if(participant_at(1), old, is_expired); },
         [&] { (void)table->table.remove_if(participant_at(2), old, is_expired); }},
        [&] {
            EXPECT_EQ(result.status, PublishStatus::Published);
            EXPECT_EQ(removals, 1);
            EXPECT_EQ(table->find(what.forward, kLater), result.record);
            EXPECT_EQ(table->live_keys().size(), 2U);
            EXPECT_EQ(table->table.pool().in_use(), 1U);
        });
}

// The mutant: without the search for rivals the explorer finds an order with two connections of
// one key.
TEST(InsertOrders, TheExplorerSeesAMissingSearchForRivals) {
    Race<WithoutSearch> race({nat("198.51.100.7", 40000), nat("198.51.100.7", 40000)});
    Explorer explorer(1);
    std::size_t violations = 0;
    explorer.explore([&] { race.set_up(); }, race.bodies(),
                     [&] { violations += race.table->shared_keys() != 0 ? 1 : 0; });
    EXPECT_GT(violations, 0U);
}

}  // namespace
}  // namespace pollux::lb
