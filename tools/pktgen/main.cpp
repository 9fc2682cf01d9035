// SPDX-License-Identifier: Apache-2.0
// pollux-pktgen: sends flows through a balancer and verifies every frame that comes out of it.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/dpdk/runtime.h"
#include "tools/pktgen/campaign.h"
#include "tools/pktgen/dpdk_wire.h"
#include "tools/pktgen/options.h"
#include "tools/pktgen/report.h"

namespace pollux::pktgen {
namespace {

constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kNotStarted = 2;
constexpr auto kWatch = std::chrono::milliseconds(10);

volatile std::sig_atomic_t stop_wanted = 0;

void on_signal(int) {
    stop_wanted = 1;
}

int complain(const Error& error) {
    std::fprintf(stderr, "pollux-pktgen: %s\n", error.message.c_str());
    if (!error.remedy.empty()) std::fprintf(stderr, "  %s\n", error.remedy.c_str());
    return kNotStarted;
}

dpdk::RuntimeOptions runtime_options(const Plan& plan) {
    dpdk::RuntimeOptions options;
    options.program = "pollux-pktgen";
    options.file_prefix = plan.dpdk.file_prefix;
    options.control_lcore = std::to_string(plan.dpdk.control_lcore);
    options.worker_cpus = {plan.dpdk.worker_lcore};
    options.memory_mib = static_cast<unsigned>(plan.dpdk.hugepage_mem >> 20U);
    options.hugepages = plan.dpdk.hugepages;
    options.telemetry = false;
    options.mbufs_per_port = plan.dpdk.mbufs_per_port;
    options.idle = dpdk::IdleMode::Poll;
    for (const PortPlan& port : plan.ports) {
        dpdk::PortOptions port_options;
        port_options.name = port.name;
        port_options.pci = port.pci;
        port_options.vdev = port.vdev;
        port_options.rx_descriptors = port.rx_desc;
        port_options.tx_descriptors = port.tx_desc;
        port_options.mtu = port.mtu;
        port_options.promiscuous = true;  // it plays many MACs
        options.ports.push_back(std::move(port_options));
    }
    return options;
}

// The worker's side of a run.
struct Job {
    const Plan& plan;
    Mode mode;
    std::vector<net::MacAddress> macs;
    std::optional<Result<Outcome>> result;

    static void run(void* context, dpdk::WorkerIo& io) noexcept {
        auto& job = *static_cast<Job*>(context);
        DpdkWire wire(io);
        job.result = run_campaign(job.plan, job.mode, wire, job.macs, [](const Trial& trial) {
            std::fputs(trial_line(trial).c_str(), stderr);
        });
    }
};

Result<Outcome> measure(const Plan& plan, Mode mode) {
    auto runtime = dpdk::Runtime::start(runtime_options(plan));
    if (!runtime) return runtime.error();
    Job job{plan, mode, {}, {}};
    for (const dpdk::PortView& port : runtime.value()->ports()) {
        job.macs.push_back(port.mac);
        for (const std::string& note : port.notes) {
            std::fprintf(stderr, "port %s (%s): %s\n", port.name.c_str(), port.driver.c_str(),
                         note.c_str());
        }
    }
    std::fprintf(stderr, "%s\n%s", describe_traffic(plan).c_str(), trial_heading().c_str());
    const dpdk::WorkerTask task{&job, &Job::run};
    if (Status status = runtime.value()->launch_tasks({&task, 1}); !status) return status.error();
    while (runtime.value()->workers_running() && stop_wanted == 0) {
        std::this_thread::sleep_for(kWatch);
    }
    runtime.value()->stop_workers();
    if (!job.result) return Error{"the worker does not stop", ""};
    return std::move(*job.result);
}

bool write_json(const std::string& file, const std::string& text) {
    if (file == "-") return std::fputs(text.c_str(), stdout) >= 0;
    std::ofstream stream(file);
    stream << text;
    stream.close();
    return !stream.fail();
}

int run(const std::vector<std::string>& words) {
    const Result<CommandLine> line = parse_command_line(words);
    if (!line) return complain(line.error());
    if (line->verb == Verb::Help) {
        std::fputs(usage_text().c_str(), stdout);
        return kPassed;
    }
    std::fputs(line->notices.c_str(), stderr);
    if (line->verb == Verb::Check) {
        std::printf("%s\n", describe_traffic(line->plan).c_str());
        return kPassed;
    }
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    const Mode mode = line->verb == Verb::Search ? Mode::Search : Mode::Run;
    const Result<Outcome> outcome = measure(line->plan, mode);
    if (!outcome) return complain(outcome.error());
    std::fputs(summary_text(line->plan, mode, *outcome).c_str(), stderr);
    if (!line->json_file.empty() &&
        !write_json(line->json_file, to_json(line->plan, mode, *outcome))) {
        return complain({"cannot write " + line->json_file, "look at its folder and free space"});
    }
    return outcome->passed(mode) ? kPassed : kFailed;
}

}  // namespace
}  // namespace pollux::pktgen

int main(int argc, char** argv) {
    return pollux::pktgen::run({argv + 1, argv + argc});
}
