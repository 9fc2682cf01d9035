// SPDX-License-Identifier: Apache-2.0
// The tables under real threads; meant to be run under ThreadSanitizer as well.
#include <barrier>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/concurrency/tables/churn.h"

namespace pollux::lb {
namespace {

using test::at_second;
using test::be;
using test::Churn;
using test::ChurnResult;
using test::ip4;
using test::nat;
using test::participant_at;
using test::ProtocolTable;
using test::TableFixture;

constexpr Tick kNow = at_second(1000);

// All threads insert the same keys in the same order at the same time, to different servers.
TEST(Threads, RacingInsertsOfManyKeysAgree) {
    constexpr unsigned kThreads = 4;
    constexpr unsigned kKeys = 100;
    constexpr unsigned kRounds = 50;
    TableFixture fixture(1000, kThreads);
    std::array<std::array<std::uint32_t, kKeys>, kThreads> owner{};
    std::atomic<unsigned> inserted{0};
    unsigned disagreements = 0;
    unsigned wrong_counts = 0;
    std::barrier round_begins(kThreads);
    std::barrier round_ends(kThreads, [&]() noexcept {
        for (unsigned key = 0; key < kKeys; ++key) {
            for (unsigned thread = 1; thread < kThreads; ++thread) {
                disagreements += owner[thread][key] != owner[0][key] ? 1 : 0;
            }
            (void)fixture.table.remove(participant_at(0), ConnectionIndex{owner[0][key]});
        }
        wrong_counts += inserted.exchange(0, std::memory_order_relaxed) != kKeys ? 1 : 0;
        fixture.quiesce();
    });
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (unsigned round = 0; round < kRounds; ++round) {
                round_begins.arrive_and_wait();
                for (unsigned key = 0; key < kKeys; ++key) {
                    NewConnection what = nat("198.51.100.7", 1000 + key);
                    what.server = RealServerId{thread};
                    const InsertResult result = fixture.insert(what, kNow, participant_at(thread));
                    owner[thread][key] = index(result.index);
                    if (result.status == InsertStatus::Inserted) {
                        inserted.fetch_add(1, std::memory_order_relaxed);
                    }
                }
                round_ends.arrive_and_wait();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(disagreements, 0U);
    EXPECT_EQ(wrong_counts, 0U);
}

TEST(Threads, NothingChangesUnderAReaderInChurn) {
    Churn<SafeProtocol> churn(3);
    const ChurnResult result = churn.run(3000);
    EXPECT_GT(result.inserted, 1000U);
    EXPECT_GT(result.found, 1000U);
    EXPECT_EQ(result.changed_under_reader, 0U);
    EXPECT_EQ(result.shared_keys, 0U);
    // Each connection that came was removed exactly once, or is still there.
    EXPECT_EQ(result.inserted, result.removed + result.left);
}

// FullNAT: the table is the port allocator. Workers never share a local port.
TEST(Threads, LocalPortsAreGivenToOneConnectionEach) {
    constexpr unsigned kThreads = 4;
    constexpr unsigned kEach = 100;
    TableFixture fixture(1000, kThreads);
    const LocalPorts pool[] = {{LocalAddressId{0}, 2000, 2000 + 2 * kThreads * kEach - 1}};
    std::array<std::vector<std::uint16_t>, kThreads> ports;
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            const Participant self = participant_at(thread);
            for (unsigned i = 0; i < kEach; ++i) {
                NewConnection what = nat("198.51.100.7", 1000 + thread * kEach + i);
                what.method = ForwardingMethod::FullNat;
                const ConnectionIndex reserved = fixture.table.reserve(self);
                fixture.table.connection(reserved).init(what, kNow);
                // The same hash for all: they try the same ports in the same order.
                const InsertResult result = fixture.table.insert_with_local_port(
                    self, reserved, i * 0x9e3779b97f4a7c15ULL, pool, kNow);
                if (result.status == InsertStatus::Inserted) {
                    ports[thread].push_back(
                        fixture.table.connection(result.index).local_port().host());
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<std::uint16_t> all;
    for (const auto& each : ports) all.insert(all.end(), each.begin(), each.end());
    EXPECT_EQ(all.size(), kThreads * kEach);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

struct Numbers {
    explicit Numbers(std::uint64_t seed) { std::iota(values.begin(), values.end(), seed); }
    ~Numbers() { values.fill(0); }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    [[nodiscard]] bool is_whole() const { return values[0] != 0 && values[31] == values[0] + 31; }
    std::array<std::uint64_t, 32> values;
};

TEST(Threads, APublishedValueStaysWholeWhileItIsRead) {
    constexpr unsigned kReaders = 3;
    constexpr unsigned kVersions = 2000;
    Quiescence quiescence(kReaders);
    Publication<Numbers> publication;
    DeferredFrees frees(quiescence);
    (void)publication.publish(std::make_unique<Numbers>(1));
    std::atomic<bool> stop{false};
    std::atomic<unsigned> torn{0};
    std::vector<std::thread> readers;
    for (unsigned i = 0; i < kReaders; ++i) {
        readers.emplace_back([&, i] {
            const Participant self = participant_at(i);
            quiescence.online(self);
            for (unsigned burst = 0; !stop.load(std::memory_order_relaxed); ++burst) {
                const Numbers* numbers = publication.read();
                for (int use = 0; use < 3; ++use) {
                    if (!numbers->is_whole()) torn.fetch_add(1, std::memory_order_relaxed);
                    std::this_thread::yield();
                }
                if (burst % 13 == 0) {
                    quiescence.offline(self);
                    quiescence.online(self);
                } else {
                    quiescence.report(self);
                }
            }
            quiescence.offline(self);
        });
    }
    std::size_t most_waiting = 0;
    for (unsigned version = 2; version < kVersions; ++version) {
        frees.defer_delete(publication.publish(std::make_unique<Numbers>(version)));
        most_waiting = std::max(most_waiting, frees.collect());
        std::this_thread::yield();
    }
    stop.store(true, std::memory_order_relaxed);
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(torn.load(), 0U);
    EXPECT_EQ(frees.collect(), 0U);
    EXPECT_LT(most_waiting, kVersions) << "something was freed on the way";
}

// Connections come and go on a few templates while the control core sweeps them and others are made
// unreachable: no reference is lost, no template goes while one is held.
TEST(Threads, TemplatesOutliveTheirConnections) {
    constexpr unsigned kThreads = 3;
    const PersistenceTableLimits limits{64, kThreads + 1, {1, 2, 3, 4}};
    RegionPlan plan;
    PersistenceTable::plan(plan, limits);
    MemoryRegion region = test::make_region(plan);
    Quiescence quiescence(kThreads + 1);
    PersistenceTable table(limits, region, quiescence);
    std::atomic<bool> stop{false};
    std::atomic<unsigned> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            const Participant self = participant_at(thread);
            std::mt19937 random(thread);
            std::vector<std::pair<TemplateIndex, unsigned>> held;
            for (unsigned burst = 0; burst < 4000; ++burst) {
                quiescence.online(self);
                const Tick now{burst / 8};
                const auto client = static_cast<unsigned>(random() % 8);
                const FlowKey key = template_key(ip4(0xc6336400U + client), 32, ip4(0xcb007101U),
                                                 be(80), Protocol::Tcp);
                TemplateIndex found = table.find(key, now);
                if (found == kNoTemplate) {
                    NewTemplate what;
                    what.key = key;
                    what.server = RealServerId{client};
                    what.timeout = Ticks{3};
                    found = table.insert(self, what, now).index;
                }
                if (found != kNoTemplate && table.acquire(found, now)) {
                    held.emplace_back(found, client);
                }
                if (random() % 64 == 0 && found != kNoTemplate) {
                    (void)table.make_unreachable(self, found);
                }
                for (const auto& [which, owner] : held) {
                    if (table.server(which) != RealServerId{owner}) {
                        wrong.fetch_add(1, std::memory_order_relaxed);
                    }
                }
                if (held.size() > 5 || burst + 1 == 4000) {
                    for (const auto& each : held) table.release(each.first, now);
                    held.clear();
                }
                quiescence.offline(self);
            }
        });
    }
    std::thread control([&] {
        const Participant self = participant_at(kThreads);
        for (std::uint32_t now = 0; !stop.load(std::memory_order_relaxed); now = (now + 1) % 600) {
            const OnlineScope scope(quiescence, self);
            table.sweep(self, Tick{now}, 64);
        }
    });
    for (std::thread& thread : threads) thread.join();
    stop.store(true, std::memory_order_relaxed);
    control.join();
    EXPECT_EQ(wrong.load(), 0U);
    const Participant self = participant_at(0);
    const OnlineScope scope(quiescence, self);
    (void)table.sweep(self, at_second(10000), 10000);
    EXPECT_EQ(table.size(), 0U) << "a reference was lost";
}

TEST(Threads, ThePoolGivesEachRecordToOne) {
    constexpr unsigned kThreads = 4;
    Quiescence quiescence(kThreads);
    PoolHeads heads{};
    std::vector<PoolChunk> chunks(pool_chunks(500, kThreads));
    RecordPool pool(heads, chunks, pool_records(500, kThreads), quiescence);
    std::vector<std::atomic<unsigned>> owner(pool_records(500, kThreads));
    std::atomic<unsigned> clashes{0};
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            const Participant self = participant_at(thread);
            std::mt19937 random(thread);
            std::vector<std::uint32_t> held;
            quiescence.online(self);
            for (unsigned i = 0; i < 20000; ++i) {
                std::uint32_t upcoming = 0;
                if (held.size() < 200 && random() % 2 == 0) {
                    const std::uint32_t record = pool.take(self, upcoming);
                    if (record == 0) continue;
                    if (owner[record].exchange(thread + 1) != 0) clashes.fetch_add(1);
                    held.push_back(record);
                } else if (!held.empty()) {
                    const std::uint32_t record = held.back();
                    held.pop_back();
                    owner[record].store(0);
                    if (random() % 8 == 0) {
                        pool.give_back(self, record);
                    } else {
                        pool.retire(self, record);
                    }
                }
                if (i % 16 == 0) quiescence.report(self);
            }
            quiescence.offline(self);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(clashes.load(), 0U);
}

// The same story with and without waiting for quiescence: a reader holds a connection, another
// removes it and inserts a second one.
template <typename Protocol>
bool is_changed_under_reader() {
    ProtocolTable<Protocol> table(8, 2);
    const Participant worker = participant_at(0);
    table.quiescence.online(worker);
    table.quiescence.online(participant_at(1));  // the reader
    const NewConnection first = nat("198.51.100.7", 40000);
    std::uint32_t record = table.reserve(worker, first, kNow);
    (void)table.publish(worker, record, first, kNow);
    const Connection& held = table.table[table.find(first.forward, kNow)];
    (void)table.table.remove_if(worker, record,
                                [](const Connection&, std::uint64_t) { return true; });
    for (unsigned i = 0; i < 8; ++i) {
        const NewConnection next = nat("198.51.100.8", 41000 + i);
        record = table.reserve(worker, next, kNow);
        if (record != 0) (void)table.publish(worker, record, next, kNow);
        table.quiescence.report(worker);
    }
    return held.client_port().host() != 40000;
}

struct WithoutQuiescence : SafeProtocol {
    static constexpr bool kWaitForQuiescence = false;
};

TEST(Threads, ARecordIsNotReusedUnderAReader) {
    EXPECT_FALSE(is_changed_under_reader<SafeProtocol>());
    EXPECT_TRUE(is_changed_under_reader<WithoutQuiescence>()) << "the test sees nothing";
}

}  // namespace
}  // namespace pollux::lb
