// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/plots.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

namespace pollux::bench {
namespace {

using lb::ForwardingMethod;
using nlohmann::json;

constexpr double kFewest = 800, kMost = 14e6;
// Colours that people with colour-blindness tell apart (Okabe and Ito).
constexpr const char* kBlue = "#0072b2";
constexpr const char* kOrange = "#d55e00";
constexpr const char* kGrey = "#666666";
constexpr std::array<const char*, 6> kColours{kBlue,     kOrange,   "#009e73",
                                              "#cc79a7", "#56b4e9", "#e69f00"};

struct PanelRow {
    ForwardingMethod method;
    const char* title;
};
constexpr PanelRow kPanels[] = {
    {ForwardingMethod::DirectRouting, "DR"},
    {ForwardingMethod::Nat, "NAT"},
    {ForwardingMethod::FullNat, "FullNAT"},
    {ForwardingMethod::Tunnel, "TUN (IPIP)"},
};

// What peers cost on the machine on which the goals were set, cycles of a 2.3 GHz counter; where
// DESIGN gives a range, its middle.
struct PeerRow {
    ForwardingMethod method;
    const char* name;
    const char* colour;
    std::array<std::pair<double, double>, 3> points;  // 0: no point
};
constexpr PeerRow kPeers[] = {
    {ForwardingMethod::DirectRouting, "DPVS", "#009e73", {{{1e3, 276}, {64e3, 990}}}},
    {ForwardingMethod::DirectRouting, "kernel IPVS", "#cc79a7", {{{1e3, 1650}}}},
    {ForwardingMethod::Nat, "DPVS", "#009e73", {{{1e3, 320}, {64e3, 890}}}},
    {ForwardingMethod::Nat,
     "VPP lb, stateless",
     "#e69f00",
     {{{1e3, 103}, {64e3, 126}, {1e6, 191}}}},
    {ForwardingMethod::Tunnel, "Katran", "#009e73", {{{1e3, 262}, {64e3, 750}, {1e6, 1115}}}},
    {ForwardingMethod::Tunnel, "VPP lb (GRE)", "#e69f00", {{{1e3, 96}, {64e3, 110}, {1e6, 167}}}},
};

void add_peers(Panel& panel, ForwardingMethod method) {
    for (const PeerRow& row : kPeers) {
        if (row.method != method) continue;
        Series series{row.name, row.colour, Stroke::Dotted, {}};
        for (const auto& point : row.points) {
            if (point.first > 0) series.points.push_back(point);
        }
        panel.series.push_back(std::move(series));
    }
}

void add_goals(Panel& panel, ForwardingMethod method) {
    Series series{"goal", kGrey, Stroke::Dashed, {}};
    for (const std::uint32_t flows : {1'000U, 100'000U, 1'000'000U, 10'000'000U}) {
        Options options;
        options.method = method;
        options.flows = flows;
        if (const auto goal = goal_of("pipeline", options))
            series.points.emplace_back(flows, *goal);
    }
    panel.series.push_back(std::move(series));
}

void add_measured(Panel& panel, const Report& report, ForwardingMethod method) {
    struct Line {
        const char* direction;
        const char* family;
        const char* label;
        const char* colour;
    };
    constexpr Line kLines[] = {{"forward", "v4", "to the server", kBlue},
                               {"reply", "v4", "to the client", "#56b4e9"},
                               {"forward", "v6", "IPv6 to the server", kOrange},
                               {"reply", "v6", "IPv6 to the client", "#b35900"}};
    for (const Line& line : kLines) {
        Series series{line.label, line.colour, Stroke::Solid, {}};
        for (const Figure& figure : report.figures) {
            if (figure.what != "pipeline" || figure.method != short_name(method)) continue;
            if (figure.direction != line.direction || figure.family != line.family) continue;
            series.points.emplace_back(static_cast<double>(figure.connections), figure.cost.p10);
        }
        std::sort(series.points.begin(), series.points.end());
        if (!series.points.empty()) panel.series.push_back(std::move(series));
    }
}

std::string rate_text(double rate) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f M", rate / 1e6);
    return text.data();
}

std::string machine_note(const Machine& machine) {
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(),
                  "Measured (solid): %s, %u cores, counter %.2f GHz, load average %.1f; 10th "
                  "percentile, no driver.",
                  machine.processor.c_str(), machine.cores, machine.counter_ghz,
                  machine.load_average);
    return text.data();
}

}  // namespace

