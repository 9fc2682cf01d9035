// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/expire_bench.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include <sched.h>

#include "tools/bench/figure.h"
#include "tools/bench/testbed.h"

namespace pollux::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::uint32_t kActive = 1000;
constexpr auto kTurn = 10ms;         // of the control thread
constexpr auto kShortTimeout = 30s;  // of the connections that expire
constexpr auto kLongTimeout = 240h;
constexpr unsigned kWarmUpShare = 10;  // of the samples, not counted
constexpr unsigned kIdleTurns = 10;

// Where this process may run: the control thread takes the first CPU, the worker the last, as those
// of polluxd have cores of their own. With one CPU they share it.
class Cpus {
  public:
    Cpus() {
        sched_getaffinity(0, sizeof all_, &all_);
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (!CPU_ISSET(cpu, &all_)) continue;
            if (first_ < 0) first_ = cpu;
            last_ = cpu;
        }
    }
    ~Cpus() { sched_setaffinity(0, sizeof all_, &all_); }
    Cpus(const Cpus&) = delete;
    Cpus& operator=(const Cpus&) = delete;

    void pin_worker() const { pin(last_); }
    void pin_control() const { pin(first_); }

  private:
    // The calling thread.
    static void pin(int cpu) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
    }

    cpu_set_t all_{};
    int first_ = -1, last_ = -1;
};

// The control thread: housekeeping every ten milliseconds, at a virtual time that runs as the real
// one does.
class ControlThread {
  public:
    ControlThread(Testbed& bed, const Cpus& cpus, std::uint32_t budget)
        : plane_(bed.plane()),
          virtual_start_(bed.now()),
          budget_(budget),
          thread_([this, &cpus](const std::stop_token& stop) {
              cpus.pin_control();
              run(stop);
          }) {}

    [[nodiscard]] lb::TimePoint now() const {
        return virtual_start_ + std::chrono::duration_cast<lb::Duration>(Clock::now() - start_);
    }
    double stop() {
        thread_.request_stop();
        thread_.join();
        return longest_us_;
    }

  private:
    void run(const std::stop_token& stop) {
        for (auto next = start_; !stop.stop_requested(); next += kTurn) {
            std::this_thread::sleep_until(next);
            const auto begin = Clock::now();
            plane_.housekeep(now(), budget_);
            const std::chrono::duration<double, std::micro> turn = Clock::now() - begin;
            longest_us_ = std::max(longest_us_, turn.count());
        }
    }

    lb::DataPlane& plane_;
    const lb::TimePoint virtual_start_;
    const std::uint32_t budget_;
    const Clock::time_point start_ = Clock::now();
    double longest_us_ = 0;  // read after the thread has ended
    std::jthread thread_;    // last: it uses the others
};

std::uint64_t used_records(const lb::DataPlane& plane) {
    for (const lb::MemoryView& view : plane.memory()) {
        if (view.name == "connection records") return view.used;
    }
    return 0;
}

// Packets of the active connections for so long, one iteration after the other.
Result<IterationFigure> watch(Testbed& bed, const ControlThread& control, Clock::duration span,
                              double cycles_per_us) {
    std::vector<std::uint32_t> cycles;
    cycles.reserve(1U << 20U);
    const auto end = Clock::now() + span;
    while (Clock::now() < end) {
        bed.load_random(Travel::Forward);
        bed.set_now(control.now());
        const std::uint64_t hits = bed.counters().connection_hits;
        std::uint64_t begin = __rdtsc();
        bed.process(kBatch, [&](unsigned, std::span<const lb::Packet>) {
            const std::uint64_t now = __rdtsc();
            cycles.push_back(static_cast<std::uint32_t>(now - begin));
            begin = __rdtsc();
        });
        if (bed.counters().connection_hits - hits != kBatch) {
            return Error{"an active connection was not found: no figure is reported",
                         "this is a defect of the data plane"};
        }
    }
    return summarize_iterations(std::move(cycles), cycles_per_us);
}

