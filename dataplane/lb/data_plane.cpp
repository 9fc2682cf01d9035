// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/data_plane.h"

#include <new>
#include <utility>

#include "dataplane/lb/data_plane_impl.h"
#include "dataplane/lb/spec_check.h"

namespace pollux::lb {

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
    Impl& impl = *impl_;
    auto next = impl.builder.build(spec, impl.shared.snapshot.read());
    if (!next) return next.error();
    impl.record_addresses(**next);
    const std::uint64_t generation = (*next)->generation;
    auto former = impl.shared.snapshot.publish(std::move(*next));
    impl.frees.defer([&impl, generation, old = std::shared_ptr<const Snapshot>(std::move(former))] {
        impl.oldest_generation = generation;
    });
    DefenceRound::publish_level(impl.shared, spec.sysctl);
    housekeep(now, 0);
    return ok_status();
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
