// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/more_verbs.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tools/bench/expire_bench.h"
#include "tools/bench/flood_bench.h"
#include "tools/bench/options.h"
#include "tools/bench/plots.h"
#include "tools/bench/scale_bench.h"

namespace pollux::bench {
namespace {

constexpr unsigned kCommon = Accepts::kMethod | Accepts::kFamily | Accepts::kFlows |
                             Accepts::kBurst | Accepts::kSamples | Accepts::kServers |
                             Accepts::kJson;

int complain(const Error& error) {
    std::fprintf(stderr, "pollux-bench: %s%s%s\n", error.message.c_str(),
                 error.remedy.empty() ? "" : "; ", error.remedy.c_str());
    return 1;
}

int complain_usage(const char* verb, unsigned accepted, const Error& error) {
    complain(error);
    std::fprintf(stderr, "usage: pollux-bench %s [options]\n%s", verb,
                 describe_options(accepted).c_str());
    return 2;
}

struct PlotOptions {
    std::vector<std::string> inputs;
    std::string html;
    std::string svg_folder;
};

Result<PlotOptions> parse_plot(std::span<const std::string_view> arguments) {
    PlotOptions options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string word(arguments[i]);
        if (!word.starts_with("--")) {
            options.inputs.push_back(word);
            continue;
        }
        if (word != "--html" && word != "--svg") {
            return Error{"unknown option " + word, "see the usage"};
        }
        if (++i == arguments.size()) return Error{word + " has no value", "give a file or folder"};
        (word == "--html" ? options.html : options.svg_folder) = arguments[i];
    }
    if (options.inputs.empty()) return Error{"no result is given", "write one with --json"};
    if (options.html.empty() && options.svg_folder.empty()) {
        return Error{"nothing is to be written", "give --html FILE or --svg FOLDER"};
    }
    return options;
}

bool write_file(const std::filesystem::path& name, const std::string& text) {
    std::ofstream file(name);
    file << text;
    file.close();
    return !file.fail();
}

struct Inputs {
    std::optional<Report> report;
    std::vector<GeneratorRun> runs;
};

Result<Inputs> read_inputs(const std::vector<std::string>& files) {
    Inputs inputs;
    for (const std::string& file : files) {
        const Result<Report> report = read_report(file);
        if (report) {
            if (inputs.report) return Error{file + " is a second report", "give one"};
            inputs.report = *report;
            continue;
        }
        Result<GeneratorRun> run = read_generator_run(file);
        if (!run) {
            return Error{file + " is neither a report of pollux-bench nor of pollux-pktgen (" +
                             report.error().message + ")",
                         run.error().remedy};
        }
        inputs.runs.push_back(std::move(run).value());
    }
    return inputs;
}

Status write_charts(const Inputs& inputs, const std::filesystem::path& folder) {
    const std::pair<const char*, std::optional<Chart>> charts[] = {
        {"pipeline.svg", inputs.report ? pipeline_chart(*inputs.report) : std::nullopt},
        {"pktgen-loss.svg", rate_chart(inputs.runs)},
        {"pktgen-latency.svg", latency_chart(inputs.runs)}};
    for (const auto& [name, chart] : charts) {
        if (!chart) continue;
        if (!write_file(folder / name, render_svg(*chart))) {
            return Error{"cannot write " + (folder / name).string(),
                         "look at the folder and the free space"};
        }
        std::printf("%s\n", (folder / name).c_str());
    }
    return ok_status();
}

}  // namespace

int run_flood(std::span<const std::string_view> arguments) {
    const Result<Options> options = parse_options(arguments, kCommon);
    if (!options) return complain_usage("flood", kCommon, options.error());
    const Result<FloodFigure> figure = measure_flood(*options);
    if (!figure) return complain(figure.error());
    std::fputs((options->json ? flood_json(*figure) : flood_text(*figure)).c_str(), stdout);
    return figure->survived == figure->connections ? 0 : 1;
}

int run_expire(std::span<const std::string_view> arguments) {
    constexpr unsigned kAccepted = kCommon | Accepts::kIdle;
    Options defaults;
    defaults.flows = 1'000'000;
    const Result<Options> options = parse_options(arguments, kAccepted, defaults);
    if (!options) return complain_usage("expire", kAccepted, options.error());
    const Result<ExpireFigure> figure = measure_expire(*options);
    if (!figure) return complain(figure.error());
    std::fputs((options->json ? expire_json(*figure) : expire_text(*figure)).c_str(), stdout);
    return figure->removed == figure->expiring ? 0 : 1;
}

int run_scale(std::span<const std::string_view> arguments) {
    constexpr unsigned kAccepted = kCommon | Accepts::kWorkers;
    const Result<Options> options = parse_options(arguments, kAccepted);
    if (!options) return complain_usage("scale", kAccepted, options.error());
    const auto figures = measure_scale(*options);
    if (!figures) return complain(figures.error());
    std::fputs(
        (options->json ? scale_json(*options, *figures) : scale_text(*options, *figures)).c_str(),
        stdout);
    return 0;
}

int run_plot(std::span<const std::string_view> arguments) {
    const Result<PlotOptions> options = parse_plot(arguments);
    if (!options) {
        complain(options.error());
        std::fputs("usage: pollux-bench plot RESULT.json... [--html FILE] [--svg FOLDER]\n",
                   stderr);
        return 2;
    }
    const Result<Inputs> inputs = read_inputs(options->inputs);
    if (!inputs) return complain(inputs.error());
    if (!options->svg_folder.empty()) {
        if (Status status = write_charts(*inputs, options->svg_folder); !status) {
            return complain(status.error());
        }
    }
    if (options->html.empty()) return 0;
    if (!write_file(options->html, render_html(inputs->report, inputs->runs))) {
        return complain({"cannot write " + options->html, "look at its folder and the free space"});
    }
    std::printf("%s\n", options->html.c_str());
    return 0;
}

}  // namespace pollux::bench
