// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the control thread keeps of a DataPlane. Internal to dataplane/lb.

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/defence_round.h"
#include "dataplane/lb/path_mtu.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/removed_server_flush.h"
#include "dataplane/lb/shared_state.h"
#include "dataplane/lb/snapshot_builder.h"
#include "dataplane/lb/token_bucket.h"
#include "dataplane/lb/traffic.h"
#include "dataplane/lb/worker_impl.h"

namespace pollux::lb {

struct SnapshotWork::Impl {
    SnapshotBuilder& builder;  // until finish
    const Snapshot* previous;  // stays current until finish
    std::shared_ptr<const DataPlaneSpec> spec;
    std::unique_ptr<Snapshot> next;  // null: not run, or refused
    Status status = ok_status();
};

// A server that left its service and is still known.
struct RemovedServer {
    ServiceId service = kNoService;
    RealServerId server{};
};

struct DataPlane::Impl {
    Impl(const DataPlaneLimits& limits, MemoryRegion&& memory)
        : shared(limits, std::move(memory)),
          builder(limits, shared.loads.span(), path_mtus),
          frees(shared.quiescence) {
        for (std::uint16_t i = 0; i < limits.workers; ++i) {
            workers.emplace_back(std::make_unique<Worker::Impl>(shared, WorkerId{i}));
            workers.back().online();
        }
        shared.quiescence.online(shared.control());
    }

    // Makes what was built of `wanted` the current snapshot.
    void publish(std::unique_ptr<Snapshot> next, const DataPlaneSpec& wanted);
    // Takes in what workers have learnt of paths to tunnel servers, forgets what is too old, and
    // publishes anew when that changes anything.
    void follow_path_mtus(TimePoint now);

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
    // The tables name addresses by id. An id's address changes only when nothing refers to the id.
    void record_addresses(const Snapshot& next) {
        for (std::uint32_t i = 0; i < next.servers.size(); ++i) {
            const RealServer& server = next.servers[i];
            if (shared.server_addresses[i].address() == server.address) continue;
            shared.server_addresses.set(i, server.address, server.port);
        }
        for (const auto& [address, id] : builder.local_ids()) {
            const std::uint32_t at = index(id);
            if (shared.local_addresses[at].address() == address) continue;
            shared.local_addresses.set(at, address, net::Be16{});
        }
    }
    static const Worker::Impl& impl_of(const Worker& worker) { return *worker.impl_; }
    static Worker::Impl& impl_of(Worker& worker) { return *worker.impl_; }

    [[nodiscard]] Traffic traffic_of_former(ServiceId id) const {
        return index(id) < former.size() ? former[index(id)] : Traffic{};
    }
    // Servers that left the service and are still known, in order of their ids.
    [[nodiscard]] std::span<const RemovedServer> removed_servers(const Snapshot& snapshot,
                                                                 ServiceId service) {
        if (removed_of != snapshot.generation) find_removed_servers(snapshot);
        // Not equal_range: clang 14 cannot make its subrange.
        const auto service_of = [](const RemovedServer& server) { return index(server.service); };
        const auto first = std::ranges::lower_bound(removed, index(service), {}, service_of);
        return {first, std::ranges::upper_bound(removed, index(service), {}, service_of)};
    }
    void find_removed_servers(const Snapshot& snapshot) {
        removed.clear();
        for (std::uint32_t i = 0; i < snapshot.servers.size(); ++i) {
            const RealServer& server = snapshot.servers[i];
            if (server.present || index(server.service) >= snapshot.services.size()) continue;
            removed.push_back({server.service, RealServerId{i}});
        }
        std::ranges::stable_sort(removed, {}, [](const auto& r) { return index(r.service); });
        removed_of = snapshot.generation;
    }

    SharedState shared;
    PathMtus path_mtus;
    SnapshotBuilder builder;
    DeferredFrees frees;
    DefenceRound defence;
    RemovedServerFlush flush;
    std::shared_ptr<const DataPlaneSpec> spec;  // as applied last
    bool building = false;  // between begin and finish: the builder and path MTUs are the work's
    bool path_mtus_changed = false;  // since the latest snapshot
    TokenBucket path_mtu_snapshots;  // not more of them, whatever routers say
    std::vector<Worker> workers;
    std::uint64_t oldest_generation = 0;  // no worker uses an older snapshot
    std::vector<Traffic> released;        // by RealServerId: what earlier holders of the id counted
    std::vector<Traffic> former;          // by ServiceId: traffic of servers that are gone
    std::optional<std::uint64_t> removed_of;  // the generation of `removed`
    std::vector<RemovedServer> removed;       // in order of service and server
};

}  // namespace pollux::lb
