// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/traffic_bench.h"

#include <algorithm>

#include "dataplane/net/tcp.h"
#include "tools/bench/testbed.h"

namespace pollux::bench {
namespace {

constexpr unsigned kChainSteps = 1024;
constexpr unsigned kNewConnections = 512;  // in a sample
constexpr unsigned kWarmUpShare = 10;      // of the samples, not counted

// The costs of the samples and the core's speed right before each of them.
class Samples {
  public:
    explicit Samples(const Options& options) {
        watch_.clock = +[]() noexcept -> std::uint64_t { return __rdtsc(); };
        if (options.stages) stage_costs_.resize(lb::kStageCount);
    }
    // What the testbed shall tell the stages' costs; nullptr: nothing.
    [[nodiscard]] lb::StageWatch* watch() noexcept {
        return stage_costs_.empty() ? nullptr : &watch_;
    }
    template <typename Work>
    std::uint64_t time(Work&& work) {
        chains_.push_back(multiplication_chain(kChainSteps));
        const std::uint64_t begin = __rdtsc();
        work();
        return __rdtsc() - begin;
    }
    void add(std::uint64_t cycles, unsigned units) {
        costs_.push_back(static_cast<double>(cycles) / units);
        for (std::size_t i = 0; i < stage_costs_.size(); ++i) {
            stage_costs_[i].push_back(static_cast<double>(watch_.spent[i]) / units);
        }
        watch_.spent = {};
    }
    void forget() {
        costs_.clear();
        chains_.clear();
        for (std::vector<double>& costs : stage_costs_) costs.clear();
    }
    [[nodiscard]] Figure figure(std::string what, const Options& options,
                                const Testbed& bed) const {
        static double best_chain = 1e9;
        const Measured chains = summarize(chains_);
        best_chain = std::min(best_chain, chains.minimum);
        Figure figure;
        figure.goal = goal_of(what, options);
        figure.what = std::move(what);
        figure.method = short_name(options.method);
        figure.direction = to_string(options.travel);
        figure.family = to_string(options.family);
        figure.connections = options.flows;
        figure.cost = summarize(costs_);
        figure.multiplication = chains.p10;
        figure.best_multiplication = best_chain;
        figure.pages = bed.pages();
        for (const std::vector<double>& costs : stage_costs_) {
            figure.stages.push_back(summarize(costs).p10);
        }
        return figure;
    }

