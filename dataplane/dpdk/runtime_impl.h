// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a Runtime owns. Members are in the order of their making; they end in reverse: first what
// uses ports and rings, then the ports, then the buffers, then EAL. Internal to dataplane/dpdk.

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/dpdk/buffer_pools.h"
#include "dataplane/dpdk/clock.h"
#include "dataplane/dpdk/control_io.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/frame_ring.h"
#include "dataplane/dpdk/log_capture.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/dpdk/punt_queue.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/dpdk/tap_signals.h"
#include "dataplane/dpdk/worker_loop.h"

namespace pollux::dpdk {

// The rings of one port, for those that have no transmit queue of it.
struct RelayRings {
    std::vector<FrameRing> by_worker;  // not ok() where the worker has its own queue
    FrameRing control;
};

struct TaskRun {
    WorkerTask task;
    WorkerParts parts;
};

struct Runtime::Impl {
    explicit Impl(const RuntimeOptions& wanted) : options(wanted) {}

    Status bring_up();
    std::vector<QueuePlan> plan_queues() const;
    Result<PortSetup> make_pools(const std::vector<QueuePlan>& plans);
    Status make_rings();
    void make_control();
    [[nodiscard]] WorkerParts parts_of(unsigned worker);
    [[nodiscard]] bool cpu_is_shared(unsigned cpu) const;
    [[nodiscard]] bool any_cpu_is_shared() const;
    [[nodiscard]] unsigned workers() const {
        return static_cast<unsigned>(options.worker_cpus.size());
    }
    Status launch(std::span<const BurstProcessor> wanted);
    Status launch_tasks(std::span<const WorkerTask> wanted);
    Status start_threads(int (*run)(void*), std::span<void* const> arguments);
    void stop();

    RuntimeOptions options;
    LogCapture log;
    TapSignalGuard signals;
    std::optional<PrefixLock> lock;
    std::optional<Eal> eal;
    std::optional<Clock> clock;
    BufferPools pools;
    PuntBell bell;
    std::vector<RelayRings> relay_rings;  // by port
    VrrpPeers vrrp_peers;
    std::vector<std::unique_ptr<PuntQueue>> punts;
    std::vector<std::unique_ptr<PortDevice>> ports;
    std::vector<WorkerStatus> statuses;
    std::vector<BurstProcessor> processors;  // by worker, of the current launch
    std::vector<std::unique_ptr<WorkerLoop>> loops;
    std::vector<std::unique_ptr<TaskRun>> tasks;  // of launch_tasks
    std::unique_ptr<ControlIo> control;
    std::atomic<bool> stop_flag{false};
    bool running = false;
    bool stuck = false;  // a worker did not stop
};

}  // namespace pollux::dpdk
