// SPDX-License-Identifier: Apache-2.0
// Runtime: binds the workers of a DataPlane to the worker threads.
#include "dataplane/dpdk/runtime_impl.h"

namespace pollux::dpdk {
namespace {

lb::Worker& worker_of(void* context) {
    return *static_cast<lb::Worker*>(context);
}

BurstProcessor bind(lb::Worker& worker) {
    return {
        .context = &worker,
        .process =
            [](void* context, std::span<lb::Packet> burst, lb::TimePoint now,
               lb::ExtraPackets& extra) noexcept {
                worker_of(context).process_burst(burst, now, extra);
            },
        .account_failed =
            [](void* context, const lb::Packet& packet, lb::DropReason reason) noexcept {
                worker_of(context).account_failed(packet, reason);
            },
        .quiescent = [](void* context) noexcept { worker_of(context).quiescent(); },
        .offline = [](void* context) noexcept { worker_of(context).offline(); },
        .online = [](void* context) noexcept { worker_of(context).online(); },
    };
}

}  // namespace

Status Runtime::launch_workers(lb::DataPlane& data_plane) {
    std::vector<BurstProcessor> processors;
    for (unsigned worker = 0; worker < data_plane.worker_count(); ++worker) {
        data_plane.set_packet_source(worker, packet_source());
        processors.push_back(bind(data_plane.worker(worker)));
    }
    return impl_->launch(processors);
}

}  // namespace pollux::dpdk
