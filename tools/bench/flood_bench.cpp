// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/flood_bench.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "dataplane/net/tcp.h"
#include "tools/bench/testbed.h"

namespace pollux::bench {
namespace {

constexpr unsigned kWarmUpShare = 10;  // of the samples, not counted

Error not_found(std::uint64_t missing, std::string_view when) {
    return {std::to_string(missing) + " packets of established connections did not find them " +
                std::string(when),
            "this is a defect of the data plane"};
}

// Cycles per packet of established connections alone.
Result<Measured> time_established(Testbed& bed, unsigned samples, std::string_view when) {
    std::vector<double> costs;
    const unsigned warm = samples / kWarmUpShare + 1;
    for (unsigned i = 0; i < warm + samples; ++i) {
        bed.load_random(Travel::Forward);
        const std::uint64_t hits = bed.counters().connection_hits;
        const std::uint64_t begin = __rdtsc();
        bed.process(kBatch);
        const std::uint64_t end = __rdtsc();
        const std::uint64_t found = bed.counters().connection_hits - hits;
        if (found != kBatch) return not_found(kBatch - found, when);
        if (i >= warm) costs.push_back(static_cast<double>(end - begin) / kBatch);
    }
    return summarize(std::move(costs));
}

// A packet's virtual time during the flood: half a million SYNs a second.
constexpr lb::Duration kFloodPacketTime = std::chrono::microseconds(1);
constexpr std::uint64_t kFirstNewcomer = 1ULL << 30;  // flow; the flood's are far below
constexpr unsigned kNewcomers = 16;                   // at a time
constexpr std::uint32_t kSweepBudget = 4096;

std::uint64_t hits_of(Testbed& bed, std::uint64_t first, std::uint8_t flags) {
    bed.load(first, kNewcomers, flags, Travel::Forward);
    const std::uint64_t hits = bed.counters().connection_hits;
    bed.process(kNewcomers);
    return bed.counters().connection_hits - hits;
}

Result<Measured> time_mixed(Testbed& bed, unsigned samples, std::uint64_t& next_flow,
                            FloodFigure& figure) {
    std::vector<double> costs;
    bed.set_packet_time(kFloodPacketTime);
    for (unsigned i = 0; i < samples; ++i) {
        const std::uint64_t newcomer = kFirstNewcomer + figure.newcomers;
        const bool has_newcomers = i >= samples / 2;
        if (has_newcomers) (void)hits_of(bed, newcomer, net::kTcpSyn);
        bed.load_flood(next_flow);
        const std::uint64_t hits = bed.counters().connection_hits;
        const std::uint64_t begin = __rdtsc();
        bed.process(kBatch);
        const std::uint64_t end = __rdtsc();
        const std::uint64_t found = bed.counters().connection_hits - hits;
        if (found < kBatch / 2) return not_found(kBatch / 2 - found, "during the flood");
        costs.push_back(static_cast<double>(end - begin) / kBatch);
        if (has_newcomers) {
            figure.newcomers += kNewcomers;
            figure.newcomers_established += hits_of(bed, newcomer, net::kTcpAck);
        }
        bed.housekeep(kSweepBudget);
    }
    return summarize(std::move(costs));
}

std::uint64_t count_survivors(Testbed& bed, std::uint64_t flows) {
    std::uint64_t found = 0;
    for (std::uint64_t first = 0; first < flows; first += kBatch) {
        const auto count = static_cast<unsigned>(std::min<std::uint64_t>(kBatch, flows - first));
        bed.load(first, count, net::kTcpAck, Travel::Forward);
        const std::uint64_t hits = bed.counters().connection_hits;
        bed.process(count);
        found += bed.counters().connection_hits - hits;
    }
    return found;
}

// What the flood added to the counters.
void account(FloodFigure& figure, const lb::WorkerCounters& before,
             const lb::WorkerCounters& after) {
    figure.opened = after.connections_created - before.connections_created;
    figure.evicted = after.embryonic_evicted - before.embryonic_evicted;
    for (std::size_t i = 0; i < lb::kDropReasonCount; ++i) {
        const std::uint64_t dropped = after.dropped[i] - before.dropped[i];
        if (dropped == 0) continue;
        figure.dropped.emplace_back(lb::to_string(static_cast<lb::DropReason>(i)), dropped);
    }
}

}  // namespace

Result<FloodFigure> measure_flood(const Options& options) {
    auto made = Testbed::create(options);
    if (!made) return made.error();
    Testbed& bed = *made.value();
    if (Status status = bed.establish(); !status) return status.error();
    FloodFigure figure;
    figure.method = short_name(options.method);
    figure.family = to_string(options.family);
    figure.connections = options.flows;
    figure.pages = bed.pages();
    for (const lb::MemoryView& view : bed.plane().memory()) {
        if (view.name == "connection records") figure.capacity = view.capacity;
    }
    Result<Measured> cost = time_established(bed, options.samples, "before the flood");
    if (!cost) return cost.error();
    figure.before = *cost;
    const lb::WorkerCounters before = bed.counters();
    std::uint64_t next_flow = options.flows;
    cost = time_mixed(bed, options.samples, next_flow, figure);
    if (!cost) return cost.error();
    figure.mixed = *cost;
    figure.syns = next_flow - options.flows;
    account(figure, before, bed.counters());
    cost = time_established(bed, options.samples, "after the flood");
    if (!cost) return cost.error();
    figure.after = *cost;
    figure.survived = count_survivors(bed, options.flows);
    return figure;
}

std::string flood_text(const FloodFigure& figure) {
    std::array<char, 200> line{};
    std::string text;
    const auto add = [&](const char* what, double cycles) {
        std::snprintf(line.data(), line.size(), "  %-52s %8.1f\n", what, cycles);
        text += line.data();
    };
    const auto count = [&](const std::string& what, std::uint64_t value) {
        std::snprintf(line.data(), line.size(), "  %-52s %8llu\n", what.c_str(),
                      static_cast<unsigned long long>(value));
        text += line.data();
    };
    text = figure.method + " " + figure.family + ", cycles (10th percentile)\n";
    add("an established packet before the flood", figure.before.p10);
    add("a packet while every second one is a SYN", figure.mixed.p10);
    add("so a SYN of the flood", figure.syn_cost());
    add("an established packet after the flood", figure.after.p10);
    text += "connections\n";
    count("room in the table", figure.capacity);
    count("established", figure.connections);
    count("SYNs of the flood", figure.syns);
    count("opened, newcomers included", figure.opened);
    count("half-open ones evicted", figure.evicted);
    for (const auto& [reason, dropped] : figure.dropped) count("dropped: " + reason, dropped);
    count("established ones that survived", figure.survived);
    count("newcomers during the flood", figure.newcomers);
    count("newcomers that became established", figure.newcomers_established);
    return text + figure.pages + "\n";
}

std::string flood_json(const FloodFigure& figure) {
    const auto cost = [](const Measured& measured) {
        return nlohmann::json{
            {"minimum", measured.minimum}, {"p10", measured.p10}, {"median", measured.median}};
    };
    nlohmann::json dropped = nlohmann::json::object();
    for (const auto& [reason, number] : figure.dropped) dropped[reason] = number;
    return nlohmann::json{{"program", "pollux-bench"},
                          {"flood",
                           {{"method", figure.method},
                            {"family", figure.family},
                            {"connections", figure.connections},
                            {"capacity", figure.capacity},
                            {"before", cost(figure.before)},
                            {"mixed", cost(figure.mixed)},
                            {"after", cost(figure.after)},
                            {"syn_cost", figure.syn_cost()},
                            {"syns", figure.syns},
                            {"opened", figure.opened},
                            {"evicted", figure.evicted},
                            {"newcomers", figure.newcomers},
                            {"newcomers_established", figure.newcomers_established},
                            {"dropped", std::move(dropped)},
                            {"survived", figure.survived},
                            {"pages", figure.pages}}}}
               .dump(2) +
           "\n";
}

}  // namespace pollux::bench
