// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/data_plane.h"

#include <new>
#include <utility>

#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/shared_state.h"
#include "dataplane/lb/snapshot_builder.h"
#include "dataplane/lb/spec_check.h"
#include "dataplane/lb/traffic.h"
#include "dataplane/lb/worker_impl.h"

namespace pollux::lb {

struct DataPlane::Impl {
    explicit Impl(const DataPlaneLimits& limits)
        : shared(limits), builder(limits, shared.loads.span()), frees(shared.quiescence) {
        for (std::uint16_t i = 0; i < limits.workers; ++i) {
            workers.emplace_back(std::make_unique<Worker::Impl>(shared, WorkerId{i}));
            workers.back().online();
        }
        shared.quiescence.online(shared.control());
    }

    [[nodiscard]] Traffic traffic_of(RealServerId id) const {
        Traffic sum;
        for (const Worker& worker : workers) sum += Traffic::of(impl_of(worker).traffic[index(id)]);
        if (index(id) < released.size()) sum -= released[index(id)];
        return sum;
    }
    void release(RealServerId id, ServiceId service) {
        const Traffic sum = traffic_of(id);
        if (released.size() <= index(id)) released.resize(index(id) + 1);
        released[index(id)] += sum;
        if (former.size() <= index(service)) former.resize(index(service) + 1);
        former[index(service)] += sum;
    }
    static const Worker::Impl& impl_of(const Worker& worker);
    static Worker::Impl& impl_of(Worker& worker);
    [[nodiscard]] ServiceView view_of(ServiceId id, const Snapshot& snapshot) const;
    [[nodiscard]] ServerView view_of(RealServerId id, const Snapshot& snapshot) const;

