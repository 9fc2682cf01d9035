// SPDX-License-Identifier: Apache-2.0
// The connection table against a map: random operations on a small set of keys, so that conflicts,
// expiry and reuse happen all the time.
#include <random>
#include <unordered_map>

#include <gtest/gtest.h>

#include "tests/support/table_fixture.h"

namespace pollux::lb {
namespace {

using test::at_second;
using test::be;
using test::ip;
using test::ip4;
using test::participant_at;
using test::TableFixture;

struct KeyHash {
    std::size_t operator()(const FlowKey& key) const noexcept {
        std::uint64_t sum = key.word(0) * 31 + key.word(1);
        if (key.is_v6()) sum = ((sum * 31 + key.word(2)) * 31 + key.word(3)) * 31 + key.word(4);
        return sum;
    }
};

// What the table should do, in the simplest way.
class Model {
  public:
    struct Entry {
        std::vector<FlowKey> keys;
        std::uint32_t last_seen = 0;
        std::uint32_t timeout = 0;
        std::uint32_t server = 0;
    };

    explicit Model(const std::uint32_t& now) : now_(now) {}

    [[nodiscard]] std::uint32_t find(const FlowKey& key) const {
        const auto found = by_key_.find(key);
        return found != by_key_.end() && !expired(entries_.at(found->second)) ? found->second : 0;
    }
    void add(std::uint32_t record, Entry entry) {
        // The table may have dropped an expired one on its way and be using its record again.
        if (entries_.contains(record)) remove(record);
        for (const FlowKey& key : entry.keys) {
            const auto old = by_key_.find(key);
            if (old != by_key_.end()) remove(old->second);  // can only be an expired one
            by_key_[key] = record;
        }
        entries_[record] = std::move(entry);
    }
    void remove(std::uint32_t record) {
        for (const FlowKey& key : entries_.at(record).keys) by_key_.erase(key);
        entries_.erase(record);
    }
    std::size_t drop_expired() {
        std::vector<std::uint32_t> gone;
        for (const auto& [record, entry] : entries_) {
            if (expired(entry)) gone.push_back(record);
        }
        for (const std::uint32_t record : gone) remove(record);
        return gone.size();
    }
    [[nodiscard]] bool expired(const Entry& entry) const {
        return now_ - entry.last_seen >= entry.timeout;
    }
    std::unordered_map<std::uint32_t, Entry>& entries() { return entries_; }

  private:
    const std::uint32_t& now_;
    std::unordered_map<std::uint32_t, Entry> entries_;
    std::unordered_map<FlowKey, std::uint32_t, KeyHash> by_key_;
};

class Comparison {
  public:
    explicit Comparison(unsigned seed) : random_(seed), fixture_(600, 3, 1.0), model_(now_) {}

    void step() {
        const unsigned what = pick(100);
        if (what < 45) {
            insert();
        } else if (what < 80) {
            look_up();
        } else if (what < 90) {
            remove();
        } else if (what < 93) {
            now_ += pick(40);
        } else if (what < 96) {
            sweep();
        } else {
            fixture_.quiesce();
        }
    }

  private:
    unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
    Participant someone() { return participant_at(pick(3)); }
    Tick now() const { return Tick{now_}; }

    NewConnection random_connection() {
        NewConnection what;
        const bool v6 = pick(3) == 0;
        const std::string host = std::to_string(1 + pick(6));
        const std::string virtual_host = std::to_string(1 + pick(2));
        what.forward =
            FlowKey::make(ip(v6 ? "2001:db8::" + host : "198.51.100." + host), be(1000 + pick(8)),
                          ip(v6 ? "2001:db8:1::" + virtual_host : "203.0.113." + virtual_host),
                          be(80), pick(2) == 0 ? Protocol::Tcp : Protocol::Udp);
        what.service = ServiceId{pick(4)};
        what.server = RealServerId{(v6 ? 8 : 0) + pick(3)};
        what.server_port = be(8080);
        what.server_is_v6 = v6;
        what.timeout = Ticks{1 + pick(300)};
        switch (pick(3)) {
            case 0:
                what.method = ForwardingMethod::DirectRouting;
                break;
            case 1:
                what.method = ForwardingMethod::Nat;
                break;
            default:
                what.method = ForwardingMethod::FullNat;
                what.local = LocalAddressId{static_cast<std::uint16_t>(v6 ? 2 : pick(2))};
                what.local_port = be(5000 + pick(20));
        }
        return what;
    }