std::optional<Chart> pipeline_chart(const Report& report) {
    Chart chart;
    chart.title = "Cycles per packet of an established connection, by number of connections";
    chart.x = {"connections, uniformly at random", kFewest, kMost, true,
               decade_ticks(kFewest, kMost, true)};
    chart.y = {"cycles per packet", 40, 2500, true, decade_ticks(40, 2500, false)};
    chart.legend = {{Stroke::Solid, "Pollux, this run"},
                    {Stroke::Dashed, "goal"},
                    {Stroke::Dotted, "peers, measured elsewhere"}};
    bool any = false;
    for (const PanelRow& row : kPanels) {
        Panel panel;
        panel.title = row.title;
        add_measured(panel, report, row.method);
        any |= !panel.series.empty();
        add_goals(panel, row.method);
        add_peers(panel, row.method);
        chart.panels.push_back(std::move(panel));
    }
    if (!any) return std::nullopt;
    chart.notes = {machine_note(report.machine),
                   "Goals and peers (dashed, dotted): cycles of a 2.3 GHz counter on another "
                   "machine; DPVS, VPP and Katran without driver, kernel IPVS over veth.",
                   "Peers differ in what they do: VPP lb keeps no TCP state, Katran has no return "
                   "path. Compare slopes across machines rather than heights."};
    return chart;
}

Result<GeneratorRun> read_generator_run(const std::string& file) {
    std::ifstream stream(file);
    if (!stream) return Error{"cannot read " + file, "write one with pollux-pktgen --json"};
    try {
        const json value = json::parse(stream);
        if (value.at("program") != "pollux-pktgen") throw std::runtime_error("another program's");
        GeneratorRun run;
        run.description = value.at("traffic").at("description");
        const json* best = nullptr;
        for (const json& trial : value.at("trials")) {
            run.trials.push_back({trial.at("rate"), trial.at("throughput"), trial.at("loss")});
            const bool lossless = trial.at("lost") == 0;
            const bool better = best == nullptr || best->at("lost") != 0 ||
                                best->at("throughput") < trial.at("throughput");
            if (best == nullptr || (lossless && better)) best = &trial;
        }
        if (best != nullptr) {
            const json& latency = best->at("latency");
            const double all = std::max(1.0, latency.at("count").get<double>());
            double seen = 0;
            for (const json& bucket : latency.at("buckets")) {
                seen += bucket.at(1).get<double>();
                run.latency.emplace_back(seen / all, bucket.at(0).get<double>());
            }
        }
        const auto rate = [&value](const char* name) {
            const auto found = value.find(name);
            return found == value.end() || found->is_null() ? std::nullopt
                                                            : std::optional<double>(*found);
        };
        run.ndr = rate("ndr");
        run.pdr = rate("pdr");
        return run;
    } catch (const std::exception& problem) {
        return Error{file + " is no result of pollux-pktgen: " + problem.what(),
                     "write one with pollux-pktgen --json"};
    }
}

std::optional<Chart> latency_chart(const std::vector<GeneratorRun>& runs) {
    Chart chart;
    chart.title = "Latency through polluxd, by share of the frames";
    chart.columns = 1;
    chart.plot_width = 560;
    Panel panel;
    double least = 1e9, most = 1;
    for (const GeneratorRun& run : runs) {
        Series series{"", kColours[panel.series.size() % kColours.size()], Stroke::Solid, {}};
        for (const auto& [share, latency] : run.latency) {
            // 1 / (1 - share): each power of ten is one more nine.
            const double x = std::min(1e5, 1 / std::max(1e-5, 1 - share));
            const double microseconds = std::max(latency, 1.0) / 1e3;
            series.points.emplace_back(x, microseconds);
            least = std::min(least, microseconds);
            most = std::max(most, microseconds);
        }
        if (series.points.empty()) continue;
        series.label = std::string(1, static_cast<char>('A' + panel.series.size()));
        chart.notes.push_back(series.label + ": " + run.description);
        panel.series.push_back(std::move(series));
    }
    if (panel.series.empty()) return std::nullopt;
    chart.x = {"share of the frames that are as fast",
               1,
               1e5,
               true,
               {{1, "0"},
                {10, "90 %"},
                {100, "99 %"},
                {1e3, "99.9 %"},
                {1e4, "99.99 %"},
                {1e5, "99.999 %"}}};
    chart.y = {"microseconds", least * 0.7, most * 1.5, true,
               decade_ticks(least * 0.7, most * 1.5, most / least > 200)};
    chart.panels.push_back(std::move(panel));
    return chart;
}

