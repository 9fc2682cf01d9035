// SPDX-License-Identifier: Apache-2.0
#pragma once

// SnapshotBuilder: turns a DataPlaneSpec into the next Snapshot and remembers which id stands for
// which service and real server, so that connections keep their meaning from snapshot to snapshot.
// A server that leaves its service keeps its id while connections or templates refer to it, and
// gets it back when it returns. Control thread.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/lb/address_map.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/ids.h"
#include "dataplane/lb/path_mtu.h"
#include "dataplane/lb/server_load.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/net/result.h"

namespace pollux::lb {

// Distinct local addresses in the life of a process.
inline constexpr std::uint32_t kMaxLocalAddresses = 256;

class SnapshotBuilder {
  public:
    // `loads` is the shared array of all servers, indexed by RealServerId; it outlives the builder.
    // So do the path MTUs, which lower those of tunnels.
    SnapshotBuilder(const DataPlaneLimits& limits, std::span<ServerLoad> loads,
                    const PathMtus& path_mtus);

    // `previous` is the current snapshot, or nullptr. An error changes nothing.
    Result<std::unique_ptr<Snapshot>> build(const DataPlaneSpec& spec, const Snapshot* previous);

    // The latest build took a real server out of its service.
    [[nodiscard]] bool has_removed_servers() const noexcept { return has_removed_servers_; }

    // FullNAT's local addresses and their ids, which stay for good: connections store them.
    [[nodiscard]] const std::map<net::IpAddress, LocalAddressId>& local_ids() const noexcept {
        return local_ids_;
    }

    // Frees the ids of removed servers and services that nothing refers to. To be called when all
    // workers have left every snapshot older than `generation`. Calls `release` for each freed
    // server before its id can be given out again.
    template <typename Release>
    void release_unused(std::uint64_t generation, Release&& release) {
        const bool any = std::erase_if(removed_, [&](RealServerId id) {
                             const ServerRecord& record = servers_[index(id)];
                             if (!record.used || record.present) return true;  // it came back
                             if (!is_releasable(id, generation)) return false;
                             release(id, record.service);
                             free_server(id);
                             return true;
                         }) != 0;
        if (any || services_removed_) free_services();
    }
    // Servers that release_unused looks at.
    [[nodiscard]] std::size_t removed_servers() const noexcept { return removed_.size(); }

  private:
    struct ServerKey {
        ServiceKey service;
        net::IpAddress address;
        std::uint16_t port = 0;
        bool operator==(const ServerKey&) const noexcept = default;
    };
    // A reload looks each of tens of thousands of servers up several times. The keys come from the
    // operator: the hash needs no secret.
    struct HashKey {
        std::size_t operator()(const ServiceKey& key) const noexcept {
            const std::uint64_t rest = std::uint64_t{key.fwmark} << 32U |
                                       static_cast<std::uint64_t>(key.protocol) << 16U | key.port;
            return hash_address(key.address) ^ (rest * 0x9e3779b97f4a7c15U);
        }
        std::size_t operator()(const ServerKey& key) const noexcept {
            const std::uint64_t service = (*this)(key.service);
            return (service << 7U | service >> 57U) ^ hash_address(key.address) ^
                   (std::uint64_t{key.port} * 0x9e3779b97f4a7c15U);
        }
    };
    struct ServerRecord {
        ServerKey key;
        RealServerSpec spec;  // the latest
        ServiceId service = kNoService;
        std::uint16_t last_weight = 0;  // the latest other than 0 since it was added, if any
        std::uint32_t edits = 0;        // of the specification, since it is known
        std::uint64_t removed_in = 0;   // generation; 0 = never removed since it was last present
        bool present = false;
        bool used = false;
    };
    struct ServiceRecord {
        ServiceKey key;
        std::uint32_t servers = 0;  // known ids, removed ones included
        bool present = false;
        bool used = false;
    };

    [[nodiscard]] bool servers_fit(const DataPlaneSpec& spec) const;
    std::shared_ptr<const RouteTable> take_routes(const DataPlaneSpec& spec);
    // Appends the ids of the service's servers, in their order.
    void take_service(const ServiceSpec& spec, std::vector<RealServerId>& taken);
    RealServerId take_server(const RealServerSpec& spec, const ServiceKey& service_key,
                             ServiceId service);
    void fill_services(const DataPlaneSpec& spec, std::span<const RealServerId> taken,
                       const Snapshot* previous, Snapshot& next);
    [[nodiscard]] ServiceScheduler make_scheduler(const ServiceSpec& spec,
                                                  std::span<const RealServerId> servers,
                                                  const SysctlSpec& sysctl,
                                                  const ServiceScheduler* previous) const;
    void fill_servers(Snapshot& next);
    void prepare_tunnel(const ServerRecord& record, const NextHop& hop, std::size_t position,
                        Snapshot& next) const;
    void fill_local_ports(const DataPlaneSpec& spec, Snapshot& next);
    [[nodiscard]] std::size_t count_new_locals(const DataPlaneSpec& spec) const;
    [[nodiscard]] bool is_releasable(RealServerId id, std::uint64_t generation) const;
    void free_server(RealServerId id);
    void free_services();

    DataPlaneLimits limits_;
    std::span<ServerLoad> loads_;
    const PathMtus& path_mtus_;
    bool has_removed_servers_ = false;
    std::vector<RealServerId> removed_;  // each once; some may have come back
    bool services_removed_ = false;      // by the latest build, or one before
    std::uint64_t generation_ = 0;
    std::unordered_map<ServiceKey, ServiceId, HashKey> service_ids_;
    std::unordered_map<ServerKey, RealServerId, HashKey> server_ids_;
    std::map<net::IpAddress, LocalAddressId> local_ids_;
    std::vector<ServiceRecord> services_;
    std::vector<ServerRecord> servers_;
    std::vector<ServiceId> free_service_ids_;
    std::vector<RealServerId> free_server_ids_;
    std::vector<RouteSpec> route_specs_;  // that `routes_` was built from
    std::vector<PortSpec> port_specs_;
    std::shared_ptr<const RouteTable> routes_;
};

}  // namespace pollux::lb
