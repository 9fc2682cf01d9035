// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/figure.h"

#include <array>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace pollux::bench {
namespace {

using lb::ForwardingMethod;
using nlohmann::json;

constexpr std::string_view kProgram = "pollux-bench";

// Cycles per packet up to these numbers of connections.
constexpr std::array<std::uint32_t, 4> kSizes{1'000, 100'000, 1'000'000, 10'000'000};
struct GoalRow {
    ForwardingMethod method;
    std::array<double, 4> cycles;
};
constexpr GoalRow kPipelineGoals[] = {
    {ForwardingMethod::DirectRouting, {60, 70, 95, 150}},
    {ForwardingMethod::Nat, {70, 80, 105, 165}},
    {ForwardingMethod::FullNat, {75, 85, 110, 170}},
    {ForwardingMethod::Tunnel, {75, 90, 115, 170}},
};
// From the fewest to the most connections, NAT.
constexpr double kGrowthGoal = 2.4;
constexpr double kConnectGoal = 450;  // a NAT connection beside 1 million
constexpr double kLifeGoal = 1800;    // 10 packets of FullNAT
constexpr double kFamilySixFactor = 1.25;

double processor_ghz() {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t first = __rdtsc();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::uint64_t last = __rdtsc();
    const std::chrono::duration<double, std::nano> span = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(last - first) / span.count();
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

__attribute__((format(printf, 1, 2))) std::string format(const char* text, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, text);
    std::vsnprintf(line, sizeof line, text, arguments);
    va_end(arguments);
    return line;
}

std::string machine_text(const Machine& machine) {
    return format("%s, %u cores, counter %.2f GHz, load average %.1f\n", machine.processor.c_str(),
                  machine.cores, machine.counter_ghz, machine.load_average);
}

double disturbance(const Figure& figure) {
    return figure.best_multiplication > 0 ? figure.multiplication / figure.best_multiplication : 0;
}

json figure_json(const Figure& figure) {
    json value = {{"what", figure.what},
                  {"method", figure.method},
                  {"direction", figure.direction},
                  {"family", figure.family},
                  {"connections", figure.connections},
                  {"cycles",
                   {{"minimum", figure.cost.minimum},
                    {"p10", figure.cost.p10},
                    {"median", figure.cost.median}}},
                  {"calibration",
                   {{"multiplication", figure.multiplication},
                    {"best", figure.best_multiplication},
                    {"ratio", disturbance(figure)}}},
                  {"pages", figure.pages}};
    if (figure.goal) value["goal"] = *figure.goal;
    for (std::size_t i = 0; i < figure.stages.size(); ++i) {
        value["stages"][std::string(lb::to_string(static_cast<lb::Stage>(i)))] = figure.stages[i];
    }
    return value;
}

Figure figure_of(const json& value) {
    Figure figure;
    figure.what = value.at("what");
    figure.method = value.at("method");
    figure.direction = value.at("direction");
    figure.family = value.at("family");
    figure.connections = value.at("connections");
    const json& cycles = value.at("cycles");
    figure.cost = {cycles.at("minimum"), cycles.at("p10"), cycles.at("median")};
    figure.multiplication = value.at("calibration").at("multiplication");
    figure.best_multiplication = value.at("calibration").at("best");
    figure.pages = value.at("pages");
    if (value.contains("goal")) figure.goal = value.at("goal").get<double>();
    return figure;
}

bool same_subject(const Figure& a, const Figure& b) {
    return a.what == b.what && a.method == b.method && a.direction == b.direction &&
           a.family == b.family && a.connections == b.connections;
}

std::string subject(const Figure& figure) {
    return format("%-9s %-5s %-8s %-3s %10llu", figure.what.c_str(), figure.method.c_str(),
                  figure.direction.c_str(), figure.family.c_str(),
                  static_cast<unsigned long long>(figure.connections));
}

// The same traffic of the fewest connections in the report, if that is another figure.
const Figure* fewest_of(const Report& report, const Figure& figure) {
    const Figure* fewest = &figure;
    for (const Figure& other : report.figures) {
        Figure same = other;
        same.connections = figure.connections;
        if (same_subject(same, figure) && other.connections < fewest->connections) fewest = &other;
    }
    return fewest == &figure ? nullptr : fewest;
}

// How the cost of a packet grows between the sizes for which there is a goal.
std::string growth_text(const Report& report) {
    std::string text;
    for (const Figure& figure : report.figures) {
        if (figure.what != "pipeline" || figure.connections != kSizes.back()) continue;
        const Figure* const fewest = fewest_of(report, figure);
        if (fewest == nullptr || fewest->connections != kSizes.front()) continue;
        const double growth = figure.cost.p10 / fewest->cost.p10;
        const bool has_goal = figure.method == "nat";
        text += format("growth    %-5s %-8s %-3s from %llu to %llu connections: %.2f times%s%s\n",
                       figure.method.c_str(), figure.direction.c_str(), figure.family.c_str(),
                       static_cast<unsigned long long>(fewest->connections),
                       static_cast<unsigned long long>(figure.connections), growth,
                       has_goal ? format(", goal %.1f", kGrowthGoal).c_str() : "",
                       has_goal && growth > kGrowthGoal ? "  over" : "");
    }
    return text;
}

}  // namespace

