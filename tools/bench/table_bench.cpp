// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/table_bench.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tools/bench/rival.h"
#include "tools/bench/sampler.h"
#include "tools/bench/table_subject.h"

namespace pollux::bench {
namespace {

using namespace lb;

constexpr unsigned kBurst = kTableBurst;
constexpr unsigned kPerSample = 2048;  // keys, so that a sample stays below 1 ms
constexpr unsigned kQueries = 1U << 20U;
static_assert(Rival::kBulk == kBurst);

// rte_hash's cost divided by ours, at 10 million connections.
constexpr std::uint32_t kGoalConnections = 10'000'000;
constexpr double kHitGoal = 1.5;
constexpr double kMissGoal = 2;

struct Options {
    std::vector<std::uint32_t> connections{1'000, 100'000, 1'000'000, 10'000'000};
    unsigned samples = 1000;
    bool json = false;
    bool alone = false;
};

struct Row {
    std::string what;
    Measured ours;
    std::optional<Measured> rival;
    std::optional<double> goal;  // of the ratio
};

double ratio(const Row& row) {
    return row.rival->p10 / row.ours.p10;
}

class Report {
  public:
    explicit Report(bool json) : json_(json) {}
    void header(double calibration) {
        if (json_) {
            std::printf("{\"program\": \"pollux-bench\", \"calibration\": %.2f, \"results\": [",
                        calibration);
        } else {
            std::printf("calibration: %.2f cycles per dependent multiplication\n", calibration);
            std::printf("%12s  %-20s %8s %8s %8s %9s %6s %5s\n", "connections", "what", "min",
                        "p10", "median", "rte_hash", "ratio", "goal");
        }
    }
    void row(std::uint32_t connections, const Row& row) {
        json_ ? json_row(connections, row) : text_row(connections, row);
        std::fflush(stdout);
    }
    void note(const std::string& text) const {
        if (!json_) std::printf("# %s\n", text.c_str());
    }
    void footer() const {
        if (json_) std::printf("\n]}\n");
    }

  private:
    void json_row(std::uint32_t connections, const Row& row) {
        std::printf(
            "%s\n  {\"connections\": %u, \"what\": \"%s\", \"minimum\": %.1f, \"p10\": %.1f, "
            "\"median\": %.1f",
            first_ ? "" : ",", connections, row.what.c_str(), row.ours.minimum, row.ours.p10,
            row.ours.median);
        if (row.rival) {
            std::printf(", \"rte_hash\": {\"minimum\": %.1f, \"p10\": %.1f, \"median\": %.1f}",
                        row.rival->minimum, row.rival->p10, row.rival->median);
            std::printf(", \"ratio\": %.2f", ratio(row));
        }
        if (row.goal) std::printf(", \"goal\": %.1f", *row.goal);
        std::printf("}");
        first_ = false;
    }
    static void text_row(std::uint32_t connections, const Row& row) {
        std::printf("%12u  %-20s %8.1f %8.1f %8.1f", connections, row.what.c_str(),
                    row.ours.minimum, row.ours.p10, row.ours.median);
        if (row.rival) std::printf(" %9.1f %6.2f", row.rival->p10, ratio(row));
        if (row.rival && row.goal) {
            std::printf(" %5.1f%s", *row.goal, ratio(row) < *row.goal ? "  under" : "");
        }
        std::printf("\n");
    }

    bool json_;
    bool first_ = true;
};

struct Costs {
    std::vector<double> ours, rival;
    [[nodiscard]] Row row(std::string what, std::optional<double> goal = {}) && {
        Row result{std::move(what), summarize(std::move(ours)), {}, goal};
        if (!rival.empty()) result.rival = summarize(std::move(rival));
        return result;
    }
};

template <typename Work>
double timed(double units, Work&& work) {
    const std::uint64_t begin = __rdtsc();
    work();
    return static_cast<double>(__rdtsc() - begin) / units;
}

// Keys that are all in the tables, or none of them.
struct Queries {
    std::vector<WireKey> keys;
    bool present;
};

// One size: our table and, unless alone, rte_hash with the same keys. Samples of both alternate.
class Comparison {
  public:
    Comparison(std::uint32_t connections, const Options& options)
        : connections_(connections), samples_(options.samples), subject_(connections) {}

    // The same keys and the same room: a fifth more than keys. Errors: memory, an insertion that
    // fails.
    Status add_rival() { return replace_rival(&TableSubject::copy_to); }
    // In its place one that does all of our work: our keyed hash, and records.
    Status add_rival_with_records() { return replace_rival(&TableSubject::copy_with_records_to); }
    void run(Report& report);
    void run_with_records(Report& report);

