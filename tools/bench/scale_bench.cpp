// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/scale_bench.h"

#include <array>
#include <barrier>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "tools/bench/testbed.h"

namespace pollux::bench {
namespace {

bool answers_pass(lb::ForwardingMethod method) {
    return method == lb::ForwardingMethod::Nat || method == lb::ForwardingMethod::FullNat;
}

// What one worker's thread does and finds out.
struct Lane {
    std::unique_ptr<Testbed> bed;
    Travel travel = Travel::Forward;
    std::vector<double> costs;
    Status status = ok_status();
};

// All lanes time their samples side by side: each waits for the others before it starts a sample.
// A lane that failed keeps step, so that nobody waits for ever.
void run_lane(Lane& lane, unsigned samples, std::barrier<>& together) {
    lane.bed->online();
    lane.bed->load_random(lane.travel);
    lane.status = lane.bed->verify(lane.travel);
    for (unsigned i = 0; i < samples; ++i) {
        lane.bed->load_random(lane.travel);
        together.arrive_and_wait();
        const std::uint64_t sent = lane.bed->counters().transmitted;
        const std::uint64_t begin = __rdtsc();
        lane.bed->process(kBatch);
        const std::uint64_t end = __rdtsc();
        lane.costs.push_back(static_cast<double>(end - begin) / kBatch);
        if (lane.bed->counters().transmitted - sent != kBatch && lane.status) {
            lane.status = Error{"packets were not forwarded: no figure is reported",
                                "this is a defect of the data plane"};
        }
    }
    lane.bed->offline();
}

Result<ScaleFigure> measure_workers(const Options& options, unsigned workers) {
    auto first = Testbed::create(options, workers);
    if (!first) return first.error();
    if (Status status = first.value()->establish(); !status) return status.error();
    std::vector<Lane> lanes(workers);
    for (unsigned i = 1; i < workers; ++i) {
        auto sibling = first.value()->sibling(i);
        if (!sibling) return sibling.error();
        lanes[i].bed = std::move(sibling).value();
        const bool reply = i % 2 == 1 && answers_pass(options.method);
        lanes[i].travel = reply ? Travel::Reply : Travel::Forward;
    }
    lanes[0].bed = std::move(first).value();
    std::barrier<> together(static_cast<std::ptrdiff_t>(workers));
    {
        std::vector<std::jthread> threads;
        threads.reserve(lanes.size());
        for (Lane& lane : lanes) {
            threads.emplace_back([&] { run_lane(lane, options.samples, together); });
        }
    }
    ScaleFigure figure;
    figure.workers = workers;
    for (Lane& lane : lanes) {
        if (!lane.status) return lane.status.error();
        figure.cost.push_back(summarize(std::move(lane.costs)));
    }
    return figure;
}

}  // namespace

double ScaleFigure::mean_p10() const {
    double sum = 0;
    for (const Measured& each : cost) sum += each.p10;
    return sum / static_cast<double>(cost.size());
}

Result<std::vector<ScaleFigure>> measure_scale(const Options& options) {
    std::vector<ScaleFigure> figures;
    for (unsigned workers = 1; workers <= options.workers; ++workers) {
        const Result<ScaleFigure> figure = measure_workers(options, workers);
        if (!figure) return figure.error();
        figures.push_back(*figure);
    }
    return figures;
}

std::string scale_text(const Options& options, const std::vector<ScaleFigure>& figures) {
    std::array<char, 120> line{};
    std::string text = std::string(short_name(options.method)) + " " +
                       std::string(to_string(options.family)) + ", " +
                       std::to_string(options.flows) +
                       " connections in one table; cycles per packet, 10th percentile\n";
    std::snprintf(line.data(), line.size(), "%8s %10s %10s  by worker\n", "workers", "mean",
                  "to 1");
    text += line.data();
    for (const ScaleFigure& figure : figures) {
        std::snprintf(line.data(), line.size(), "%8u %10.1f %10.2f ", figure.workers,
                      figure.mean_p10(), figure.mean_p10() / figures.front().mean_p10());
        text += line.data();
        for (const Measured& each : figure.cost) {
            std::snprintf(line.data(), line.size(), " %.1f", each.p10);
            text += line.data();
        }
        text += "\n";
    }
    if (answers_pass(options.method)) text += "every second worker gets the replies\n";
    return text;
}

std::string scale_json(const Options& options, const std::vector<ScaleFigure>& figures) {
    nlohmann::json rows = nlohmann::json::array();
    for (const ScaleFigure& figure : figures) {
        nlohmann::json costs = nlohmann::json::array();
        for (const Measured& each : figure.cost) {
            costs.push_back(
                {{"minimum", each.minimum}, {"p10", each.p10}, {"median", each.median}});
        }
        rows.push_back({{"workers", figure.workers},
                        {"mean_p10", figure.mean_p10()},
                        {"cycles", std::move(costs)}});
    }
    return nlohmann::json{{"program", "pollux-bench"},
                          {"scale",
                           {{"method", short_name(options.method)},
                            {"family", to_string(options.family)},
                            {"connections", options.flows},
                            {"figures", std::move(rows)}}}}
               .dump(2) +
           "\n";
}

}  // namespace pollux::bench
