// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/table_bench.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/lb/connection_table.h"
#include "tools/bench/sampler.h"

namespace pollux::bench {
namespace {

using namespace lb;

constexpr unsigned kBurst = 32;
constexpr unsigned kPerSample = 2048;  // keys, so that a sample stays below 1 ms
constexpr unsigned kServers = 64;
constexpr Participant kSelf{0};
constexpr Tick kNow{16'000};

struct Options {
    std::vector<std::uint32_t> connections{1'000, 100'000, 1'000'000, 10'000'000};
    unsigned samples = 1000;
    bool json = false;
};

net::IpAddress ip4(std::uint32_t host) {
    return net::IpAddress::from_v4(net::Ipv4Address::from_host(host));
}

// A compact key, as it lies in a packet: addresses, then ports.
struct WireKey {
    std::array<std::uint8_t, 8> addresses;
    net::Be16 source_port, destination_port;
};

// New connections that are inserted and removed beside the lasting ones.
constexpr unsigned kNewConnections = 8 * kBurst;

// A table of NAT connections at nearly the load for which it is planned: there is room for
// kNewConnections more.
class FullTable {
  public:
    explicit FullTable(std::uint32_t connections)
        : limits_{connections, 1, 1.0, {11, 22, 33, 44}}, region_(region_for(limits_)) {
        for (unsigned i = 0; i < kServers; ++i) servers_.set(i, server(i), port(8080));
        quiescence_.online(kSelf);
        keys_.reserve(connections);
        for (std::uint32_t i = kNewConnections; i < connections; ++i) {
            NewConnection what = random_connection();
            const ConnectionIndex reserved = table.reserve(kSelf);
            table.connection(reserved).init(what, kNow);
            ConnectionLookup lookup;
            table.prepare(what.forward, lookup);
            if (table.insert(kSelf, reserved, lookup.hash, kNow).status == InsertStatus::Inserted) {
                keys_.push_back({what.forward, what.server});
            }
        }
    }

    NewConnection random_connection() {
        NewConnection what;
        what.forward = FlowKey::make(ip4(static_cast<std::uint32_t>(random_())), port(random_()),
                                     ip4(0xcb007100U + static_cast<std::uint32_t>(random_() % 16)),
                                     port(80), Protocol::Tcp);
        what.service = ServiceId{0};
        what.server = RealServerId{static_cast<std::uint32_t>(random_() % kServers)};
        what.method = ForwardingMethod::Nat;
        what.server_port = port(8080);
        what.timeout = std::chrono::seconds(900);
        return what;
    }

    // Random keys that are in the table: of the client's packets or of the server's.
    std::vector<WireKey> hits(unsigned count, Direction direction) {
        std::vector<WireKey> result;
        for (unsigned i = 0; i < count; ++i) {
            const auto& [forward, server_id] = keys_[random_() % keys_.size()];
            const FlowKey key =
                direction == Direction::Forward
                    ? forward
                    : FlowKey::make(server(static_cast<std::uint32_t>(server_id)), port(8080),
                                    forward.source(), forward.source_port(), Protocol::Tcp);
            result.push_back(wire(key));
        }
        return result;
    }
    std::vector<WireKey> misses(unsigned count) {
        std::vector<WireKey> result;
        for (unsigned i = 0; i < count; ++i) result.push_back(wire(random_connection().forward));
        return result;
    }
    void quiesce() {
        for (int i = 0; i < 3; ++i) {
            quiescence_.report(kSelf);
            table.recycle(kSelf);
        }
    }
    [[nodiscard]] std::string_view pages() const { return to_string(region_.page_kind()); }

  private:
    static MemoryRegion region_for(const ConnectionTableLimits& limits) {
        RegionPlan plan;
        ConnectionTable::plan(plan, limits);
        auto region = MemoryRegion::create(plan, {});
        if (!region.ok()) {
            std::fprintf(stderr, "pollux-bench: %s\n", region.error().message.c_str());
            std::exit(1);
        }
        return std::move(region.value());
    }
    static net::Be16 port(std::uint64_t value) {
        return net::Be16::from_host(static_cast<std::uint16_t>(value));
    }
    static net::IpAddress server(unsigned i) { return ip4(0x0a000001U + i); }
    static WireKey wire(const FlowKey& key) {
        WireKey result{{}, key.source_port(), key.destination_port()};
        const std::uint64_t addresses = key.word(1);
        std::memcpy(result.addresses.data(), &addresses, sizeof addresses);
        return result;
    }

    std::mt19937_64 random_{1};
    std::vector<AddressRecord> server_records_ = std::vector<AddressRecord>(kServers);
    AddressTable servers_{server_records_};
    AddressTable locals_;
    Quiescence quiescence_{1};
    ConnectionTableLimits limits_;
    MemoryRegion region_;
    std::vector<std::pair<FlowKey, RealServerId>> keys_;

  public:
    ConnectionTable table{limits_, region_, quiescence_, servers_, locals_};
};

// One burst through the stages, as the packet path runs them. Returns how many were found.
unsigned look_up_burst(const ConnectionTable& table, const WireKey* wire) {
    std::array<FlowKey, kBurst> keys;
    std::array<ConnectionLookup, kBurst> lookups;
    for (unsigned i = 0; i < kBurst; ++i) {
        keys[i].assign(net::Family::V4, wire[i].addresses.data(), wire[i].source_port,
                       wire[i].destination_port, Protocol::Tcp);
        table.prepare(keys[i], lookups[i]);
    }
    for (ConnectionLookup& lookup : lookups) table.find_candidate(lookup);
    for (ConnectionLookup& lookup : lookups) {
        if (lookup.elsewhere) table.find_elsewhere(lookup);
    }
    unsigned found = 0;
    for (unsigned i = 0; i < kBurst; ++i) {
        found += table.verify(keys[i], lookups[i], kNow) ? 1U : 0U;
    }
    return found;
}

Measured measure_lookup(const ConnectionTable& table, const std::vector<WireKey>& keys,
                        unsigned samples, unsigned& found) {
    std::size_t at = 0;
    found = 0;
    return measure(samples, kPerSample, [&] {
        for (unsigned i = 0; i < kPerSample; i += kBurst) {
            found += look_up_burst(table, &keys[at]);
            at = at + 2 * kBurst <= keys.size() ? at + kBurst : 0;
        }
    });
}

// The insertions of one burst of new connections, with the prefetches of the packet path: lookup
// (a miss), reply buckets, reserve and init, further buckets, insert.
void insert_burst(ConnectionTable& table, const NewConnection* what, ConnectionIndex* inserted) {
    std::array<ConnectionLookup, kBurst> lookups;
    std::array<ConnectionIndex, kBurst> reserved;
    std::array<std::uint64_t, kBurst> reply_hashes;
    for (unsigned i = 0; i < kBurst; ++i) table.prepare(what[i].forward, lookups[i]);
    for (unsigned i = 0; i < kBurst; ++i) {
        table.find_candidate(lookups[i]);
        reserved[i] = table.reserve(kSelf);
        reply_hashes[i] = table.prefetch_reply(what[i]);
        table.connection(reserved[i]).init(what[i], kNow);
    }
    for (unsigned i = 0; i < kBurst; ++i) table.prefetch_further(lookups[i].hash, reply_hashes[i]);
    for (unsigned i = 0; i < kBurst; ++i) {
        inserted[i] = table.insert(kSelf, reserved[i], lookups[i].hash, kNow).index;
    }
}

struct Costs {
    Measured insert, remove;
};

Costs measure_insert(FullTable& full, unsigned samples, ForwardingMethod method) {
    constexpr unsigned kBatch = kNewConnections;
    std::vector<NewConnection> what(kBatch);
    std::vector<ConnectionIndex> inserted(kBatch);
    std::vector<double> insert;
    std::vector<double> remove;
    for (unsigned i = 0; i < samples; ++i) {
        for (NewConnection& each : what) {
            each = full.random_connection();
            each.method = method;
        }
        const std::uint64_t begin = __rdtsc();
        for (unsigned at = 0; at < kBatch; at += kBurst) {
            insert_burst(full.table, &what[at], &inserted[at]);
        }
        const std::uint64_t middle = __rdtsc();
        for (const ConnectionIndex each : inserted) full.table.remove(kSelf, each);
        const std::uint64_t end = __rdtsc();
        insert.push_back(static_cast<double>(middle - begin) / kBatch);
        remove.push_back(static_cast<double>(end - middle) / kBatch);
        full.quiesce();
    }
    return {summarize(std::move(insert)), summarize(std::move(remove))};
}

Measured measure_sweep(FullTable& full, unsigned samples) {
    return measure(samples, kPerSample, [&] { full.table.sweep(kSelf, kNow, kPerSample); });
}

class Report {
  public:
    explicit Report(bool json) : json_(json) {}
    void header(double calibration) {
        if (json_) {
            std::printf("{\"calibration\": %.2f, \"results\": [", calibration);
        } else {
            std::printf("calibration: %.2f cycles per dependent multiplication\n", calibration);
            std::printf("%12s  %-14s %8s %8s %8s\n", "connections", "what", "min", "p10", "median");
        }
    }
    void row(std::uint32_t connections, const char* what, const Measured& cost) {
        if (json_) {
            std::printf(
                "%s\n  {\"connections\": %u, \"what\": \"%s\", \"minimum\": %.1f, "
                "\"p10\": %.1f, \"median\": %.1f}",
                first_ ? "" : ",", connections, what, cost.minimum, cost.p10, cost.median);
            first_ = false;
        } else {
            std::printf("%12u  %-14s %8.1f %8.1f %8.1f\n", connections, what, cost.minimum,
                        cost.p10, cost.median);
        }
        std::fflush(stdout);
    }
    void footer() const {
        if (json_) std::printf("\n]}\n");
    }

  private:
    bool json_;
    bool first_ = true;
};

// Each key from the one or the other, without a pattern.
std::vector<WireKey> mixed(std::vector<WireKey> a, const std::vector<WireKey>& b) {
    std::mt19937_64 random(5);
    for (std::size_t i = 0; i < a.size(); ++i) {
        if ((random() & 1U) != 0) a[i] = b[i];
    }
    return a;
}

void run_one(Report& report, std::uint32_t connections, const Options& options) {
    const auto full = std::make_unique<FullTable>(connections);
    if (!options.json) {
        std::printf("# %s;", std::string(full->pages()).c_str());
        for (const MemoryAccount& account : full->table.memory()) {
            std::printf(" %s %llu of %llu;", std::string(account.name).c_str(),
                        static_cast<unsigned long long>(account.used),
                        static_cast<unsigned long long>(account.capacity));
        }
        std::printf("\n");
    }
    constexpr unsigned kQueries = 1U << 20U;
    unsigned found = 0;
    const struct {
        const char* name;
        std::vector<WireKey> keys;
    } lookups[] = {
        {"hit forward", full->hits(kQueries, Direction::Forward)},
        {"hit reply", full->hits(kQueries, Direction::Reply)},
        {"hit mixed",
         mixed(full->hits(kQueries, Direction::Forward), full->hits(kQueries, Direction::Reply))},
        {"miss", full->misses(kQueries)},
    };
    for (const auto& [name, keys] : lookups) {
        measure_lookup(full->table, keys, options.samples / 10 + 1, found);
        report.row(connections, name, measure_lookup(full->table, keys, options.samples, found));
    }
    const Costs nat = measure_insert(*full, options.samples / 4 + 10, ForwardingMethod::Nat);
    report.row(connections, "insert nat", nat.insert);
    report.row(connections, "remove nat", nat.remove);
    const Costs direct =
        measure_insert(*full, options.samples / 4 + 10, ForwardingMethod::DirectRouting);
    report.row(connections, "insert dr", direct.insert);
    report.row(connections, "sweep record", measure_sweep(*full, options.samples));
}

bool parse(std::span<const std::string_view> arguments, Options& options) {
    const auto number = [](std::string_view text, std::uint32_t& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && end == text.data() + text.size() && value > 0;
    };
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::uint32_t value = 0;
        const bool has_value = i + 1 < arguments.size() && number(arguments[i + 1], value);
        if (arguments[i] == "--json") {
            options.json = true;
        } else if (arguments[i] == "--connections" && has_value) {
            options.connections = {value};
            ++i;
        } else if (arguments[i] == "--samples" && has_value) {
            options.samples = value;
            ++i;
        } else {
            std::fprintf(stderr,
                         "pollux-bench table: cannot use '%s'\n"
                         "usage: pollux-bench table [--connections N] [--samples N] [--json]\n",
                         std::string(arguments[i]).c_str());
            return false;
        }
    }
    return true;
}

}  // namespace

int run_table(std::span<const std::string_view> arguments) {
    Options options;
    if (!parse(arguments, options)) return 2;
    Report report(options.json);
    report.header(calibrate());
    for (const std::uint32_t connections : options.connections) {
        run_one(report, connections, options);
    }
    report.footer();
    return 0;
}

}  // namespace pollux::bench
