// SPDX-License-Identifier: Apache-2.0
#include "control/spec/spec_builder.h"

#include <algorithm>

#include "control/nexthop/route_builder.h"
#include "control/nexthop/static_tables.h"

namespace pollux::control {
namespace {

lb::OnServerGone to_spec(OnServerDown policy) {
    switch (policy) {
        case OnServerDown::Keep:
            return lb::OnServerGone::Drop;
        case OnServerDown::Reset:
            return lb::OnServerGone::Reset;
        case OnServerDown::Reschedule:
            return lb::OnServerGone::Reschedule;
    }
    return lb::OnServerGone::Drop;
}

lb::RealServerSpec to_spec(const RealServerConfig& server, std::uint16_t weight) {
    lb::RealServerSpec spec;
    spec.address = server.address;
    spec.port = server.port;
    spec.method = server.lvs_method;
    spec.tunnel = to_spec(server.tunnel);
    spec.weight = weight;
    spec.upper_threshold = server.uthreshold;
    spec.lower_threshold = server.lthreshold;
    return spec;
}

lb::RealServerSpec to_spec(const SorryServerConfig& server) {
    lb::RealServerSpec spec;
    spec.address = server.address;
    spec.port = server.port;
    spec.method = server.lvs_method;
    spec.tunnel = to_spec(server.tunnel);
    spec.weight = server.weight;
    return spec;
}

bool same_server(const lb::RealServerSpec& a, const SorryServerConfig& b) {
    return a.address == b.address && a.port == b.port;
}

// As keepalived: a dead server leaves the service, or stays with weight 0 (inhibit_on_failure).
// Without quorum the sorry server serves alone, beside it only what is inhibited.
std::vector<lb::RealServerSpec> build_servers(const VirtualServerConfig& service,
                                              const ServerStates& all_states) {
    const ServiceStates states(all_states, VirtualServerKey::of(service));
    const bool sorry = service.sorry_server && states.without_quorum();
    std::vector<lb::RealServerSpec> servers;
    servers.reserve(service.real_server.size() + (sorry ? 1U : 0U));
    for (const RealServerConfig& server : service.real_server) {
        const ServerState state = states.of(server);
        if (sorry) {
            if (service.sorry_server->inhibit_on_failure) servers.push_back(to_spec(server, 0));
        } else if (state.alive) {
            servers.push_back(to_spec(server, state.weight(server.weight)));
        } else if (server.inhibit_on_failure) {
            servers.push_back(to_spec(server, 0));
        }
    }
    if (sorry) {
        std::erase_if(servers,
                      [&](const auto& spec) { return same_server(spec, *service.sorry_server); });
        servers.push_back(to_spec(*service.sorry_server));
    }
    return servers;
}

lb::ServiceSpec make_service(const VirtualServerConfig& config,
                             std::vector<lb::RealServerSpec> servers) {
    lb::ServiceSpec spec;
    spec.address = config.address;
    spec.port = config.port;
    spec.protocol = config.fwmark != 0 ? lb::Protocol::None : config.protocol;
    spec.fwmark = config.fwmark;
    if (config.fwmark != 0) spec.address.family = config.family;
    spec.scheduler = config.lvs_sched;
    spec.scheduler_flags = config.sched_flags;
    if (config.persistence_timeout > Duration::zero()) {
        spec.persistence =
            lb::PersistenceSpec{config.persistence_timeout, config.persistence_granularity};
    }
    spec.one_packet = config.ops;
    spec.on_server_gone = to_spec(config.on_server_down);
    spec.servers = std::move(servers);
    return spec;
}

// The address after `address`; ranges never wrap, the configuration sees to that.
net::IpAddress next_address(net::IpAddress address) {
    const unsigned length = address.is_v4() ? 4 : 16;
    for (unsigned i = length; i-- > 0;) {
        if (++address.bytes[i] != 0) break;
    }
    return address;
}

void add_member(const GroupMemberConfig& member, const lb::ServiceSpec& pattern,
                std::vector<lb::ServiceSpec>& services) {
    lb::ServiceSpec spec = pattern;
    if (member.fwmark != 0) {
        spec.fwmark = member.fwmark;
        spec.protocol = lb::Protocol::None;
        spec.address = {};
        spec.address.family = member.family;
        spec.port = 0;
        services.push_back(spec);
        return;
    }
    spec.port = member.port;
    for (net::IpAddress address = member.address;; address = next_address(address)) {
        spec.address = address;
        services.push_back(spec);
        if (address == member.address_last) return;
    }
}

// The service itself, or one like it for each member of its group.
std::vector<lb::ServiceSpec> expand(lb::ServiceSpec pattern, const VirtualServerConfig& server,
                                    std::span<const VirtualServerGroupConfig> groups) {
    std::vector<lb::ServiceSpec> services;
    if (server.group.empty()) {
        services.push_back(std::move(pattern));
        return services;
    }
    for (const VirtualServerGroupConfig& group : groups) {
        if (group.name != server.group) continue;
        for (const GroupMemberConfig& member : group.member) add_member(member, pattern, services);
    }
    return services;
}

std::vector<lb::PortSpec> build_ports(const SpecInputs& inputs) {
    std::vector<lb::PortSpec> specs;
    for (const ControlPort& port : inputs.ports.ports) {
        lb::PortSpec spec;
        spec.name = port.name;
        spec.mac = port.mac;
        spec.mtu = port.mtu;
        for (const lb::OwnedAddressSpec& vip : inputs.vips) {
            const bool known = vip.mac == port.mac ||
                               std::find(spec.extra_macs.begin(), spec.extra_macs.end(), vip.mac) !=
                                   spec.extra_macs.end();
            if (vip.port == port.id && !known) spec.extra_macs.push_back(vip.mac);
        }
        specs.push_back(std::move(spec));
    }
    return specs;
}

// VIPs first, because they bring their MAC; then what the file gives the ports, then what the
// kernel has beside it (the operator's `ip address add`, link-local addresses).
std::vector<lb::OwnedAddressSpec> build_owned(const SpecInputs& inputs) {
    std::vector<lb::OwnedAddressSpec> owned = inputs.vips;
    std::set<net::IpAddress> seen;
    for (const lb::OwnedAddressSpec& vip : inputs.vips) seen.insert(vip.address);
    const auto add = [&](const net::IpAddress& address, const ControlPort& port) {
        if (seen.insert(address).second) owned.push_back({address, port.id, port.mac});
    };
    for (const ControlPort& port : inputs.ports.ports) {
        const auto index = static_cast<std::size_t>(port.id);
        for (const net::IpPrefix& prefix : inputs.config.ports.at(index).address) {
            add(prefix.address, port);
        }
    }
    for (const ControlPort& port : inputs.ports.ports) {
        const auto known = inputs.kernel.addresses.find(port.interface);
        if (known == inputs.kernel.addresses.end()) continue;
        for (const net::IpPrefix& prefix : known->second) add(prefix.address, port);
    }
    return owned;
}

// Servers that the configuration has and that must not serve now.
ServerEndpoints held_back(const VirtualServerConfig& service, const ServerStates& all_states) {
    const ServiceStates states(all_states, VirtualServerKey::of(service));
    const bool sorry = service.sorry_server && states.without_quorum();
    ServerEndpoints out;
    for (const RealServerConfig& server : service.real_server) {
        if (sorry || !states.of(server).alive) out.insert({server.address, server.port});
    }
    return out;
}

// The file's services with the operator's changes laid over them, then the operator's own.
std::vector<lb::ServiceSpec> build_table(const Config& config, const ServerStates& states,
                                         const RuntimeServices& runtime) {
    std::vector<lb::ServiceSpec> table;
    std::set<lb::ServiceKey> of_file;
    const bool changed = runtime.size() != 0;
    for (const VirtualServerConfig& server : config.virtual_servers) {
        const ServerEndpoints held = changed ? held_back(server, states) : ServerEndpoints{};
        for (lb::ServiceSpec& service :
             build_services(server, config.virtual_server_groups, states)) {
            of_file.insert(lb::ServiceKey::of(service));
            if (runtime.apply(service, held)) table.push_back(std::move(service));
        }
    }
    for (lb::ServiceSpec& service : runtime.added()) {
        if (!of_file.contains(lb::ServiceKey::of(service))) table.push_back(std::move(service));
    }
    return table;
}

lb::MarkRuleSpec to_spec(const MarkConfig& mark) {
    return {mark.source,
            mark.destination,
            mark.protocol,
            mark.source_port.first,
            mark.source_port.last,
            mark.destination_port.first,
            mark.destination_port.last,
            mark.mark};
}

}  // namespace

lb::TunnelSpec to_spec(const TunnelConfig& tunnel) {
    return {tunnel.type, tunnel.port, tunnel.checksum, tunnel.spread_source};
}

std::vector<lb::ServiceSpec> build_services(const VirtualServerConfig& server,
                                            std::span<const VirtualServerGroupConfig> groups,
                                            const ServerStates& states) {
    return expand(make_service(server, build_servers(server, states)), server, groups);
}

std::vector<lb::ServiceKey> service_keys(const VirtualServerConfig& server,
                                         std::span<const VirtualServerGroupConfig> groups) {
    std::vector<lb::ServiceKey> keys;
    for (const lb::ServiceSpec& service : expand(make_service(server, {}), server, groups)) {
        keys.push_back(lb::ServiceKey::of(service));
    }
    return keys;
}

lb::DataPlaneSpec build_spec(const SpecInputs& inputs) {
    static const RuntimeServices kNoChanges;
    lb::DataPlaneSpec spec = build_network(inputs);
    add_services(spec, inputs.config, inputs.servers,
                 inputs.runtime == nullptr ? kNoChanges : *inputs.runtime);
    return spec;
}

void add_services(lb::DataPlaneSpec& spec, const Config& config, const ServerStates& servers,
                  const RuntimeServices& runtime) {
    spec.services = build_table(config, servers, runtime);
    spec.timeouts = config.conntrack.timeout;
    runtime.apply(spec.timeouts);
}

lb::DataPlaneSpec build_network(const SpecInputs& inputs) {
    const Config& config = inputs.config;
    lb::DataPlaneSpec spec;
    spec.ports = build_ports(inputs);
    spec.owned = build_owned(inputs);
    spec.routes = build_routes(inputs.kernel, inputs.ports, inputs.vips);
    const StaticTables fixed = static_tables(config, inputs.ports);
    const auto fixed_routes = build_routes(fixed.tables, fixed.ports, inputs.vips);
    spec.routes.insert(spec.routes.end(), fixed_routes.begin(), fixed_routes.end());
    for (const LocalAddressConfig& local : config.local_addresses) {
        spec.local_addresses.push_back({local.address, local.ports.first, local.ports.last});
    }
    for (const MarkConfig& mark : config.marks) spec.marks.push_back(to_spec(mark));
    spec.sysctl = config.conntrack.sysctl;
    return spec;
}

FileTable build_file_table(const Config& config) {
    FileTable table{{}, config.conntrack.timeout};
    for (const VirtualServerConfig& server : config.virtual_servers) {
        auto services = build_services(server, config.virtual_server_groups, {});
        std::move(services.begin(), services.end(), std::back_inserter(table.services));
    }
    return table;
}

std::set<net::IpAddress> server_addresses(const Config& config) {
    std::set<net::IpAddress> addresses;
    for (const VirtualServerConfig& service : config.virtual_servers) {
        for (const RealServerConfig& server : service.real_server) {
            addresses.insert(server.address);
        }
        if (service.sorry_server) addresses.insert(service.sorry_server->address);
    }
    return addresses;
}

lb::DataPlaneLimits build_limits(const Config& config) {
    lb::DataPlaneLimits limits;
    limits.max_connections = config.conntrack.max_connections;
    limits.max_templates = config.conntrack.max_templates;
    limits.max_services = config.conntrack.max_services;
    limits.max_servers = config.conntrack.max_servers;
    limits.max_fragments = config.conntrack.max_fragments;
    limits.embryonic_share = config.conntrack.embryonic_share;
    limits.evict_embryonic = config.conntrack.on_full == OnFull::EvictEmbryonic;
    limits.workers = static_cast<unsigned>(config.dpdk.worker_lcores.size());
    limits.hugepages = config.dpdk.hugepages;
    return limits;
}

}  // namespace pollux::control