  private:
    std::vector<double> costs_;
    std::vector<double> chains_;
    lb::StageWatch watch_;
    std::vector<std::vector<double>> stage_costs_;  // by stage; empty without --stages
};

Result<std::unique_ptr<Testbed>> established_testbed(const Options& options) {
    auto bed = Testbed::create(options);
    if (!bed) return bed;
    if (Status status = bed.value()->establish(); !status) return status.error();
    return bed;
}

Error wrong_outcome(std::string_view what, std::uint64_t is, std::uint64_t expected) {
    return {std::string(what) + ": " + std::to_string(is) + " instead of " +
                std::to_string(expected) + ": no figure is reported",
            "this is a defect of the data plane"};
}

// Every packet was forwarded, and `created` connections were opened by them.
Status expect_outcome(const lb::WorkerCounters& before, const lb::WorkerCounters& after,
                      unsigned packets, unsigned created) {
    const std::uint64_t sent = after.transmitted - before.transmitted;
    if (sent != packets) return wrong_outcome("packets forwarded", sent, packets);
    const std::uint64_t opened = after.connections_created - before.connections_created;
    if (opened != created) return wrong_outcome("connections opened", opened, created);
    const std::uint64_t hits = after.connection_hits - before.connection_hits;
    if (hits != packets - created) {
        return wrong_outcome("connections found", hits, packets - created);
    }
    const std::uint64_t originated = after.originated - before.originated;
    if (originated != 0) return wrong_outcome("packets of our own", originated, 0);
    return ok_status();
}

unsigned warm_up(const Options& options) {
    return options.samples / kWarmUpShare + 1;
}

// One packet of each of a sample's connections.
struct Step {
    Travel travel;
    std::uint8_t flags;
};
constexpr Step kRestOfLife[] = {
    {Travel::Reply, net::kTcpSyn | net::kTcpAck},
    {Travel::Forward, net::kTcpAck},
    {Travel::Forward, net::kTcpAck | net::kTcpPsh},
    {Travel::Reply, net::kTcpAck},
    {Travel::Reply, net::kTcpAck | net::kTcpPsh},
    {Travel::Forward, net::kTcpAck},
    {Travel::Forward, net::kTcpFin | net::kTcpAck},
    {Travel::Reply, net::kTcpFin | net::kTcpAck},
    {Travel::Forward, net::kTcpAck},
};

bool answers_pass(const Options& options) {
    return options.method == lb::ForwardingMethod::Nat ||
           options.method == lb::ForwardingMethod::FullNat;
}

// The sweep between two samples reads the whole table, which leaves nothing else in the caches. A
// worker that opens connections does not sweep; so as many connections as a sample has are opened
// untimed, which brings the worker's own lines back, those of services and servers among them, and
// of a large table next to nothing.
void open_untimed(Testbed& bed, std::uint64_t first) {
    bed.load(first, kNewConnections, net::kTcpSyn, Travel::Forward);
    bed.process(kNewConnections);
}

// The lives of kNewConnections flows from `first`; cycles, or what went wrong.
Result<std::uint64_t> time_lives(Testbed& bed, Samples& samples, const Options& options,
                                 std::uint64_t first) {
    const lb::WorkerCounters before = bed.counters();
    Status status = ok_status();
    bed.load(first, kNewConnections, net::kTcpSyn, Travel::Forward);
    bed.watch_stages(samples.watch());
    std::uint64_t cycles = samples.time([&] { bed.process(kNewConnections); });
    bed.watch_stages(nullptr);
    // A retransmitted SYN passes to the same server; what it looks like tells where answers go.
    bed.load(first, kNewConnections, net::kTcpSyn, Travel::Forward);
    if (status = bed.learn(first, kNewConnections); !status) return status.error();
    unsigned packets = 2 * kNewConnections;
    for (const Step& step : kRestOfLife) {
        if (step.travel == Travel::Reply && !answers_pass(options)) continue;
        bed.load(first, kNewConnections, step.flags, step.travel);
        bed.watch_stages(samples.watch());
        cycles += samples.time([&] { bed.process(kNewConnections); });
        bed.watch_stages(nullptr);
        packets += kNewConnections;
    }
    status = expect_outcome(before, bed.counters(), packets, kNewConnections);
    if (!status) return status.error();
    return cycles;
}

}  // namespace

Result<Figure> measure_pipeline(const Options& options) {
    auto bed = established_testbed(options);
    if (!bed) return bed.error();
    Testbed& testbed = *bed.value();
    testbed.load_random(options.travel);
    if (Status status = testbed.verify(options.travel); !status) return status.error();
    Samples samples(options);
    const unsigned warm = warm_up(options);
    for (unsigned i = 0; i < warm + options.samples; ++i) {
        if (i == warm) samples.forget();
        testbed.load_random(options.travel);
        const lb::WorkerCounters before = testbed.counters();
        testbed.watch_stages(samples.watch());
        samples.add(samples.time([&] { testbed.process(kBatch); }), kBatch);
        testbed.watch_stages(nullptr);
        Status status = expect_outcome(before, testbed.counters(), kBatch, 0);
        if (!status) return status.error();
    }
    return samples.figure("pipeline", options, testbed);
}

Result<Figure> measure_connect(const Options& options) {
    auto bed = established_testbed(options);
    if (!bed) return bed.error();
    Testbed& testbed = *bed.value();
    Samples samples(options);
    std::uint64_t next = options.flows;
    const unsigned warm = warm_up(options);
    for (unsigned i = 0; i < warm + options.samples; ++i, next += kNewConnections) {
        if (i == warm) samples.forget();
        open_untimed(testbed, next);
        next += kNewConnections;
        testbed.load(next, kNewConnections, net::kTcpSyn, Travel::Forward);
        const lb::WorkerCounters before = testbed.counters();
        testbed.watch_stages(samples.watch());
        samples.add(samples.time([&] { testbed.process(kNewConnections); }), kNewConnections);
        testbed.watch_stages(nullptr);
        Status status =
            expect_outcome(before, testbed.counters(), kNewConnections, kNewConnections);
        if (!status) return status.error();
        testbed.expire_short_lived();
    }
    return samples.figure("connect", options, testbed);
}

Result<Figure> measure_life(const Options& options) {
    auto bed = established_testbed(options);
    if (!bed) return bed.error();
    Testbed& testbed = *bed.value();
    Samples samples(options);
    std::uint64_t next = options.flows;
    const unsigned warm = warm_up(options);
    for (unsigned i = 0; i < warm + options.samples; ++i, next += kNewConnections) {
        if (i == warm) samples.forget();
        open_untimed(testbed, next);
        next += kNewConnections;
        const Result<std::uint64_t> cycles = time_lives(testbed, samples, options, next);
        if (!cycles) return cycles.error();
        samples.add(cycles.value(), kNewConnections);
        testbed.expire_short_lived();
    }
    return samples.figure("life", options, testbed);
}

}  // namespace pollux::bench