  private:
    Status replace_rival(bool (TableSubject::*fill)(Rival&) const);
    template <typename Theirs>
    [[nodiscard]] Row compare(const std::string& what, const Queries& queries,
                              const Theirs& theirs);
    [[nodiscard]] Row lookups(const std::string& what, const Queries& queries);
    void insertions(Report& report, ForwardingMethod method);
    [[nodiscard]] Row sweep();
    void describe(const Report& report) const;

    std::uint32_t connections_;
    unsigned samples_;
    TableSubject subject_;
    std::unique_ptr<Rival> rival_;  // none: alone
    std::uintptr_t scanned_ = 0;    // keeps the walk from being optimised away
};

// A lookup that finds something else than it should has no cost worth printing.
void check_found(const std::string& what, const char* table, unsigned found, bool present) {
    if (found == (present ? kPerSample : 0)) return;
    std::fprintf(stderr, "pollux-bench: %s: %s found %u of %u keys, which are %s\n", what.c_str(),
                 table, found, kPerSample, present ? "all there" : "not there");
    std::exit(1);
}

Status Comparison::replace_rival(bool (TableSubject::*fill)(Rival&) const) {
    rival_.reset();
    auto made = Rival::create(std::uint64_t{connections_} * 2 * 5 / 4);
    if (!made) return made.error();
    rival_ = std::move(made).value();
    if ((subject_.*fill)(*rival_)) return ok_status();
    return Error{
        "rte_hash has no room for the keys of " + std::to_string(connections_) + " connections",
        "use --alone to measure without it"};
}

// Theirs are keys of the other half, whose lines ours have not fetched just before.
template <typename Theirs>
Row Comparison::compare(const std::string& what, const Queries& queries, const Theirs& theirs) {
    Costs costs;
    const std::size_t count = queries.keys.size();
    const unsigned warm = samples_ / 10 + 1;
    std::size_t at = 0;
    for (unsigned i = 0; i < warm + samples_; ++i, at = (at + kPerSample) % count) {
        const auto sample = [&](const char* table, std::vector<double>& into, auto look_up_burst) {
            unsigned found = 0;
            const double cost = timed(kPerSample, [&] {
                for (unsigned k = 0; k < kPerSample; k += kBurst) found += look_up_burst(k);
            });
            check_found(what, table, found, queries.present);
            if (i >= warm) into.push_back(cost);
        };
        sample("Pollux", costs.ours,
               [&](unsigned k) { return subject_.look_up_burst(&queries.keys[at + k]); });
        if (rival_ == nullptr) continue;
        const std::size_t other = (at + count / 2) % count;
        sample("rte_hash", costs.rival, [&](unsigned k) { return theirs(other + k); });
    }
    std::optional<double> goal;
    if (connections_ == kGoalConnections) goal = queries.present ? kHitGoal : kMissGoal;
    return std::move(costs).row(what, goal);
}

Row Comparison::lookups(const std::string& what, const Queries& queries) {
    std::vector<RivalKey> rival_keys;
    for (const WireKey& key : queries.keys) {
        if (rival_ != nullptr) rival_keys.push_back(rival_key(flow_key(key)));
    }
    return compare(what, queries, [&](std::size_t at) {
        return rival_->look_up({&rival_keys[at], kBurst});
    });
}

// Keys of both directions for NAT, of one for direct routing; rte_hash has no insertion in bulk.
void Comparison::insertions(Report& report, ForwardingMethod method) {
    constexpr unsigned kBatch = TableSubject::kNewConnections;
    const unsigned keys_each = method == ForwardingMethod::Nat ? 2 : 1;
    const char* const name = method == ForwardingMethod::Nat ? "nat" : "dr";
    std::vector<NewConnection> what(kBatch);
    std::vector<ConnectionIndex> inserted(kBatch);
    std::vector<RivalKey> keys;
    Costs insert;
    Costs remove;
    for (unsigned i = 0; i < samples_ / 4 + 10; ++i) {
        keys.clear();
        for (NewConnection& each : what) {
            each = subject_.random_connection();
            each.method = method;
            const auto both = TableSubject::keys_of(each);
            for (unsigned k = 0; k < keys_each; ++k) keys.push_back(rival_key(flow_key(both[k])));
        }
        insert.ours.push_back(timed(kBatch, [&] {
            for (unsigned at = 0; at < kBatch; at += kBurst) {
                subject_.insert_burst(&what[at], &inserted[at]);
            }
        }));
        remove.ours.push_back(timed(kBatch, [&] {
            for (const ConnectionIndex each : inserted) subject_.table.remove(kTableSelf, each);
        }));
        subject_.quiesce();
        if (rival_ == nullptr) continue;
        insert.rival.push_back(timed(kBatch, [&] {
            for (const RivalKey& key : keys) rival_->add(key, 1);
        }));
        remove.rival.push_back(timed(kBatch, [&] {
            for (const RivalKey& key : keys) rival_->remove(key);
        }));
    }
    report.row(connections_, std::move(insert).row(std::string("insert ") + name));
    report.row(connections_, std::move(remove).row(std::string("remove ") + name));
}

// What it costs to look for expired connections, for each connection: two keys of rte_hash.
Row Comparison::sweep() {
    Costs costs;
    for (unsigned i = 0; i < samples_; ++i) {
        costs.ours.push_back(
            timed(kPerSample, [&] { subject_.table.sweep(kTableSelf, kTableNow, kPerSample); }));
        if (rival_ == nullptr) continue;
        costs.rival.push_back(timed(kPerSample, [&] { scanned_ += rival_->scan(2 * kPerSample); }));
    }
    return std::move(costs).row("look for expired");
}

void Comparison::describe(const Report& report) const {
    std::string text = "ours: " + std::string(subject_.pages()) + ";";
    double bytes = 0;
    for (const MemoryAccount& account : subject_.table.memory()) {
        bytes += static_cast<double>(account.bytes);
        text += " " + std::string(account.name) + " " + std::to_string(account.used) + " of " +
                std::to_string(account.capacity) + ";";
    }
    const auto each = [&](double total) {
        char number[32];
        std::snprintf(number, sizeof number, " %.1f bytes a connection", total / connections_);
        return std::string(number);
    };
    report.note(text + each(bytes));
    if (rival_ == nullptr) return;
    report.note("rte_hash: " + rival_->pages() + ";" + each(static_cast<double>(rival_->bytes())) +
                ", records not included");
}

// Each key from the one or the other, without a pattern.
std::vector<WireKey> mixed(std::vector<WireKey> a, const std::vector<WireKey>& b) {
    std::mt19937_64 random(5);
    for (std::size_t i = 0; i < a.size(); ++i) {
        if ((random() & 1U) != 0) a[i] = b[i];
    }
    return a;
}

void Comparison::run(Report& report) {
    describe(report);
    const auto forward = subject_.hits(kQueries, Direction::Forward);
    const auto reply = subject_.hits(kQueries, Direction::Reply);
    report.row(connections_, lookups("hit forward", {forward, true}));
    report.row(connections_, lookups("hit reply", {reply, true}));
    report.row(connections_, lookups("hit mixed", {mixed(forward, reply), true}));
    report.row(connections_, lookups("miss", {subject_.misses(kQueries), false}));
    insertions(report, ForwardingMethod::Nat);
    insertions(report, ForwardingMethod::DirectRouting);
    report.row(connections_, sweep());
}

// rte_hash with the work that ours has to do with every key, as a data path on it would do it.
void Comparison::run_with_records(Report& report) {
    const auto row = [&](const char* what, const Queries& queries) {
        report.row(connections_, compare(what, queries, [&](std::size_t at) {
                       return subject_.look_up_burst(*rival_, &queries.keys[at]);
                   }));
    };
    row("same work, forward", {subject_.hits(kQueries, Direction::Forward), true});
    row("same work, reply", {subject_.hits(kQueries, Direction::Reply), true});
    row("same work, miss", {subject_.misses(kQueries), false});
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
        } else if (arguments[i] == "--alone") {
            options.alone = true;
        } else if (arguments[i] == "--connections" && has_value &&
                   value > TableSubject::kNewConnections) {
            options.connections = {value};
            ++i;
        } else if (arguments[i] == "--samples" && has_value) {
            options.samples = value;
            ++i;
        } else {
            std::fprintf(stderr,
                         "pollux-bench table: cannot use '%s'\n"
                         "usage: pollux-bench table [--connections N] [--samples N] [--alone] "
                         "[--json]\n"
                         "  --connections N   of NAT, more than %u\n"
                         "  --alone           without rte_hash beside it\n",
                         std::string(arguments[i]).c_str(), TableSubject::kNewConnections);
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
    const auto refuse = [](const Status& status) {
        std::fprintf(stderr, "pollux-bench: %s; %s\n", status.error().message.c_str(),
                     status.error().remedy.c_str());
        return 1;
    };
    for (const std::uint32_t connections : options.connections) {
        Comparison comparison(connections, options);
        if (!options.alone) {
            if (Status status = comparison.add_rival(); !status) return refuse(status);
        }
        comparison.run(report);
        if (options.alone) continue;
        if (Status status = comparison.add_rival_with_records(); !status) return refuse(status);
        comparison.run_with_records(report);
    }
    report.footer();
    return 0;
}

}  // namespace pollux::bench