Status expire_phases(Testbed& bed, ExpireFigure& figure, const Options& options, double per_us) {
    if (Status status = bed.establish(0, kActive); !status) return status;
    if (Status status = bed.set_established_timeout(kShortTimeout); !status) return status;
    // Within the second before `end`: so they expire in the second before end + kShortTimeout.
    if (Status status = bed.establish(kActive, options.flows); !status) return status;
    const lb::TimePoint end = bed.now();
    if (Status status = bed.set_established_timeout(kLongTimeout); !status) return status;
    bed.draw_from(kActive);
    const std::uint64_t before = used_records(bed.plane());
    bed.set_now(end + kShortTimeout - 2s);
    const Cpus cpus;
    cpus.pin_worker();
    ControlThread control(bed, cpus, lb::sweep_budget(options.flows));
    for (const auto& [phase, span] : {std::pair{&figure.before, Clock::duration(1s)},
                                      {&figure.during, Clock::duration(1s)},
                                      {&figure.after, Clock::duration(2200ms)}}) {
        Result<IterationFigure> seen = watch(bed, control, span, per_us);
        if (!seen) return seen.error();
        *phase = *seen;
    }
    figure.longest_turn_us = control.stop();
    figure.removed = before - used_records(bed.plane());
    return ok_status();
}

// Appends so many samples to `costs`.
Status time_active(Testbed& bed, unsigned samples, std::uint32_t budget,
                   std::vector<double>& costs) {
    const Cpus cpus;
    cpus.pin_worker();
    ControlThread control(bed, cpus, budget);
    for (unsigned i = 0; i < samples + samples / kWarmUpShare + 1; ++i) {
        bed.load_random(Travel::Forward);
        bed.set_now(control.now());
        const std::uint64_t hits = bed.counters().connection_hits;
        const std::uint64_t begin = __rdtsc();
        bed.process(kBatch);
        const std::uint64_t end = __rdtsc();
        if (bed.counters().connection_hits - hits != kBatch) {
            return Error{"an active connection was not found: no figure is reported",
                         "this is a defect of the data plane"};
        }
        if (i > samples / kWarmUpShare) costs.push_back(static_cast<double>(end - begin) / kBatch);
    }
    control.stop();
    bed.set_now(control.now());
    return ok_status();
}

// Two tables of one size, of which one is filled with idle connections, in turns: so that a machine
// that becomes slower or faster does so for both.
Status idle_phases(ExpireFigure& figure, const Options& options) {
    Options large = options;
    large.flows = options.idle + kActive;
    std::array<std::unique_ptr<Testbed>, 2> beds;
    for (auto& bed : beds) {
        auto made = Testbed::create(large);
        if (!made) return made.error();
        bed = std::move(made).value();
        bed->draw_from(kActive);
        if (Status status = bed->establish(0, kActive); !status) return status;
    }
    figure.pages = beds[0]->pages();
    if (Status status = beds[1]->establish(kActive, options.idle); !status) return status;
    const std::uint32_t budget = lb::sweep_budget(large.flows);
    std::array<std::vector<double>, 2> costs;
    for (unsigned turn = 0; turn < kIdleTurns; ++turn) {
        for (std::size_t i = 0; i < beds.size(); ++i) {
            Status status =
                time_active(*beds.at(i), options.samples / kIdleTurns + 1, budget, costs.at(i));
            if (!status) return status;
        }
    }
    figure.alone = summarize(std::move(costs[0]));
    figure.with_idle = summarize(std::move(costs[1]));
    return ok_status();
}

std::string line_of(const char* phase, const IterationFigure& figure) {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "  %-28s %10llu %8.2f %8.2f %8.2f %8.1f %8llu\n", phase,
                  static_cast<unsigned long long>(figure.count), figure.median_us, figure.p999_us,
                  figure.p99999_us, figure.longest_us,
                  static_cast<unsigned long long>(figure.over_goal));
    return line.data();
}

nlohmann::json json_of(const IterationFigure& figure) {
    return {{"iterations", figure.count},      {"median_us", figure.median_us},
            {"p99.9_us", figure.p999_us},      {"p99.999_us", figure.p99999_us},
            {"longest_us", figure.longest_us}, {"over_goal", figure.over_goal}};
}

