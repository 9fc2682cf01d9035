// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/snapshot_builder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "dataplane/lb/spec_check.h"

namespace pollux::lb {
namespace {

// drop_entry spares connections of which more packets were seen than eight.
constexpr unsigned kCountedPackets = 9;

std::vector<ServiceKey> nat_servers(const DataPlaneSpec& spec) {
    std::vector<ServiceKey> keys;
    for (const ServiceSpec& service : spec.services) {
        for (const RealServerSpec& server : service.servers) {
            if (server.method != ForwardingMethod::Nat) continue;
            keys.push_back({server.address, service.protocol, server.port, 0});
        }
    }
    return keys;
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(const DataPlaneLimits& limits, std::span<ServerLoad> loads,
                                 const PathMtus& path_mtus)
    : limits_(limits), loads_(loads), path_mtus_(path_mtus) {}

Result<std::unique_ptr<Snapshot>> SnapshotBuilder::build(const DataPlaneSpec& spec,
                                                         const Snapshot* previous) {
    if (Status status = check_spec(spec, limits_); !status) return status.error();
    if (!servers_fit(spec)) {
        return Error{"more real servers than max_servers = " + std::to_string(limits_.max_servers) +
                         ", counting removed ones that connections still use",
                     "raise the limit and restart, or wait for the connections to end"};
    }
    if (service_ids_.size() + spec.services.size() > std::size_t{limits_.max_services} * 2) {
        return Error{"too many services, counting removed ones that connections still use",
                     "raise max_services and restart, or wait for the connections to end"};
    }
    if (local_ids_.size() + count_new_locals(spec) > kMaxLocalAddresses) {
        return Error{"more than 256 local addresses since the start",
                     "restart to forget those that are no longer used"};
    }
    auto next = std::make_unique<Snapshot>();
    next->generation = ++generation_;
    next->routes = take_routes(spec);
    next->ports = PortTable(spec.ports, spec.owned);
    next->owned_specs = spec.owned;
    next->owned_prefixes = spec.owned_prefixes;
    std::vector<AddressMap::Item> owned;
    for (std::uint32_t i = 0; i < spec.owned.size(); ++i) {
        owned.push_back({spec.owned[i].address, i});
    }
    next->owned = AddressMap(owned);
    next->source_macs = SourceMacs(spec.owned, spec.ports);
    next->marks = MarkRules(spec.marks);
    next->sysctl = spec.sysctl;
    next->timeouts = StateTimeouts::from(spec.timeouts);
    next->expected_states = ExpectedStates(next->timeouts);
    const bool counts = spec.sysctl.drop_entry != 0 || spec.sysctl.fullnat_toa;
    next->counted_packets = counts ? kCountedPackets : 0;
    fill_local_ports(spec, *next);

    for (ServiceRecord& service : services_) service.present = false;
    for (ServerRecord& server : servers_) server.present = false;
    std::vector<RealServerId> taken;
    for (const ServiceSpec& service : spec.services) take_service(service, taken);
    services_removed_ |= std::ranges::any_of(
        services_, [](const ServiceRecord& record) { return record.used && !record.present; });
    fill_services(spec, taken, previous, *next);
    fill_servers(*next);
    return next;
}

bool SnapshotBuilder::servers_fit(const DataPlaneSpec& spec) const {
    std::size_t all = server_ids_.size();
    for (const ServiceSpec& service : spec.services) all += service.servers.size();
    if (all <= limits_.max_servers) return true;
    std::size_t known = 0;  // counted twice
    for (const ServiceSpec& service : spec.services) {
        const ServiceKey key = ServiceKey::of(service);
        for (const RealServerSpec& server : service.servers) {
            known += server_ids_.contains({key, server.address, server.port}) ? 1 : 0;
        }
    }
    return all - known <= limits_.max_servers;
}

std::shared_ptr<const RouteTable> SnapshotBuilder::take_routes(const DataPlaneSpec& spec) {
    if (routes_ == nullptr || route_specs_ != spec.routes || port_specs_ != spec.ports) {
        routes_ = std::make_shared<const RouteTable>(spec.routes, spec.ports);
        route_specs_ = spec.routes;
        port_specs_ = spec.ports;
    }
    return routes_;
}

void SnapshotBuilder::take_service(const ServiceSpec& spec, std::vector<RealServerId>& taken) {
    const ServiceKey key = ServiceKey::of(spec);
    auto [found, is_new] = service_ids_.try_emplace(key, kNoService);
    if (is_new) {
        if (free_service_ids_.empty()) {
            found->second = ServiceId{static_cast<std::uint32_t>(services_.size())};
            services_.emplace_back();
        } else {
            found->second = free_service_ids_.back();
            free_service_ids_.pop_back();
        }
        services_[index(found->second)] = {key, 0, false, true};
    }
    services_[index(found->second)].present = true;
    for (const RealServerSpec& server : spec.servers) {
        taken.push_back(take_server(server, key, found->second));
    }
}

RealServerId SnapshotBuilder::take_server(const RealServerSpec& spec, const ServiceKey& service_key,
                                          ServiceId service) {
    const ServerKey key{service_key, spec.address, spec.port};
    auto [found, is_new] = server_ids_.try_emplace(key, kNoRealServer);
    if (is_new) {
        if (free_server_ids_.empty()) {
            found->second = RealServerId{static_cast<std::uint32_t>(servers_.size())};
            servers_.emplace_back();
        } else {
            found->second = free_server_ids_.back();
            free_server_ids_.pop_back();
        }
        ServerRecord fresh;
        fresh.key = key;
        fresh.service = service;
        fresh.used = true;
        servers_[index(found->second)] = fresh;
        ++services_[index(service)].servers;
    }
    ServerRecord& record = servers_[index(found->second)];
    const bool added = is_new || record.removed_in != 0;
    if (!added && spec != record.spec) ++record.edits;
    record.spec = spec;
    record.present = true;
    record.removed_in = 0;
    if (added || spec.weight != 0) record.last_weight = spec.weight;
    set_thresholds(loads_[index(found->second)], spec.upper_threshold, spec.lower_threshold);
    return found->second;
}

void SnapshotBuilder::fill_services(const DataPlaneSpec& spec, std::span<const RealServerId> taken,
                                    const Snapshot* previous, Snapshot& next) {
    next.services.resize(services_.size());
    for (std::size_t i = 0; i < services_.size(); ++i) {
        next.services[i].key = services_[i].key;
        next.source_macs.add_service(ServiceId{static_cast<std::uint32_t>(i)}, services_[i].key);
    }
    std::vector<std::pair<ServiceKey, ServiceId>> keys;
    for (const ServiceSpec& service : spec.services) {
        const ServiceKey key = ServiceKey::of(service);
        const ServiceId id = service_ids_.at(key);
        keys.emplace_back(key, id);
        (service.address.is_v6() ? next.has_services_v6 : next.has_services_v4) = true;
        VirtualService& entry = next.services[index(id)];
        entry.present = true;
        const auto servers = taken.first(service.servers.size());
        taken = taken.subspan(servers.size());
        entry.servers.assign(servers.begin(), servers.end());
        entry.spec = service;
        entry.spec.servers.clear();
        const bool known = previous != nullptr && index(id) < previous->services.size() &&
                           previous->services[index(id)].present;
        entry.scheduler =
            make_scheduler(service, entry.servers, spec.sysctl,
                           known ? &previous->services[index(id)].scheduler : nullptr);
    }
    next.service_lookup = ServiceLookup(keys);
    if (spec.sysctl.nat_icmp_send) next.nat_servers = NatServers(nat_servers(spec));
}

ServiceScheduler SnapshotBuilder::make_scheduler(const ServiceSpec& spec,
                                                 std::span<const RealServerId> servers,
                                                 const SysctlSpec& sysctl,
                                                 const ServiceScheduler* previous) const {
    std::vector<SchedulerServer> walk;
    walk.reserve(servers.size());
    // LVS adds at the head of its list: walk order is the reverse of the order of adding.
    for (std::size_t i = servers.size(); i-- > 0;) {
        const ServerRecord& record = servers_[index(servers[i])];
        walk.push_back({servers[i], record.spec.address, record.spec.port, record.spec.weight,
                        record.last_weight, record.edits});
    }
    SchedulerConfig config;
    config.kind = spec.scheduler;
    config.flags = spec.scheduler_flags;
    config.expiration =
        spec.scheduler == SchedulerKind::Lblcr ? sysctl.lblcr_expiration : sysctl.lblc_expiration;
    config.servers = walk;
    return build_scheduler(config, previous);
}

void SnapshotBuilder::fill_servers(Snapshot& next) {
    next.servers.resize(servers_.size());
    next.tunnels.resize(servers_.size());
    next.tunnel_specs.resize(servers_.size());
    has_removed_servers_ = false;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        ServerRecord& record = servers_[i];
        if (!record.used) continue;
        if (!record.present && record.removed_in == 0) {
            record.removed_in = next.generation;
            removed_.push_back(RealServerId{static_cast<std::uint32_t>(i)});
            has_removed_servers_ = true;
        }
        RealServer& server = next.servers[i];
        server.port = net::Be16::from_host(record.spec.port);
        server.weight = record.spec.weight;
        server.service = record.service;
        server.address = record.spec.address;
        server.method = record.spec.method;
        server.present = record.present;
        next.tunnel_specs[i] = record.spec.tunnel;
        const NextHop* hop = next.routes->find(record.spec.address);
        if (hop == nullptr) continue;
        server.macs = hop->macs;
        server.egress = hop->port;
        server.mtu = hop->mtu;
        server.resolved = hop->resolved;
        if (record.spec.method == ForwardingMethod::Tunnel) prepare_tunnel(record, *hop, i, next);
    }
}

void SnapshotBuilder::prepare_tunnel(const ServerRecord& record, const NextHop& hop,
                                     std::size_t position, Snapshot& next) const {
    const net::IpAddress& server = record.spec.address;
    const net::IpAddress source = hop.preferred_source.family == server.family
                                      ? hop.preferred_source
                                      : next.ports.address(hop.port, server.family);
    if (source.family != server.family) return;  // no address to send from: no template
    TunnelTemplate& tunnel = next.tunnels[position];
    tunnel =
        TunnelTemplate::make(record.spec.tunnel, source, server, record.key.service.address.family);
    RealServer& entry = next.servers[position];
    const std::uint16_t mtu = std::min(entry.mtu, path_mtus_.find(server).value_or(entry.mtu));
    entry.mtu = static_cast<std::uint16_t>(mtu - std::min<unsigned>(mtu, tunnel.length));
    if (const net::MacAddress* mac = next.source_macs.find(source, hop.port)) {
        std::ranges::copy(mac->bytes, entry.macs.begin() + 6);
    }
}

void SnapshotBuilder::fill_local_ports(const DataPlaneSpec& spec, Snapshot& next) {
    for (const LocalAddressSpec& local : spec.local_addresses) {
        const auto id = static_cast<std::uint16_t>(local_ids_.size());
        const auto found = local_ids_.try_emplace(local.address, LocalAddressId{id}).first;
        auto& pool = local.address.is_v6() ? next.local_ports_v6 : next.local_ports_v4;
        pool.push_back({found->second, local.port_first, local.port_last});
    }
    // Those of connections that outlived their place in the pool, too.
    for (const auto& [address, id] : local_ids_) next.source_macs.add_local(id, address);
}

std::size_t SnapshotBuilder::count_new_locals(const DataPlaneSpec& spec) const {
    std::set<net::IpAddress> fresh;
    for (const LocalAddressSpec& local : spec.local_addresses) {
        if (!local_ids_.contains(local.address)) fresh.insert(local.address);
    }
    return fresh.size();
}

bool SnapshotBuilder::is_releasable(RealServerId id, std::uint64_t generation) const {
    const ServerRecord& record = servers_[index(id)];
    if (!record.used || record.present || record.removed_in == 0) return false;
    const ServerLoad& load = loads_[index(id)];
    return record.removed_in <= generation && load.total() == 0 &&
           load.persistent.load(std::memory_order_relaxed) == 0;
}

void SnapshotBuilder::free_server(RealServerId id) {
    ServerRecord& record = servers_[index(id)];
    --services_[index(record.service)].servers;
    server_ids_.erase(record.key);
    record = {};
    free_server_ids_.push_back(id);
}

void SnapshotBuilder::free_services() {
    services_removed_ = false;
    for (std::size_t i = 0; i < services_.size(); ++i) {
        ServiceRecord& record = services_[i];
        if (!record.used || record.present || record.servers != 0) continue;
        service_ids_.erase(record.key);
        record = {};
        free_service_ids_.push_back(ServiceId{static_cast<std::uint32_t>(i)});
    }
}

}  // namespace pollux::lb
