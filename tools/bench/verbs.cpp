// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/verbs.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/figure.h"
#include "tools/bench/options.h"
#include "tools/bench/traffic_bench.h"

namespace pollux::bench {
namespace {

using lb::ForwardingMethod;

constexpr unsigned kTraffic = Accepts::kMethod | Accepts::kFamily | Accepts::kFlows |
                              Accepts::kBurst | Accepts::kSamples | Accepts::kServers |
                              Accepts::kJson;
constexpr unsigned kPipeline = kTraffic | Accepts::kDirection | Accepts::kStages;
constexpr unsigned kConnect = kTraffic | Accepts::kLife | Accepts::kStages;
constexpr unsigned kReport =
    Accepts::kBurst | Accepts::kSamples | Accepts::kServers | Accepts::kLarge | Accepts::kJsonFile;

int complain(const Error& error) {
    std::fprintf(stderr, "pollux-bench: %s%s%s\n", error.message.c_str(),
                 error.remedy.empty() ? "" : "; ", error.remedy.c_str());
    return 1;
}

int complain_usage(std::string_view verb, unsigned accepted, const Error& error) {
    complain(error);
    std::fprintf(stderr, "usage: pollux-bench %s [options]\n%s", std::string(verb).c_str(),
                 describe_options(accepted).c_str());
    return 2;
}

int run_one(std::string_view verb, unsigned accepted, std::span<const std::string_view> arguments) {
    const Result<Options> options = parse_options(arguments, accepted);
    if (!options) return complain_usage(verb, accepted, options.error());
    const Result<Figure> figure = verb == "pipeline"     ? measure_pipeline(*options)
                                  : options.value().life ? measure_life(*options)
                                                         : measure_connect(*options);
    if (!figure) return complain(figure.error());
    const Report report{describe_machine(), {figure.value()}};
    std::fputs((options.value().json ? to_json(report) : to_text(report)).c_str(), stdout);
    return 0;
}

// What a report measures.
struct Subject {
    Result<Figure> (*measure)(const Options&);
    ForwardingMethod method;
    Travel travel;
    std::uint32_t flows;
    net::Family family = net::Family::V4;
};

std::vector<Subject> subjects_of(const Options& options) {
    constexpr std::pair<ForwardingMethod, Travel> kPipelines[] = {
        {ForwardingMethod::DirectRouting, Travel::Forward},
        {ForwardingMethod::Nat, Travel::Forward},
        {ForwardingMethod::Nat, Travel::Reply},
        {ForwardingMethod::FullNat, Travel::Forward},
        {ForwardingMethod::FullNat, Travel::Reply},
        {ForwardingMethod::Tunnel, Travel::Forward},
    };
    std::vector<std::uint32_t> sizes{1'000, 100'000, 1'000'000};
    if (options.large) sizes.push_back(10'000'000);
    std::vector<Subject> subjects;
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        for (const auto& [method, travel] : kPipelines) {
            for (const std::uint32_t flows : sizes) {
                subjects.push_back({measure_pipeline, method, travel, flows, family});
            }
        }
    }
    for (const ForwardingMethod method : {ForwardingMethod::DirectRouting, ForwardingMethod::Nat}) {
        subjects.push_back({measure_connect, method, Travel::Forward, 1'000'000});
    }
    subjects.push_back({measure_life, ForwardingMethod::FullNat, Travel::Forward, 1'000'000});
    return subjects;
}

bool write_file(const std::string& name, const std::string& text) {
    std::ofstream file(name);
    file << text;
    file.close();
    return !file.fail();
}

}  // namespace

int run_pipeline(std::span<const std::string_view> arguments) {
    return run_one("pipeline", kPipeline, arguments);
}

int run_connect(std::span<const std::string_view> arguments) {
    return run_one("connect", kConnect, arguments);
}

int run_report(std::span<const std::string_view> arguments) {
    const Result<Options> options = parse_options(arguments, kReport);
    if (!options) return complain_usage("report", kReport, options.error());
    Report report{describe_machine(), {}};
    const std::vector<Subject> subjects = subjects_of(options.value());
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        Options one = options.value();
        one.method = subject.method;
        one.travel = subject.travel;
        one.flows = subject.flows;
        one.family = subject.family;
        // Each sample of new connections sweeps the whole table afterwards.
        if (subject.measure != measure_pipeline) one.samples = std::min(one.samples, 100U);
        std::fprintf(stderr, "\r%zu of %zu ", i + 1, subjects.size());
        Result<Figure> figure = subject.measure(one);
        if (!figure) return complain(figure.error());
        report.figures.push_back(std::move(figure).value());
    }
    std::fputs("\n", stderr);
    std::fputs(to_text(report).c_str(), stdout);
    const std::string& file = options.value().json_file;
    if (!file.empty() && !write_file(file, to_json(report))) {
        return complain({"cannot write " + file, "look at its folder and the free space"});
    }
    return 0;
}

int run_compare(std::span<const std::string_view> arguments) {
    if (arguments.size() != 2) {
        std::fputs("usage: pollux-bench compare BEFORE.json AFTER.json\n", stderr);
        return 2;
    }
    const Result<Report> before = read_report(std::string(arguments[0]));
    if (!before) return complain(before.error());
    const Result<Report> after = read_report(std::string(arguments[1]));
    if (!after) return complain(after.error());
    std::fputs(compare_text(before.value(), after.value()).c_str(), stdout);
    return 0;
}

}  // namespace pollux::bench
