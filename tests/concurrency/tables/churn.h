// SPDX-License-Identifier: Apache-2.0
#pragma once

// Churn: threads that insert, find, remove, sweep and visit the connections of a small table all
// at once, and check that what they hold does not change under them. Works with a complete and with
// a maimed protocol.

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "tests/concurrency/tables/protocol_table.h"

namespace pollux::test {

struct ChurnResult {
    std::uint64_t inserted = 0;
    std::uint64_t found = 0;
    std::uint64_t changed_under_reader = 0;  // must be 0
    std::uint64_t removed = 0;               // by the removal hook
    std::uint64_t shared_keys = 0;           // at the end; must be 0
    std::uint64_t left = 0;                  // live at the end
};

template <typename Protocol>
class Churn {
  public:
    explicit Churn(unsigned threads)
        : threads_(threads), table_(kRecords, threads + 1), results_(threads) {
        table_.table.traits().set_hook(
            {this, [](void* context, lb::Participant, lb::ConnectionIndex, const lb::Connection&,
                      lb::ConnectionState) noexcept {
                 static_cast<Churn*>(context)->removed_.fetch_add(1, std::memory_order_relaxed);
             }});
    }

    ChurnResult run(unsigned bursts) {
        std::vector<std::thread> workers;
        std::atomic<bool> stop{false};
        for (unsigned i = 0; i < threads_; ++i) {
            workers.emplace_back([this, i, bursts] { work(i, bursts); });
        }
        std::thread control([this, &stop] { sweep_and_visit(stop); });
        for (std::thread& worker : workers) worker.join();
        stop.store(true, std::memory_order_relaxed);
        control.join();
        ChurnResult sum;
        for (const ChurnResult& result : results_) {
            sum.inserted += result.inserted;
            sum.found += result.found;
            sum.changed_under_reader += result.changed_under_reader;
        }
        sum.changed_under_reader += changed_under_visitor_;
        sum.removed = removed_.load(std::memory_order_relaxed);
        sum.shared_keys = table_.shared_keys();
        for (std::uint32_t i = 0; i < table_.record_count(); ++i) {
            sum.left += table_.table[i].state().lifecycle() == lb::Lifecycle::Live ? 1 : 0;
        }
        return sum;
    }

  private:
    static constexpr std::uint32_t kRecords = 128;
    static constexpr unsigned kClients = 48;

    // The client's port tells everything else, so that a reader can check a record for itself.
    static lb::NewConnection connection(unsigned client) {
        lb::NewConnection what;
        what.forward = lb::FlowKey::make(ip4(0xc6336400U + client), be(1000 + client),
                                         ip4(0xcb007101U), be(80), lb::Protocol::Tcp);
        what.service = lb::ServiceId{client + 5};
        what.server = lb::RealServerId{client % 8};
        what.server_port = be(2000 + client);
        what.timeout = lb::Ticks{1 + client % 3};
        return what;
    }
    static bool is_whole(const lb::Connection& connection, unsigned client) {
        return connection.client_port().host() == 1000 + client &&
               connection.client_address() == ip4(0xc6336400U + client) &&
               static_cast<std::uint32_t>(connection.service()) == client + 5 &&
               static_cast<std::uint32_t>(connection.server()) == client % 8 &&
               connection.server_port().host() == 2000 + client;
    }

    void work(unsigned thread, unsigned bursts) {
        const lb::Participant self = participant_at(thread);
        ChurnResult& result = results_[thread];
        std::mt19937 random(thread + 1);
        table_.quiescence.online(self);
        for (unsigned burst = 0; burst < bursts; ++burst) {
            const lb::Tick now{burst / 64};
            for (int i = 0; i < 8; ++i) {
                const auto client = static_cast<unsigned>(random() % kClients);
                switch (random() % 4) {
                    case 0:
                        insert(self, client, now, result);
                        break;
                    case 1:
                        remove(self, client, now);
                        break;
                    default:
                        look_up(client, now, result);
                }
            }
            if (burst % 97 == 0) {
                table_.quiescence.offline(self);
                table_.quiescence.online(self);
            } else {
                table_.quiescence.report(self);
            }
        }
        table_.quiescence.offline(self);
    }

    void insert(lb::Participant self, unsigned client, lb::Tick now, ChurnResult& result) {
        const lb::NewConnection what = connection(client);
        const std::uint32_t record = table_.reserve(self, what, now);
        if (record == 0) return;
        const lb::PublishResult published = table_.publish(self, record, what, now);
        result.inserted += published.status == lb::PublishStatus::Published ? 1 : 0;
        if (published.record == 0) return;
        result.changed_under_reader += is_whole(table_.table[published.record], client) ? 0U : 1U;
    }

    void remove(lb::Participant self, unsigned client, lb::Tick now) {
        const std::uint32_t record = table_.find(connection(client).forward, now);
        if (record == 0) return;
        (void)table_.table.remove_if(self, record,
                                     [](const lb::Connection&, std::uint64_t) { return true; });
    }

    void look_up(unsigned client, lb::Tick now, ChurnResult& result) {
        const std::uint32_t record = table_.find(connection(client).forward, now);
        if (record == 0) return;
        ++result.found;
        lb::Connection& found = table_.table[record];
        // A reader holds it to the end of the burst, whatever others do with it meanwhile.
        for (int i = 0; i < 4; ++i) {
            result.changed_under_reader += is_whole(found, client) ? 0U : 1U;
            found.touch(now);
            lb::ConnectionState seen = found.state();
            (void)found.change_state(seen, seen.with_packets(seen.packets() + 1));
            std::this_thread::yield();
        }
    }

    void sweep_and_visit(const std::atomic<bool>& stop) {
        const lb::Participant self = participant_at(threads_);
        std::uint64_t cursor = 0;
        lb::Tick now{0};
        while (!stop.load(std::memory_order_relaxed)) {
            table_.quiescence.online(self);
            table_.table.sweep(
                cursor, 64, [&](std::uint32_t record, const lb::Connection& seen, std::uint64_t) {
                    const unsigned client = seen.client_port().host() - 1000U;
                    changed_under_visitor_ += is_whole(seen, client) ? 0U : 1U;
                    now = seen.last_seen() + lb::Ticks{2};
                    (void)table_.table.remove_if(
                        self, record, [now](const lb::Connection& connection, std::uint64_t word) {
                            return connection.expired(lb::ConnectionState::from_word(word), now);
                        });
                });
            table_.table.pool().recycle(self);
            table_.quiescence.offline(self);
        }
    }

    const unsigned threads_;
    ProtocolTable<Protocol> table_;
    std::vector<ChurnResult> results_;
    std::uint64_t changed_under_visitor_ = 0;
    std::atomic<std::uint64_t> removed_{0};
};

}  // namespace pollux::test
