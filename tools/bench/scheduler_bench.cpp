// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/scheduler_bench.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "dataplane/lb/schedulers.h"
#include "tools/bench/options.h"

namespace pollux::bench {
namespace {

using lb::SchedulerKind;
using lb::ServiceScheduler;

constexpr unsigned kClients = 1U << 16U;
constexpr unsigned kPerSample = 2048;  // choices, so that a sample stays below 1 ms
constexpr unsigned kBuilds = 15;

net::IpAddress v4(std::uint32_t host) {
    return net::IpAddress::from_v4(net::Ipv4Address::from_host(host));
}

lb::SchedulerServer server(std::uint32_t number) {
    return {lb::RealServerId{number}, v4(0x0a020001U + number), 80, 1, 1, 0};
}

// Of equal weight: then the disruption of hashing is that of the method alone.
std::vector<lb::SchedulerServer> servers_of(unsigned count) {
    std::vector<lb::SchedulerServer> servers;
    for (std::uint32_t i = 0; i < count; ++i) servers.push_back(server(i));
    return servers;
}

std::vector<lb::ScheduleInput> random_clients() {
    std::mt19937_64 random(1);
    std::vector<lb::ScheduleInput> inputs(kClients);
    for (lb::ScheduleInput& input : inputs) {
        // lblc and dh look at the destination: let it vary as for a firewall-mark service.
        input.client = v4(static_cast<std::uint32_t>(random()));
        input.destination = v4(0xcb007100U + static_cast<std::uint32_t>(random() % 4096));
        input.client_port = static_cast<std::uint16_t>(1024 + random() % 60'000);
        input.now = lb::TimePoint(std::chrono::seconds(1000));
    }
    return inputs;
}

ServiceScheduler build(SchedulerKind kind, std::span<const lb::SchedulerServer> servers,
                       const ServiceScheduler* previous = nullptr) {
    lb::SchedulerConfig config;
    config.kind = kind;
    config.expiration = std::chrono::hours(24);
    config.servers = servers;
    return lb::build_scheduler(config, previous);
}

// Whom each client gets; ids, as positions change with the list.
std::vector<lb::RealServerId> choices(const ServiceScheduler& scheduler,
                                      std::span<const lb::ScheduleInput> inputs,
                                      lb::ServerLoads loads) {
    std::vector<lb::RealServerId> result;
    result.reserve(inputs.size());
    for (const lb::ScheduleInput& input : inputs) {
        const std::uint32_t target = lb::schedule(scheduler, input, loads);
        result.push_back(target == lb::kNoTarget ? lb::kNoRealServer
                                                 : scheduler.targets[target].id);
    }
    return result;
}

// The share of the clients that were not at `except` before and change to another than `except`.
double moved(std::span<const lb::RealServerId> before, std::span<const lb::RealServerId> after,
             lb::RealServerId except) {
    std::size_t all = 0;
    std::size_t changed = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] == except || after[i] == except) continue;
        ++all;
        changed += before[i] != after[i] ? 1U : 0U;
    }
    return all == 0 ? 0 : static_cast<double>(changed) / static_cast<double>(all);
}

double median_build_us(SchedulerKind kind, std::span<const lb::SchedulerServer> servers) {
    std::vector<double> times;
    for (unsigned i = 0; i < kBuilds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        const ServiceScheduler built = build(kind, servers);
        const std::chrono::duration<double, std::micro> span =
            std::chrono::steady_clock::now() - begin;
        times.push_back(span.count());
    }
    return summarize(std::move(times)).median;
}

