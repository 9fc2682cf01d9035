// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/report.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "dataplane/lb/method_name.h"
#include "dataplane/net/endpoint.h"
#include "tools/pktgen/plan_load.h"

namespace pollux::pktgen {
namespace {

using nlohmann::json;

__attribute__((format(printf, 1, 2))) std::string format(const char* text, ...) {
    std::array<char, 256> line{};
    va_list arguments;
    va_start(arguments, text);
    std::vsnprintf(line.data(), line.size(), text, arguments);
    va_end(arguments);
    return line.data();
}

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::Udp:
            return "udp";
        case Kind::Tcp:
            return "tcp";
        case Kind::TcpSyn:
            return "tcp-syn";
    }
    return "";
}

std::string rate_text(double rate) {
    if (rate >= 1e6) return format("%.3f M", rate / 1e6);
    if (rate >= 1e3) return format("%.1f k", rate / 1e3);
    return format("%.1f  ", rate);
}

// On an Ethernet wire a frame takes 20 bytes more: preamble, start, gap.
double wire_bits(const Plan& plan) {
    const std::vector<std::uint16_t> lengths = frame_lengths(plan);
    double sum = 0;
    for (const std::uint16_t length : lengths) sum += length + 20;
    return 8 * sum / static_cast<double>(lengths.size());
}

json latency_json(const Histogram& latency) {
    json buckets = json::array();
    for (const auto& [upper_end, count] : latency.buckets()) buckets.push_back({upper_end, count});
    return {{"unit", "ns"},
            {"count", latency.count()},
            {"minimum", latency.minimum()},
            {"mean", latency.mean()},
            {"p50", latency.percentile(0.5)},
            {"p90", latency.percentile(0.9)},
            {"p99", latency.percentile(0.99)},
            {"p999", latency.percentile(0.999)},
            {"maximum", latency.maximum()},
            {"buckets", std::move(buckets)}};
}

json trial_json(const Plan& plan, const Trial& trial) {
    const Counts& counts = trial.counts;
    json findings = json::object();
    for (std::size_t i = 0; i < kFindingCount; ++i) {
        findings[std::string(kFindingNames[i])] = counts.findings[i];
    }
    json servers = json::array();
    for (std::size_t i = 0; i < plan.servers.size(); ++i) {
        const ServerPlan& server = plan.servers[i];
        servers.push_back({{"address", server.address.to_string()},
                           {"port", plan.server_port(server)},
                           {"frames", counts.by_server[i]}});
    }
    return {{"rate", trial.rate},
            {"reached", trial.reached},
            {"throughput", trial.throughput},
            {"seconds", std::chrono::duration<double>(trial.elapsed).count()},
            {"offered", {{"forward", counts.offered[0]}, {"reply", counts.offered[1]}}},
            {"refused", {{"forward", counts.refused[0]}, {"reply", counts.refused[1]}}},
            {"arrived", {{"forward", counts.arrived[0]}, {"reply", counts.arrived[1]}}},
            {"forfeited", counts.forfeited},
            {"lost", counts.lost()},
            {"loss", counts.loss()},
            {"wrong", counts.wrong()},
            {"overtaken", counts.overtaken},
            {"findings", std::move(findings)},
            {"servers", std::move(servers)},
            {"latency", latency_json(counts.latency)}};
}

std::string wrong_text(const Outcome& outcome) {
    std::string text;
    for (std::size_t i = 0; i < kFindingCount; ++i) {
        std::uint64_t sum = 0;
        for (const Trial& trial : outcome.trials) sum += trial.counts.findings[i];
        if (sum == 0 || static_cast<Finding>(i) == Finding::Right) continue;
        text += format("  %-14s %llu\n", std::string(kFindingNames[i]).c_str(),
                       static_cast<unsigned long long>(sum));
    }
    return text.empty() ? "" : "other frames received:\n" + text;
}

std::string server_text(const Plan& plan, const Outcome& outcome) {
    std::vector<std::uint64_t> frames(plan.servers.size());
    std::uint64_t sum = 0;
    for (const Trial& trial : outcome.trials) {
        for (std::size_t i = 0; i < frames.size(); ++i) frames[i] += trial.counts.by_server[i];
    }
    for (const std::uint64_t each : frames) sum += each;
    if (sum == 0) return "";
    std::string text = "frames by server:\n";
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const ServerPlan& server = plan.servers[i];
        text += format("  %-40s %12llu  %5.1f %%\n",
                       net::endpoint(server.address, plan.server_port(server)).c_str(),
                       static_cast<unsigned long long>(frames[i]),
                       100 * static_cast<double>(frames[i]) / static_cast<double>(sum));
    }
    return text;
}

