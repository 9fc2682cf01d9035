// SPDX-License-Identifier: Apache-2.0
#pragma once

// Snapshot: one immutable version of everything the operator and the network decided (decision D3).
// The control thread builds it; workers read it from one burst to the next and never write. All
// that can be computed ahead of a packet is computed here.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/lb/address_map.h"
#include "dataplane/lb/connection_table.h"
#include "dataplane/lb/expected_states.h"
#include "dataplane/lb/ids.h"
#include "dataplane/lb/mark_rules.h"
#include "dataplane/lb/nat_servers.h"
#include "dataplane/lb/packet.h"
#include "dataplane/lb/port_table.h"
#include "dataplane/lb/route_table.h"
#include "dataplane/lb/scheduler.h"
#include "dataplane/lb/service_lookup.h"
#include "dataplane/lb/source_macs.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/state_timeouts.h"
#include "dataplane/lb/tunnel.h"
#include "dataplane/net/byte_order.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// A real server, prepared for rewriting: one cache line per forwarded packet. Also kept for a
// removed server as long as connections refer to it (`present` is false then).
struct alignas(64) RealServer {
    std::array<std::uint8_t, 12> macs{};  // as they lie in the frame: destination, source
    PortId egress = kNoPort;              // kNoPort: no route
    std::uint16_t mtu = 0;                // bytes of IP that fit, tunnel headers taken off
    net::Be16 port;                       // 0: the packet's port stays
    std::uint16_t weight = 0;
    ServiceId service = kNoService;
    net::IpAddress address;
    ForwardingMethod method = ForwardingMethod::Nat;
    bool present = false;   // in the service's list now
    bool resolved = false;  // `macs` are valid
};
static_assert(sizeof(RealServer) == 64);

struct VirtualService {
    ServiceKey key;
    ServiceSpec spec;  // as applied, without the servers
    bool present = false;
    ServiceScheduler scheduler;
    std::vector<RealServerId> servers;  // in order of adding
};

struct Snapshot {
    std::uint64_t generation = 0;
    std::shared_ptr<const RouteTable> routes;
    PortTable ports;
    AddressMap owned;  // value: position in owned_specs
    std::vector<OwnedAddressSpec> owned_specs;
    std::vector<net::IpPrefix> owned_prefixes;
    SourceMacs source_macs;  // none without a virtual MAC
    MarkRules marks;
    ServiceLookup service_lookup;
    NatServers nat_servers;  // none without nat_icmp_send
    bool has_services_v4 = false;
    bool has_services_v6 = false;
    std::vector<RealServer> servers;       // by RealServerId
    std::vector<VirtualService> services;  // by ServiceId
    std::vector<TunnelTemplate> tunnels;   // by RealServerId
    std::vector<TunnelSpec> tunnel_specs;  // by RealServerId, for the operator
    SysctlSpec sysctl;
    StateTimeouts timeouts;
    ExpectedStates expected_states;
    unsigned counted_packets = 0;  // of a connection's client, for drop_entry and TOA
    std::vector<LocalPorts> local_ports_v4;
    std::vector<LocalPorts> local_ports_v6;

    [[nodiscard]] const RealServer& server(RealServerId id) const noexcept {
        return servers[index(id)];
    }
    // Null: known only to a later snapshot, which another worker reads already.
    [[nodiscard]] const RealServer* find_server(RealServerId id) const noexcept {
        return index(id) < servers.size() ? &servers[index(id)] : nullptr;
    }
    [[nodiscard]] const TunnelTemplate& tunnel(RealServerId id) const noexcept {
        return tunnels[index(id)];
    }
    [[nodiscard]] bool has_services(bool is_v6) const noexcept {
        return is_v6 ? has_services_v6 : has_services_v4;
    }
    // FullNAT's pool towards servers of that family.
    [[nodiscard]] std::span<const LocalPorts> local_ports(bool is_v6) const noexcept {
        return is_v6 ? local_ports_v6 : local_ports_v4;
    }
    // Slow paths only: whether the kernel answers for the address.
    [[nodiscard]] bool owns(const net::IpAddress& address) const noexcept {
        if (owned.contains(address)) return true;
        for (const net::IpPrefix& prefix : owned_prefixes) {
            if (prefix.contains(address)) return true;
        }
        return false;
    }
    [[nodiscard]] const VirtualService& service(ServiceId id) const noexcept {
        return services[index(id)];
    }
};

}  // namespace pollux::lb