nlohmann::json json_of(const Measured& cost) {
    return {{"minimum", cost.minimum}, {"p10", cost.p10}, {"median", cost.median}};
}

}  // namespace

IterationFigure summarize_iterations(std::vector<std::uint32_t> cycles, double cycles_per_us) {
    IterationFigure figure;
    if (cycles.empty()) return figure;
    std::sort(cycles.begin(), cycles.end());
    const auto at = [&](double share) {
        const auto last = static_cast<double>(cycles.size() - 1);
        return cycles[static_cast<std::size_t>(share * last)] / cycles_per_us;
    };
    figure.count = cycles.size();
    figure.median_us = at(0.5);
    figure.p999_us = at(0.999);
    figure.p99999_us = at(0.99999);
    figure.longest_us = at(1);
    const auto over = std::upper_bound(
        cycles.begin(), cycles.end(), static_cast<std::uint32_t>(kIterationGoalUs * cycles_per_us));
    figure.over_goal = static_cast<std::uint64_t>(cycles.end() - over);
    return figure;
}

Result<ExpireFigure> measure_expire(const Options& options) {
    const double cycles_per_us = describe_machine().counter_ghz * 1000;
    ExpireFigure figure;
    figure.method = short_name(options.method);
    figure.family = to_string(options.family);
    figure.active = kActive;
    figure.expiring = options.flows;
    figure.idle = options.idle;
    {
        Options with_active = options;
        with_active.flows = options.flows + kActive;
        auto made = Testbed::create(with_active);
        if (!made) return made.error();
        if (Status status = expire_phases(*made.value(), figure, options, cycles_per_us); !status) {
            return status.error();
        }
    }
    if (Status status = idle_phases(figure, options); !status) return status.error();
    return figure;
}

std::string expire_text(const ExpireFigure& figure) {
    std::array<char, 200> line{};
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    std::string text = figure.method + " " + figure.family + ", packets of " +
                       number(figure.active) + " connections, while " + number(figure.expiring) +
                       " others expire within one second\n";
    std::snprintf(line.data(), line.size(), "  %-28s %10s %8s %8s %8s %8s %8s\n",
                  "iterations, microseconds", "number", "median", "p99.9", "p99.999", "longest",
                  "over 50");
    text += line.data();
    text += line_of("the second before", figure.before);
    text += line_of("while they expire", figure.during);
    text += line_of("two seconds after", figure.after);
    text += "  removed by then " + number(figure.removed) + " of " + number(figure.expiring);
    std::snprintf(line.data(), line.size(), "; longest turn of the control thread %.0f us\n",
                  figure.longest_turn_us);
    text += line.data();
    std::snprintf(line.data(), line.size(),
                  "cycles per packet (10th percentile): %.1f alone, %.1f beside %llu idle "
                  "connections: %+.1f %% (goal %.0f %%)%s\n",
                  figure.alone.p10, figure.with_idle.p10,
                  static_cast<unsigned long long>(figure.idle), 100 * figure.idle_cost(),
                  100 * kIdleGoal, figure.idle_cost() > kIdleGoal ? "  over" : "");
    return text + line.data() + figure.pages + "\n";
}

std::string expire_json(const ExpireFigure& figure) {
    return nlohmann::json{{"program", "pollux-bench"},
                          {"expire",
                           {{"method", figure.method},
                            {"family", figure.family},
                            {"active", figure.active},
                            {"expiring", figure.expiring},
                            {"removed", figure.removed},
                            {"iteration_goal_us", kIterationGoalUs},
                            {"before", json_of(figure.before)},
                            {"during", json_of(figure.during)},
                            {"after", json_of(figure.after)},
                            {"longest_turn_us", figure.longest_turn_us},
                            {"idle", figure.idle},
                            {"alone", json_of(figure.alone)},
                            {"with_idle", json_of(figure.with_idle)},
                            {"idle_cost", figure.idle_cost()},
                            {"idle_goal", kIdleGoal},
                            {"pages", figure.pages}}}}
               .dump(2) +
           "\n";
}

}  // namespace pollux::bench