    static std::vector<FlowKey> keys_of(const NewConnection& what) {
        std::vector<FlowKey> keys{what.forward};
        const auto server = static_cast<std::uint32_t>(what.server);
        const net::IpAddress from = server < 8 ? ip("10.0.0." + std::to_string(server + 1))
                                               : ip("fd00::" + std::to_string(server - 7));
        const FlowKey& f = what.forward;
        if (what.method == ForwardingMethod::Nat) {
            keys.push_back(
                FlowKey::make(from, what.server_port, f.source(), f.source_port(), f.protocol()));
        } else if (what.method == ForwardingMethod::FullNat) {
            const net::IpAddress locals[] = {ip("192.168.9.1"), ip("192.168.9.2"), ip("fd00:9::1")};
            keys.push_back(FlowKey::make(from, what.server_port,
                                         locals[static_cast<std::uint16_t>(what.local)],
                                         what.local_port, f.protocol()));
        }
        return keys;
    }

    void insert() {
        const NewConnection what = random_connection();
        const std::vector<FlowKey> keys = keys_of(what);
        const InsertResult result = fixture_.insert(what, now(), someone());
        const std::uint32_t forward_owner = model_.find(keys[0]);
        const std::uint32_t reply_owner = keys.size() > 1 ? model_.find(keys[1]) : 0;
        if (forward_owner != 0) {
            ASSERT_EQ(result.status, InsertStatus::Exists);
            ASSERT_EQ(index(result.index), forward_owner);
        } else if (reply_owner != 0) {
            ASSERT_EQ(result.status, InsertStatus::ReplyTaken);
            ASSERT_EQ(index(result.index), reply_owner);
        } else {
            ASSERT_EQ(result.status, InsertStatus::Inserted);
            model_.add(index(result.index),
                       {keys, now_, what.timeout.count(), static_cast<std::uint32_t>(what.server)});
        }
    }

    void look_up() {
        const std::vector<FlowKey> keys = keys_of(random_connection());
        for (const FlowKey& key : keys) {
            const FoundConnection found = fixture_.find(key, now());
            ASSERT_EQ(index(found.index), model_.find(key));
            ASSERT_EQ(fixture_.table.find(key, now()).index, found.index);
            if (!found) continue;
            Connection& connection = fixture_.table.connection(found.index);
            Model::Entry& entry = model_.entries().at(index(found.index));
            ASSERT_EQ(static_cast<std::uint32_t>(connection.server()), entry.server);
            ASSERT_EQ(key == entry.keys[0], found.direction == Direction::Forward);
            connection.restart_timeout(now());
            entry.last_seen = now_;
        }
    }

    void remove() {
        const FlowKey key = keys_of(random_connection())[0];
        const std::uint32_t record = model_.find(key);
        if (record == 0) return;
        ASSERT_TRUE(fixture_.table.remove(someone(), ConnectionIndex{record}));
        model_.remove(record);
    }

    void sweep() {
        fixture_.table.sweep(someone(), now(), 10000);
        model_.drop_expired();
        ASSERT_EQ(fixture_.table.size(), model_.entries().size());
    }

    std::mt19937 random_;
    std::uint32_t now_ = 0xfffffff0;  // the clock wraps on the way
    TableFixture fixture_;
    Model model_;
};

TEST(ConnectionModel, TableAgreesWithAMapUnderRandomOperations) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Comparison comparison(seed);
        for (int i = 0; i < 20000 && !::testing::Test::HasFatalFailure(); ++i) comparison.step();
    }
}

}  // namespace
}  // namespace pollux::lb
