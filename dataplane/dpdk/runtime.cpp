// SPDX-License-Identifier: Apache-2.0
// Runtime: start and views.
#include "dataplane/dpdk/runtime.h"

#include <algorithm>
#include <ctime>

#include <rte_cpuflags.h>
#include <rte_cycles.h>
#include <rte_lcore.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/host_facts.h"
#include "dataplane/dpdk/packet_adapter.h"
#include "dataplane/dpdk/runtime_impl.h"
#include "dataplane/dpdk/start_checks.h"

namespace pollux::dpdk {
namespace {

Clock start_clock() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    const std::chrono::nanoseconds now =
        std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    return Clock(rte_get_tsc_hz(), rte_rdtsc(), lb::TimePoint(now));
}

int control_node() {
    return static_cast<int>(rte_socket_id());
}

std::uint16_t round_up_to_line(std::uint16_t size) {
    return static_cast<std::uint16_t>((size + 63) & ~63);
}

Error too_few_buffers(std::uint32_t needed, std::uint32_t given, std::uint32_t ports) {
    return Error{std::to_string(needed) +
                     " packet buffers are needed to fill the queues, but "
                     "mbufs_per_port gives " +
                     std::to_string(given),
                 "set mbufs_per_port to " + std::to_string((needed + ports - 1) / ports) +
                     " or more, or lower rx_desc and tx_desc"};
}

}  // namespace

Runtime::Runtime() = default;

Runtime::~Runtime() {
    if (impl_ == nullptr) return;
    impl_->stop();
    // A stuck worker may still use everything: it ends with the process.
    if (impl_->stuck) static_cast<void>(impl_.release());
}

Result<std::unique_ptr<Runtime>> Runtime::start(const RuntimeOptions& options) {
    if (Status status = check_start(options, read_host_facts(options)); !status) {
        return status.error();
    }
    std::unique_ptr<Runtime> runtime(new Runtime);
    runtime->impl_ = std::make_unique<Impl>(options);
    if (Status status = runtime->impl_->bring_up(); !status) return status.error();
    return runtime;
}

Status Runtime::Impl::bring_up() {
    Result<PrefixLock> held = PrefixLock::take(options.file_prefix);
    if (!held) return held.error();
    lock.emplace(std::move(held).value());
    Result<Eal> started = Eal::start(options, log);
    if (!started) return started.error();
    eal.emplace(std::move(started).value());
    clock.emplace(start_clock());
    if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_INVTSC) != 1) {
        log.warn("the CPU does not promise a constant time stamp counter: timeouts may drift");
    }
    for (const PortOptions& port : options.ports) {
        Result<std::unique_ptr<PortDevice>> attached = PortDevice::attach(port, log);
        if (!attached) return attached.error();
        ports.push_back(std::move(attached).value());
    }
    const std::vector<QueuePlan> plans = plan_queues();
    const Result<PortSetup> setup = make_pools(plans);
    if (!setup) return setup.error();
    for (std::size_t i = 0; i < ports.size(); ++i) {
        if (Status status = ports[i]->set_up(plans[i], *setup, log); !status) return status;
    }
    if (Status status = make_rings(); !status) return status;
    make_control();
    return ok_status();
}

std::vector<QueuePlan> Runtime::Impl::plan_queues() const {
    QueuePlanner planner(workers());
    std::vector<QueuePlan> plans;
    for (const auto& port : ports) plans.push_back(planner.plan(port->queue_limits(workers())));
    return plans;
}

Result<PortSetup> Runtime::Impl::make_pools(const std::vector<QueuePlan>& plans) {
    PortSetup setup;
    setup.control_node = control_node();
    setup.frame_room = kFrameRoom;
    std::map<int, std::uint32_t> needed, given, count;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const PortDevice& port = *ports[i];
        const bool spreads = !port.fits(kFrameRoom) && port.can_scatter();
        setup.any_scatter |= spreads;
        if (!spreads) {
            setup.frame_room = std::max(setup.frame_room, round_up_to_line(port.largest_frame()));
        }
        const int node = port.numa_node() < 0 ? setup.control_node : port.numa_node();
        needed[node] += port.buffers_held(plans[i]) + workers() * kRelayRing;
        given[node] += options.mbufs_per_port;
        ++count[node];
    }
    for (auto& [node, buffers] : needed) {
        buffers += cached(kDataCache, workers() + 1) + workers() * kGeneralRing + kParkedFrames;
        if (given[node] < buffers) return too_few_buffers(buffers, given[node], count[node]);
    }
    PoolRequest request;
    request.data_buffers = given;
    request.frame_room = setup.frame_room;
    request.workers = workers();
    request.ports = static_cast<std::uint32_t>(ports.size());
    request.control_node = setup.control_node;
    request.cpus_shared = any_cpu_is_shared();
    Result<BufferPools> made = BufferPools::create(request);
    if (!made) return made.error();
    pools = std::move(made).value();
    setup.pools = &pools;
    return setup;
}