std::optional<Chart> rate_chart(const std::vector<GeneratorRun>& runs) {
    Chart chart;
    chart.title = "Frames lost, by rate";
    chart.columns = 1;
    chart.plot_width = 560;
    Panel panel;
    double most = 0;
    double worst = 0.01;
    for (const GeneratorRun& run : runs) {
        if (run.trials.size() < 2) continue;
        Series series{"", kColours[panel.series.size() % kColours.size()], Stroke::Solid, {}};
        for (const GeneratorRun::Point& trial : run.trials) {
            // Of a rate that was tried again the last trial counts.
            std::erase_if(series.points,
                          [&trial](const auto& point) { return point.first == trial.rate; });
            series.points.emplace_back(trial.rate, 100 * trial.loss);
            most = std::max(most, trial.rate);
        }
        for (const auto& point : series.points) worst = std::max(worst, point.second);
        std::sort(series.points.begin(), series.points.end());
        series.label = std::string(1, static_cast<char>('A' + panel.series.size()));
        std::string note = series.label + ": " + run.description;
        if (run.ndr) note += "; NDR " + rate_text(*run.ndr) + " frames/s";
        if (run.pdr) note += ", PDR " + rate_text(*run.pdr);
        chart.notes.push_back(std::move(note));
        panel.series.push_back(std::move(series));
    }
    if (panel.series.empty()) return std::nullopt;
    chart.x = {"frames a second, asked for in each direction", 0, most * 1.05, false,
               linear_ticks(most * 1.05, 6)};
    chart.y = {"per cent lost", 0, worst * 1.1, false, linear_ticks(worst * 1.1, 5)};
    chart.panels.push_back(std::move(panel));
    return chart;
}

namespace {

constexpr const char* kStyle =
    "body{font:15px/1.5 Helvetica,Arial,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
    "svg{max-width:100%;height:auto;border:1px solid #ddd}table{border-collapse:collapse}"
    "th,td{padding:.25em .8em;text-align:right;border-bottom:1px solid #ddd}"
    "th:first-child,td:first-child{text-align:left}tr.over td.p10{color:#b00020}"
    "tr.met td.p10{color:#00703c}.note{color:#666;font-size:.9em}";

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string figure_row(const Figure& figure) {
    const std::string state = !figure.goal ? "" : figure.cost.p10 > *figure.goal ? "over" : "met";
    const auto cell = [](const std::string& text, const char* kind = "") {
        return std::string("<td") + (*kind == 0 ? "" : std::string(" class=\"") + kind + "\"") +
               ">" + escape_markup(text) + "</td>";
    };
    return "<tr class=\"" + state + "\">" +
           cell(figure.what + " " + figure.method + " " + figure.direction + " " + figure.family) +
           cell(short_number(static_cast<double>(figure.connections))) +
           cell(number(figure.cost.p10), "p10") + cell(number(figure.cost.median)) +
           cell(number(figure.cost.minimum)) +
           cell(figure.goal ? number(*figure.goal) : std::string("-")) + "</tr>\n";
}

std::string report_section(const Report& report) {
    std::string text;
    if (const auto chart = pipeline_chart(report)) text += render_svg(*chart);
    text +=
        "<h2>Figures</h2>\n<table><tr><th>what</th><th>connections</th><th>p10</th>"
        "<th>median</th><th>minimum</th><th>goal</th></tr>\n";
    for (const Figure& figure : report.figures) text += figure_row(figure);
    return text + "</table>\n<p class=\"note\">Cycles of the time-stamp counter. " +
           escape_markup(machine_note(report.machine)) + "</p>\n";
}

}  // namespace

std::string render_html(const std::optional<Report>& report,
                        const std::vector<GeneratorRun>& runs) {
    std::string text =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>Pollux benchmark</title><style>" +
        std::string(kStyle) +
        "</style></head><body>\n<h1>Pollux " POLLUX_VERSION " benchmark</h1>\n";
    if (report) text += report_section(*report);
    if (!runs.empty()) text += "<h2>pollux-pktgen through polluxd</h2>\n";
    for (const auto& chart : {rate_chart(runs), latency_chart(runs)}) {
        if (chart) text += render_svg(*chart);
    }
    return text +
           "<p class=\"note\">docs/benchmarking.md says how the figures are made and what they are "
           "not.</p>\n</body></html>\n";
}

}  // namespace pollux::bench