Machine describe_machine() {
    Machine machine;
    machine.processor = processor_name();
    machine.counter_ghz = processor_ghz();
    machine.cores = std::thread::hardware_concurrency();
    std::ifstream("/proc/loadavg") >> machine.load_average;
    return machine;
}

std::optional<double> goal_of(std::string_view what, const Options& options) {
    const double factor = options.family == net::Family::V6 ? kFamilySixFactor : 1;
    if (what == "connect") {
        const bool fits = options.method == ForwardingMethod::Nat && options.flows <= 1'000'000;
        return fits ? std::optional(kConnectGoal * factor) : std::nullopt;
    }
    if (what == "life") {
        const bool fits = options.method == ForwardingMethod::FullNat && options.flows <= 1'000'000;
        return fits ? std::optional(kLifeGoal * factor) : std::nullopt;
    }
    for (const GoalRow& row : kPipelineGoals) {
        if (row.method != options.method) continue;
        for (std::size_t i = 0; i < kSizes.size(); ++i) {
            if (options.flows <= kSizes[i]) return row.cycles[i] * factor;
        }
    }
    return std::nullopt;
}

std::string to_text(const Report& report) {
    std::string text = machine_text(report.machine);
    text += format("%-9s %-5s %-8s %-3s %10s %8s %8s %8s %6s %7s %6s\n", "what", "meth", "way",
                   "ip", "connections", "p10", "median", "min", "goal", "p10 ns", "clock");
    for (const Figure& figure : report.figures) {
        const std::string goal = figure.goal ? format("%.0f", *figure.goal) : "-";
        text += subject(figure) +
                format("  %8.1f %8.1f %8.1f %6s %7.1f %6.2f%s\n", figure.cost.p10,
                       figure.cost.median, figure.cost.minimum, goal.c_str(),
                       figure.cost.p10 / report.machine.counter_ghz, disturbance(figure),
                       figure.goal && figure.cost.p10 > *figure.goal ? "  over" : "");
        for (std::size_t i = 0; i < figure.stages.size(); ++i) {
            const std::string name(lb::to_string(static_cast<lb::Stage>(i)));
            text += format("  stage %-31s %8.1f\n", name.c_str(), figure.stages[i]);
        }
    }
    text += growth_text(report);
    if (!report.figures.empty()) text += report.figures.front().pages + "\n";
    return text;
}

std::string to_json(const Report& report) {
    json figures = json::array();
    for (const Figure& figure : report.figures) figures.push_back(figure_json(figure));
    const Machine& machine = report.machine;
    const json value = {{"program", kProgram},
                        {"version", POLLUX_VERSION},
                        {"machine",
                         {{"processor", machine.processor},
                          {"cores", machine.cores},
                          {"counter_ghz", machine.counter_ghz},
                          {"load_average", machine.load_average}}},
                        {"figures", figures}};
    return value.dump(2) + "\n";
}

Result<Report> read_report(const std::string& file) {
    std::ifstream stream(file);
    if (!stream) return Error{"cannot read " + file, "write one with pollux-bench report --json"};
    try {
        const json value = json::parse(stream);
        if (value.at("program") != kProgram) throw std::runtime_error("another program's");
        Report report;
        const json& machine = value.at("machine");
        report.machine = {machine.at("processor"), machine.at("counter_ghz"),
                          machine.at("load_average"), machine.at("cores")};
        for (const json& figure : value.at("figures")) report.figures.push_back(figure_of(figure));
        return report;
    } catch (const std::exception& problem) {
        return Error{file + " is no report of pollux-bench: " + problem.what(),
                     "write one with pollux-bench report --json"};
    }
}

std::string compare_text(const Report& before, const Report& after) {
    std::string text =
        "before: " + machine_text(before.machine) + "after:  " + machine_text(after.machine);
    text += format("%-9s %-5s %-8s %-3s %10s %9s %9s %7s %7s %7s\n", "what", "meth", "way", "ip",
                   "connections", "before", "after", "change", "clock", "clock");
    for (const Figure& a : before.figures) {
        for (const Figure& b : after.figures) {
            if (!same_subject(a, b)) continue;
            text += subject(a) + format("  %9.1f %9.1f %+6.1f%% %7.2f %7.2f\n", a.cost.p10,
                                        b.cost.p10, 100 * (b.cost.p10 / a.cost.p10 - 1),
                                        disturbance(a), disturbance(b));
        }
    }
    return text;
}

}  // namespace pollux::bench
