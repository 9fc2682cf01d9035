// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/data_plane.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "dataplane/lb/data_plane_impl.h"
#include "dataplane/lb/spec_check.h"

namespace pollux::lb {
namespace {

// Snapshots because of path MTUs: per second, and at once after a pause.
constexpr std::uint32_t kPathMtuSnapshotRate = 10;
constexpr std::uint32_t kPathMtuSnapshotBurst = 20;

}  // namespace

DataPlane::DataPlane() = default;
DataPlane::~DataPlane() = default;

Result<std::unique_ptr<DataPlane>> DataPlane::create(const DataPlaneLimits& limits) {
    if (Status status = check_limits(limits); !status) return status.error();
    try {
        auto region = MemoryRegion::create(SharedState::plan(limits), {limits.hugepages, {}});
        if (!region) return region.error();
        std::unique_ptr<DataPlane> plane(new DataPlane());
        plane->impl_ = std::make_unique<Impl>(limits, std::move(region).value());
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
    auto work = begin();
    work->run(std::make_shared<const DataPlaneSpec>(spec));
    return finish(std::move(work), now);
}

std::unique_ptr<SnapshotWork> DataPlane::begin() {
    assert(!impl_->building && "one work at a time");
    impl_->building = true;
    return std::make_unique<SnapshotWork>(std::make_unique<SnapshotWork::Impl>(SnapshotWork::Impl{
        impl_->builder, impl_->shared.snapshot.read(), nullptr, nullptr, ok_status()}));
}

Status DataPlane::finish(std::unique_ptr<SnapshotWork> work, TimePoint now) {
    assert(impl_->building && work->impl_->spec && "after begin and run");
    impl_->building = false;
    if (!work->impl_->status) return work->impl_->status;
    impl_->publish(std::move(work->impl_->next), *work->impl_->spec);
    impl_->spec = work->impl_->spec;
    housekeep(now, 0);
    return ok_status();
}

SnapshotWork::SnapshotWork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SnapshotWork::~SnapshotWork() = default;

void SnapshotWork::run(std::shared_ptr<const DataPlaneSpec> spec) {
    impl_->spec = std::move(spec);
    auto built = impl_->builder.build(*impl_->spec, impl_->previous);
    if (built) {
        impl_->next = std::move(built).value();
    } else {
        impl_->status = built.error();
    }
}

const std::shared_ptr<const DataPlaneSpec>& SnapshotWork::spec() const {
    return impl_->spec;
}

void DataPlane::Impl::publish(std::unique_ptr<Snapshot> next, const DataPlaneSpec& wanted) {
    record_addresses(*next);
    const std::uint64_t generation = next->generation;
    auto replaced = shared.snapshot.publish(std::move(next));
    frees.defer([this, generation, old = std::shared_ptr<const Snapshot>(std::move(replaced))] {
        oldest_generation = generation;
    });
    DefenceRound::publish_level(shared, wanted.sysctl);
    if (wanted.sysctl.expire_nodest_conn && builder.has_removed_servers()) {
        flush.request(generation);
    }
}

void DataPlane::Impl::follow_path_mtus(TimePoint now) {
    path_mtus_changed |= path_mtus.expire(now);
    const Snapshot& current = *shared.snapshot.read();
    shared.path_mtu_reports.collect([&](RealServerId id, std::uint16_t mtu) {
        const net::IpAddress& server = current.server(id).address;
        const NextHop* hop = current.routes->find(server);
        if (hop != nullptr) path_mtus_changed |= path_mtus.learn(server, mtu, hop->mtu, now);
    });
    if (!path_mtus_changed ||
        !path_mtu_snapshots.take(now, kPathMtuSnapshotRate, kPathMtuSnapshotBurst)) {
        return;
    }
    path_mtus_changed = false;
    auto next = builder.build(*spec, &current);
    assert(next && "the specification was accepted before");
    publish(std::move(*next), *spec);
}

std::uint32_t sweep_budget(std::uint32_t max_connections) noexcept {
    constexpr std::uint32_t kTurnsPerRound = 200;
    return std::clamp(max_connections / kTurnsPerRound, 4096U, 65536U);
}

void DataPlane::housekeep(TimePoint now, std::uint32_t budget) {
    Impl& impl = *impl_;
    SharedState& shared = impl.shared;
    const Tick tick = to_tick(now);
    shared.clock.set(tick);
    shared.quiescence.report(shared.control());
    shared.connections.sweep(shared.control(), tick, budget);
    shared.templates.sweep(shared.control(), tick, budget);
    impl.defence.run(shared, shared.snapshot.read()->sysctl, now);
    shared.quiescence.report(shared.control());
    impl.frees.collect();
    impl.flush.run(shared, impl.oldest_generation, tick, budget);
    if (impl.building) return;
    impl.follow_path_mtus(now);
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

}  // namespace pollux::lb