    SharedState shared;
    SnapshotBuilder builder;
    DeferredFrees frees;
    std::vector<Worker> workers;
    std::uint64_t oldest_generation = 0;  // no worker uses an older snapshot
    std::vector<Traffic> released;        // by RealServerId: what earlier holders of the id counted
    std::vector<Traffic> former;          // by ServiceId: traffic of servers that are gone
};

const Worker::Impl& DataPlane::Impl::impl_of(const Worker& worker) {
    return *worker.impl_;
}
Worker::Impl& DataPlane::Impl::impl_of(Worker& worker) {
    return *worker.impl_;
}

DataPlane::DataPlane() = default;
DataPlane::~DataPlane() = default;

Result<std::unique_ptr<DataPlane>> DataPlane::create(const DataPlaneLimits& limits) {
    if (Status status = check_limits(limits); !status) return status.error();
    try {
        std::unique_ptr<DataPlane> plane(new DataPlane());
        plane->impl_ = std::make_unique<Impl>(limits);
        if (Status status = plane->apply(DataPlaneSpec{}, TimePoint{}); !status) {
            return status.error();
        }
        return plane;
    } catch (const std::bad_alloc&) {
        return Error{"not enough memory for the tables of the data plane",
                     "lower max_connections, max_servers or the number of workers"};
    }
}

Status DataPlane::apply(const DataPlaneSpec& spec, TimePoint now) {
    Impl& impl = *impl_;
    auto next = impl.builder.build(spec, impl.shared.snapshot.read());
    if (!next) return next.error();
    const std::uint64_t generation = (*next)->generation;
    auto former = impl.shared.snapshot.publish(std::move(*next));
    impl.frees.defer([&impl, generation, old = std::shared_ptr<const Snapshot>(std::move(former))] {
        impl.oldest_generation = generation;
    });
    housekeep(now, 0);
    return ok_status();
}

void DataPlane::housekeep(TimePoint now, std::uint32_t budget) {
    Impl& impl = *impl_;
    impl.shared.quiescence.report(impl.shared.control());
    impl.frees.collect();
    impl.builder.release_unused(
        impl.oldest_generation,
        [&impl](RealServerId id, ServiceId service) { impl.release(id, service); });
}

Worker& DataPlane::worker(unsigned index) {
    return impl_->workers[index];
}

unsigned DataPlane::worker_count() const {
    return static_cast<unsigned>(impl_->workers.size());
}

void DataPlane::set_packet_source(unsigned worker, PacketSource source) {
    Impl::impl_of(impl_->workers[worker]).source = source;
}

std::uint64_t DataPlane::generation() const {
    return impl_->shared.snapshot.read()->generation;
}

WorkerCounters DataPlane::counters(unsigned worker) const {
    const CounterBlock& block = Impl::impl_of(impl_->workers[worker]).counters;
    WorkerCounters result;
    result.received = block.received.read();
    result.received_bytes = block.received_bytes.read();
    result.transmitted = block.transmitted.read();
    result.punted = block.punted.read();
    result.originated = block.originated.read();
    result.parked = block.parked.read();
    result.connections_created = block.connections_created.read();
    result.connection_hits = block.connection_hits.read();
    for (std::size_t i = 0; i < kDropReasonCount; ++i) result.dropped[i] = block.dropped[i].read();
    for (std::size_t i = 0; i < kPuntReasonCount; ++i) {
        result.punted_by_reason[i] = block.punted_by_reason[i].read();
    }
    return result;
}

ServerView DataPlane::Impl::view_of(RealServerId id, const Snapshot& snapshot) const {
    const RealServer& server = snapshot.server(id);
    const ServerLoad& load = shared.loads[index(id)];
    const Traffic traffic = traffic_of(id);
    ServerView view;
    view.address = server.address;
    view.port = server.port.host();
    view.method = server.method;
    view.weight = server.weight;
    view.upper_threshold = load.upper.load(std::memory_order_relaxed);
    view.lower_threshold = load.lower.load(std::memory_order_relaxed);
    view.tunnel = snapshot.tunnels[index(id)];
    view.removed = !server.present;
    view.active = load.active.load(std::memory_order_relaxed);
    view.inactive = load.inactive.load(std::memory_order_relaxed);
    view.persistent = load.persistent.load(std::memory_order_relaxed);
    view.connections = traffic.connections;
    view.packets_in = traffic.packets_in;
    view.packets_out = traffic.packets_out;
    view.bytes_in = traffic.bytes_in;
    view.bytes_out = traffic.bytes_out;
    return view;
}

ServiceView DataPlane::Impl::view_of(ServiceId id, const Snapshot& snapshot) const {
    ServiceView view;
    view.spec = snapshot.service(id).spec;
    Traffic sum = index(id) < former.size() ? former[index(id)] : Traffic{};
    for (const RealServerId server : snapshot.service(id).servers) {
        view.servers.push_back(view_of(server, snapshot));
        sum += traffic_of(server);
    }
    for (std::uint32_t i = 0; i < snapshot.servers.size(); ++i) {
        const RealServerId server{i};
        if (snapshot.servers[i].service != id || snapshot.servers[i].present) continue;
        sum += traffic_of(server);
        const ServerView removed = view_of(server, snapshot);
        if (removed.active + removed.inactive + removed.persistent == 0) continue;
        view.servers.push_back(removed);
    }
    view.connections = sum.connections;
    view.packets_in = sum.packets_in;
    view.packets_out = sum.packets_out;
    view.bytes_in = sum.bytes_in;
    view.bytes_out = sum.bytes_out;
    return view;
}

std::vector<ServiceView> DataPlane::services(TimePoint now) const {
    const Snapshot& snapshot = *impl_->shared.snapshot.read();
    std::vector<ServiceView> views;
    for (std::uint32_t i = 0; i < snapshot.services.size(); ++i) {
        if (snapshot.services[i].present) views.push_back(impl_->view_of(ServiceId{i}, snapshot));
    }
    return views;
}

void DataPlane::for_each_connection(TimePoint now,
                                    const std::function<void(const ConnectionView&)>& visit) const {
}

std::vector<MemoryView> DataPlane::memory() const {
    return {};
}

}  // namespace pollux::lb