SchedulerFigure measure_one(const lb::SchedulerRow& row, unsigned count, unsigned samples,
                            std::span<const lb::ScheduleInput> inputs) {
    // Connections as they lie about in a running service, so that the least is not the first.
    std::mt19937_64 random(2);
    auto loads = std::make_unique<std::vector<lb::ServerLoad>>(count + 1);
    for (lb::ServerLoad& load : *loads) {
        load.active.store(static_cast<std::uint32_t>(500 + random() % 1000),
                          std::memory_order_relaxed);
    }
    std::vector<lb::SchedulerServer> servers = servers_of(count);
    const ServiceScheduler scheduler = build(row.kind, servers);
    SchedulerFigure figure;
    figure.name = row.name;
    figure.servers = count;
    std::size_t at = 0;
    std::uint32_t sink = 0;
    const auto sample = [&] {
        for (unsigned i = 0; i < kPerSample; ++i) {
            sink ^= lb::schedule(scheduler, inputs[at], *loads);
            at = at + 1 == inputs.size() ? 0 : at + 1;
        }
    };
    static_cast<void>(measure(samples / 10 + 1, kPerSample, sample));
    figure.choice = measure(samples, kPerSample, sample);
    __asm__ volatile("" : : "r"(sink));
    figure.build_us = median_build_us(row.kind, servers);
    figure.is_bound_to_client = row.kind == SchedulerKind::Dh || row.kind == SchedulerKind::Sh ||
                                row.kind == SchedulerKind::Mh;
    if (!figure.is_bound_to_client) return figure;
    const auto before = choices(scheduler, inputs, *loads);
    const lb::RealServerId leaver{count / 2};
    std::vector<lb::SchedulerServer> fewer = servers;
    fewer.erase(fewer.begin() + count / 2);
    figure.moved_by_leave =
        moved(before, choices(build(row.kind, fewer, &scheduler), inputs, *loads), leaver);
    // LVS adds at the head of the list.
    std::vector<lb::SchedulerServer> more = servers;
    more.insert(more.begin(), server(count));
    figure.moved_by_join = moved(before, choices(build(row.kind, more, &scheduler), inputs, *loads),
                                 lb::RealServerId{count});
    return figure;
}

}  // namespace

std::vector<SchedulerFigure> measure_schedulers(unsigned servers, unsigned samples) {
    const std::vector<lb::ScheduleInput> inputs = random_clients();
    std::vector<SchedulerFigure> figures;
    figures.reserve(std::size(lb::kSchedulers));
    for (const lb::SchedulerRow& row : lb::kSchedulers) {
        figures.push_back(measure_one(row, servers, samples, inputs));
    }
    return figures;
}

std::string scheduler_text(std::span<const SchedulerFigure> figures) {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "%-9s %8s %8s %8s %8s %10s %10s %10s\n", "scheduler",
                  "servers", "p10", "median", "min", "build us", "leave", "join");
    std::string text = line.data();
    for (const SchedulerFigure& figure : figures) {
        std::snprintf(line.data(), line.size(), "%-9s %8u %8.1f %8.1f %8.1f %10.1f",
                      figure.name.c_str(), figure.servers, figure.choice.p10, figure.choice.median,
                      figure.choice.minimum, figure.build_us);
        text += line.data();
        if (figure.is_bound_to_client) {
            std::snprintf(line.data(), line.size(), " %8.2f %% %8.2f %%",
                          100 * figure.moved_by_leave, 100 * figure.moved_by_join);
            text += line.data();
        }
        text += "\n";
    }
    return text +
           "cycles for a choice; leave, join: clients of servers that stay which get another one\n";
}

std::string scheduler_json(std::span<const SchedulerFigure> figures) {
    nlohmann::json rows = nlohmann::json::array();
    for (const SchedulerFigure& figure : figures) {
        nlohmann::json row = {{"scheduler", figure.name},         {"servers", figure.servers},
                              {"minimum", figure.choice.minimum}, {"p10", figure.choice.p10},
                              {"median", figure.choice.median},   {"build_us", figure.build_us}};
        if (figure.is_bound_to_client) {
            row["moved_by_leave"] = figure.moved_by_leave;
            row["moved_by_join"] = figure.moved_by_join;
        }
        rows.push_back(std::move(row));
    }
    return nlohmann::json{{"program", "pollux-bench"}, {"schedulers", std::move(rows)}}.dump(2) +
           "\n";
}

int run_scheduler(std::span<const std::string_view> arguments) {
    constexpr unsigned kAccepted = Accepts::kServers | Accepts::kSamples | Accepts::kJson;
    const Result<Options> options = parse_options(arguments, kAccepted);
    if (!options) {
        std::fprintf(stderr, "pollux-bench: %s; %s\nusage: pollux-bench scheduler [options]\n%s",
                     options.error().message.c_str(), options.error().remedy.c_str(),
                     describe_options(kAccepted).c_str());
        return 2;
    }
    const auto figures = measure_schedulers(options->servers, options->samples);
    std::fputs((options->json ? scheduler_json(figures) : scheduler_text(figures)).c_str(), stdout);
    return 0;
}

}  // namespace pollux::bench
