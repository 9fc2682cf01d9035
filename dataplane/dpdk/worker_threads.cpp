// SPDX-License-Identifier: Apache-2.0
// Runtime: the worker threads' start and end.
#include <algorithm>
#include <thread>

#include <pthread.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/dpdk/runtime_impl.h"
#include "dataplane/dpdk/tap_signals.h"

namespace pollux::dpdk {
namespace {

constexpr auto kStopLimit = std::chrono::seconds(5);
constexpr auto kStopPoll = std::chrono::microseconds(200);
// A frame of the control core that waited longer for a stalled port is stale.
constexpr std::chrono::milliseconds kControlFrameAge(200);

int run_worker(void* loop) {
    let_tap_signals_in();
    const std::string name = "pollux-w" + std::to_string(rte_lcore_id() - 1);
    pthread_setname_np(pthread_self(), name.c_str());
    static_cast<WorkerLoop*>(loop)->run();
    return 0;
}

int run_task(void* argument) {
    let_tap_signals_in();
    const std::string name = "pollux-t" + std::to_string(rte_lcore_id() - 1);
    pthread_setname_np(pthread_self(), name.c_str());
    auto* run = static_cast<TaskRun*>(argument);
    WorkerIo io(run->parts);
    run->task.run(run->task.context, io);
    return 0;
}

Error wrong_number(std::size_t given, unsigned workers) {
    return {std::to_string(given) + " processors for " + std::to_string(workers) + " workers",
            "create the data plane with as many workers as worker CPUs"};
}

// lcore 0 is the control core.
unsigned lcore_of(unsigned worker) {
    return worker + 1;
}

}  // namespace

WorkerParts Runtime::Impl::parts_of(unsigned worker) {
    WorkerParts parts;
    std::vector<Relay> from_workers;
    const std::uint64_t most_ticks = clock->ticks_per_second() * kControlFrameAge.count() / 1000;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const PortDevice& port = *ports[i];
        const QueuePlan& plan = port.plan();
        for (std::uint16_t queue = 0; queue < plan.rx_queues(); ++queue) {
            if (plan.rx_worker[queue] != worker) continue;
            const ReceiveQueue source{&port, queue, static_cast<lb::PortId>(i)};
            const bool first = plan.control_rx_queue == queue;
            parts.receive.insert(first ? parts.receive.begin() : parts.receive.end(), source);
        }
        RelayRings& rings = relay_rings[i];
        const TransmitRoute& route = plan.worker_transmit[worker];
        parts.outputs.emplace_back(port, route, &rings.by_worker[worker]);
        if (!route.queue) continue;
        const auto id = static_cast<lb::PortId>(i);
        if (!plan.control_transmit.queue && plan.control_transmit.owner == worker) {
            const RelaySource from_control{&rings.control, nullptr, most_ticks,
                                           &statuses[worker].expired};
            parts.relays.emplace_back(port, id, *route.queue, from_control);
        }
        for (unsigned sender = 0; sender < workers(); ++sender) {
            const TransmitRoute& other = plan.worker_transmit[sender];
            if (other.queue || other.owner != worker) continue;
            const RelaySource from_worker{&rings.by_worker[sender], &processors[sender]};
            from_workers.emplace_back(port, id, *route.queue, from_worker);
        }
    }
    for (Relay& relay : from_workers) parts.relays.push_back(std::move(relay));
    parts.punts = punts[worker].get();
    parts.clock = &*clock;
    parts.stop = &stop_flag;
    parts.buffers = &pools.any_data();
    parts.idle = IdlePolicy(options.idle, cpu_is_shared(options.worker_cpus[worker]));
    parts.burst = options.burst;
    return parts;
}

Status Runtime::Impl::launch(std::span<const BurstProcessor> wanted) {
    if (running) return Error{"the workers run already", ""};
    if (wanted.size() != workers()) return wrong_number(wanted.size(), workers());
    processors.assign(wanted.begin(), wanted.end());
    tasks.clear();
    loops.clear();
    std::vector<void*> arguments;
    for (unsigned worker = 0; worker < workers(); ++worker) {
        loops.push_back(
            std::make_unique<WorkerLoop>(parts_of(worker), processors[worker], statuses[worker]));
        arguments.push_back(loops.back().get());
    }
    control->set_workers_running(true);
    return start_threads(&run_worker, arguments);
}

Status Runtime::Impl::launch_tasks(std::span<const WorkerTask> wanted) {
    if (running) return Error{"the workers run already", ""};
    if (wanted.size() != workers()) return wrong_number(wanted.size(), workers());
    for (const auto& port : ports) {
        for (const TransmitRoute& route : port->plan().worker_transmit) {
            if (route.queue) continue;
            return Error{
                "port '" + port->options().name + "' has fewer transmit queues than workers",
                "use fewer workers"};
        }
    }
    processors.assign(workers(), {});
    loops.clear();
    tasks.clear();
    std::vector<void*> arguments;
    for (unsigned worker = 0; worker < workers(); ++worker) {
        tasks.push_back(std::make_unique<TaskRun>(TaskRun{wanted[worker], parts_of(worker)}));
        arguments.push_back(tasks.back().get());
    }
    return start_threads(&run_task, arguments);
}

Status Runtime::Impl::start_threads(int (*run)(void*), std::span<void* const> arguments) {
    stop_flag.store(false, std::memory_order_relaxed);
    running = true;
    for (unsigned worker = 0; worker < workers(); ++worker) {
        const int code = rte_eal_remote_launch(run, arguments[worker], lcore_of(worker));
        if (code != 0) {
            stop();
            return Error{"worker " + std::to_string(worker) + " cannot be launched", ""};
        }
    }
    return ok_status();
}

void Runtime::Impl::stop() {
    if (!running || stuck) return;
    stop_flag.store(true, std::memory_order_relaxed);
    const auto deadline = std::chrono::steady_clock::now() + kStopLimit;
    for (unsigned worker = 0; worker < workers(); ++worker) {
        while (rte_eal_get_lcore_state(lcore_of(worker)) != WAIT) {
            if (std::chrono::steady_clock::now() > deadline) {
                stuck = true;
                return;
            }
            std::this_thread::sleep_for(kStopPoll);
        }
        rte_eal_wait_lcore(lcore_of(worker));
    }
    running = false;
    control->set_workers_running(false);
    for (const auto& loop : loops) loop->discard_relayed();
}

Status Runtime::launch_workers(std::span<const BurstProcessor> processors) {
    return impl_->launch(processors);
}

Status Runtime::launch_tasks(std::span<const WorkerTask> tasks) {
    return impl_->launch_tasks(tasks);
}

bool Runtime::workers_running() const {
    for (unsigned worker = 0; impl_->running && worker < impl_->workers(); ++worker) {
        if (rte_eal_get_lcore_state(lcore_of(worker)) != WAIT) return true;
    }
    return false;
}

void Runtime::stop_workers() {
    impl_->stop();
}

}  // namespace pollux::dpdk