std::string search_text(const Plan& plan, const Outcome& outcome) {
    const auto rate_line = [&plan](const char* name, const std::optional<double>& rate,
                                   double tolerance) {
        if (!rate) return format("%s: none, frames are lost at search.lowest, too\n", name);
        return format("%s: %s frames/s in each direction, %.3f Gbit/s on a wire (loss <= %g %%)\n",
                      name, rate_text(*rate).c_str(), *rate * wire_bits(plan) / 1e9,
                      100 * tolerance);
    };
    std::string text = rate_line("NDR", outcome.ndr, 0);
    text += rate_line("PDR", outcome.pdr, plan.search.tolerance);
    if (outcome.generator_bound) {
        text += "the generator could not send faster: the balancer's own limit is higher\n";
    }
    if (outcome.repeated > 0) {
        text += format(
            "%u trials were made again after losses or a held-up sender (search.retries = %u)\n",
            outcome.repeated, plan.search.retries);
    }
    return text;
}

}  // namespace

std::string describe_traffic(const Plan& plan) {
    const TrafficPlan& traffic = plan.traffic;
    const std::string size = traffic.frame_size == "imix"
                                 ? "imix"
                                 : std::to_string(frame_lengths(plan).front()) + "-byte frames";
    return std::string(to_string(traffic.kind)) + ", " + std::to_string(traffic.flows) +
           " flows (" + (traffic.order == Order::Random ? "random" : "sequential") + "), " + size +
           ", " + std::string(lb::method_name(plan.service.method)) + " " +
           net::endpoint(plan.service.address, plan.service.port) + ", " +
           (traffic.direction == Direction::Both ? "both directions" : "forward");
}

std::string trial_heading() {
    return format("%12s %12s %12s %10s %10s %8s %9s %9s %9s\n", "asked", "offered", "arrived",
                  "lost", "of these", "wrong", "p50", "p99", "max") +
           format("%12s %12s %12s %10s %10s %8s %9s %9s %9s\n", "frames/s", "frames/s", "frames/s",
                  "", "refused", "", "us", "us", "us");
}

std::string trial_line(const Trial& trial) {
    const Counts& counts = trial.counts;
    const std::uint64_t refused = counts.refused[0] + counts.refused[1];
    const auto microseconds = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
    return format(
        "%12s %12s %12s %10llu %10llu %8llu %9.1f %9.1f %9.1f%s\n", rate_text(trial.rate).c_str(),
        rate_text(trial.reached).c_str(), rate_text(trial.throughput).c_str(),
        static_cast<unsigned long long>(counts.lost()), static_cast<unsigned long long>(refused),
        static_cast<unsigned long long>(counts.wrong()),
        microseconds(counts.latency.percentile(0.5)), microseconds(counts.latency.percentile(0.99)),
        microseconds(counts.latency.maximum()), trial.is_offered() ? "" : "  not offered");
}

std::string summary_text(const Plan& plan, Mode mode, const Outcome& outcome) {
    std::string text = wrong_text(outcome) + server_text(plan, outcome);
    std::uint64_t overtaken = 0;
    for (const Trial& trial : outcome.trials) overtaken += trial.counts.overtaken;
    if (overtaken > 0) {
        text += std::to_string(overtaken) + " frames were overtaken by a later one of their flow\n";
    }
    if (outcome.wrong() > 0) return text + "FAILED: the balancer forwards frames wrong\n";
    if (outcome.stopped) return text + "stopped early\n";
    if (mode == Mode::Search) return text + search_text(plan, outcome);
    if (!outcome.trials.empty() && !outcome.trials.back().is_offered()) {
        text +=
            "the generator was held up and offered less than asked: see worker_lcore and "
            "catch_up\n";
    }
    return text + (outcome.passed(mode) ? "every frame arrived, rewritten right\n"
                                        : "FAILED: frames were lost\n");
}

std::string to_json(const Plan& plan, Mode mode, const Outcome& outcome) {
    json trials = json::array();
    for (const Trial& trial : outcome.trials) trials.push_back(trial_json(plan, trial));
    json value = {{"program", "pollux-pktgen"},
                  {"version", POLLUX_VERSION},
                  {"traffic",
                   {{"description", describe_traffic(plan)},
                    {"kind", to_string(plan.traffic.kind)},
                    {"flows", plan.traffic.flows},
                    {"frame_lengths", frame_lengths(plan)},
                    {"lvs_method", lb::method_name(plan.service.method)}}},
                  {"passed", outcome.passed(mode)},
                  {"stopped", outcome.stopped},
                  {"trials", std::move(trials)}};
    if (mode == Mode::Search) {
        const auto rate = [](const std::optional<double>& found) {
            return found ? json(*found) : json(nullptr);
        };
        value["ndr"] = rate(outcome.ndr);
        value["pdr"] = rate(outcome.pdr);
        value["tolerance"] = plan.search.tolerance;
        value["generator_bound"] = outcome.generator_bound;
        value["repeated"] = outcome.repeated;
    }
    return value.dump(2) + "\n";
}

}  // namespace pollux::pktgen