Status Runtime::Impl::make_rings() {
    const Error no_memory{"no memory for the rings between the cores", "raise dpdk.hugepage_mem"};
    const int node = control_node();
    relay_rings.resize(ports.size());
    for (std::size_t port = 0; port < ports.size(); ++port) {
        const QueuePlan& plan = ports[port]->plan();
        const std::string name = "pollux_tx_" + std::to_string(port) + "_";
        RelayRings& rings = relay_rings[port];
        rings.by_worker.resize(workers());
        for (unsigned worker = 0; worker < workers(); ++worker) {
            if (plan.worker_transmit[worker].queue) continue;
            FrameRing& ring = rings.by_worker[worker];
            ring = FrameRing(name + std::to_string(worker), kRelayRing, node);
            if (!ring.ok()) return no_memory;
        }
        if (plan.control_transmit.queue) continue;
        rings.control = FrameRing(name + "control", kRelayRing, node);
        if (!rings.control.ok()) return no_memory;
    }
    for (unsigned worker = 0; worker < workers(); ++worker) {
        punts.push_back(std::make_unique<PuntQueue>(worker, pools.punt(), bell, node));
        punts.back()->know(vrrp_peers);
        if (!punts.back()->ok()) return no_memory;
    }
    statuses = std::vector<WorkerStatus>(workers());
    return ok_status();
}

void Runtime::Impl::make_control() {
    std::vector<ControlIo::Exit> exits;
    for (std::size_t port = 0; port < ports.size(); ++port) {
        exits.push_back({ports[port].get(), &relay_rings[port].control});
    }
    std::vector<PuntQueue*> queues;
    for (const auto& punt : punts) queues.push_back(punt.get());
    control =
        std::make_unique<ControlIo>(std::move(exits), std::move(queues), pools.control(), bell);
}

bool Runtime::Impl::cpu_is_shared(unsigned cpu) const {
    const auto uses = std::count(options.worker_cpus.begin(), options.worker_cpus.end(), cpu);
    return uses + (options.control_lcore == std::to_string(cpu) ? 1 : 0) > 1;
}

bool Runtime::Impl::any_cpu_is_shared() const {
    return std::any_of(options.worker_cpus.begin(), options.worker_cpus.end(),
                       [this](unsigned cpu) { return cpu_is_shared(cpu); });
}

lb::TimePoint Runtime::now() const {
    return impl_->clock->at(rte_rdtsc());
}

lb::PacketSource Runtime::packet_source() const {
    rte_mempool& pool = impl_->pools.any_data();
    return {&pool,
            [](void* context) { return allocate_packet(*static_cast<rte_mempool*>(context)); }};
}

int Runtime::punt_event_fd() const {
    return impl_->bell.fd();
}

std::span<const PuntedFrame> Runtime::receive_punted() {
    return impl_->control->receive();
}

bool Runtime::transmit(lb::PortId port, std::span<const std::uint8_t> frame) {
    return impl_->control->transmit(port, frame);
}

Status Runtime::add_mac(lb::PortId port, const net::MacAddress& mac) {
    return impl_->ports.at(static_cast<std::size_t>(port))->add_mac(mac);
}

Status Runtime::remove_mac(lb::PortId port, const net::MacAddress& mac) {
    return impl_->ports.at(static_cast<std::size_t>(port))->remove_mac(mac);
}

void Runtime::set_vrrp_peers(std::span<const net::MacAddress> peers) {
    impl_->vrrp_peers.set(peers);
}

std::vector<PortView> Runtime::ports() const {
    std::vector<PortView> views;
    for (const auto& port : impl_->ports) views.push_back(port->view());
    return views;
}

std::vector<WorkerView> Runtime::workers() const {
    std::vector<WorkerView> views;
    for (unsigned worker = 0; worker < impl_->workers(); ++worker) {
        const WorkerStatus& status = impl_->statuses[worker];
        WorkerView view;
        view.index = worker;
        view.cpu = impl_->options.worker_cpus[worker];
        view.heartbeat = view.loops = status.loops.read();
        view.idle_loops = status.idle_loops.read();
        view.sleeps = status.sleeps.read();
        view.busy_cycles = status.busy_ticks.read();
        view.total_cycles = status.total_ticks.read();
        view.cycles_per_second = impl_->clock->ticks_per_second();
        for (const lb::Counter& bursts : status.bursts) {
            view.burst_histogram.push_back(bursts.read());
        }
        views.push_back(std::move(view));
    }
    return views;
}

std::vector<PoolView> Runtime::pools() const {
    return impl_->pools.views();
}

ControlCounters Runtime::control_counters() const {
    ControlCounters counters = impl_->control->counters();
    for (const WorkerStatus& status : impl_->statuses) counters.expired += status.expired.read();
    return counters;
}

std::vector<std::string> Runtime::take_warnings() {
    return impl_->log.take_warnings();
}

}  // namespace pollux::dpdk
