// SPDX-License-Identifier: Apache-2.0
#pragma once

// DataPlaneSpec: the whole wanted state of the data plane in plain values. The control core fills
// it from the configuration and from what it learnt (neighbours, routes, health), and hands it to
// DataPlane::apply, which turns it into one immutable Snapshot (decision D3). No pointers, no ids
// that must be kept stable by the caller: identity is by key (service tuple, server address+port).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/lb/packet.h"
#include "dataplane/lb/time.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::lb {

enum class Protocol : std::uint8_t { None = 0, Tcp = 6, Udp = 17, Sctp = 132 };
enum class ForwardingMethod : std::uint8_t { Nat, DirectRouting, Tunnel, FullNat };
// As ipvsadm shows it: "Masq", "Route", "Tunnel"; "FullNat".
[[nodiscard]] std::string_view to_string(ForwardingMethod method) noexcept;
enum class TunnelKind : std::uint8_t { Ipip, Gue, Gre };
enum class SchedulerKind : std::uint8_t {
    Rr,
    Wrr,
    Lc,
    Wlc,
    Lblc,
    Lblcr,
    Dh,
    Sh,
    Sed,
    Nq,
    Fo,
    Ovf,
    Mh,
    Twos
};

struct TunnelSpec {
    TunnelKind kind = TunnelKind::Ipip;
    std::uint16_t gue_port = 6080;
    bool checksum = false;         // GUE: UDP checksum; GRE: checksum word
    bool remote_checksum = false;  // GUE: shown as asked for; forwarded packets do not differ
    bool spread_source = false;    // RSS-friendly outer source (GUE port always; IPIP address)

    bool operator==(const TunnelSpec&) const = default;
};

// Identity within a service: (address, port). The order of the vector that holds these is the
// order of adding; LVS walks it in reverse (reference: the kernel adds at the list head).
struct RealServerSpec {
    net::IpAddress address;
    std::uint16_t port = 0;  // host order; 0 = keep the packet's port
    ForwardingMethod method = ForwardingMethod::Nat;
    TunnelSpec tunnel;                  // only for ForwardingMethod::Tunnel
    std::uint16_t weight = 1;           // 0..65535; 0 = quiesced
    std::uint32_t upper_threshold = 0;  // connections; 0 = none
    std::uint32_t lower_threshold = 0;
    // To be changed for an edit that changes nothing else: LVS's wrr starts over at each edit.
    std::uint32_t edits = 0;

    bool operator==(const RealServerSpec&) const = default;
};

struct SchedulerFlags {
    bool fallback = false;  // sh-fallback, mh-fallback
    bool port = false;      // sh-port, mh-port
    bool operator==(const SchedulerFlags&) const = default;
};

struct PersistenceSpec {
    Duration timeout{};        // > 0
    std::uint8_t prefix = 32;  // client granularity: 0..32 for IPv4, 0..128 for IPv6
};

// Identity: (family, protocol, address, port), or (family, fwmark).
// What becomes of a connection whose server is no longer in the service, when its next packet
// comes.
enum class OnServerGone : std::uint8_t {
    Drop,        // LVS: silence, in the hope that the server comes back
    Reset,       // TCP: the client gets a reset and the connection ends; others: Drop
    Reschedule,  // UDP: another server gets it; others: Drop
};

struct ServiceSpec {
    net::IpAddress address;             // unused with a fwmark but for the family
    std::uint16_t port = 0;             // host order; 0 = every port (needs persistence)
    Protocol protocol = Protocol::Tcp;  // None with a fwmark
    std::uint32_t fwmark = 0;           // != 0: a firewall-mark service
    SchedulerKind scheduler = SchedulerKind::Wlc;
    SchedulerFlags scheduler_flags;
    std::optional<PersistenceSpec> persistence;
    bool one_packet = false;  // UDP: schedule each datagram
    OnServerGone on_server_gone = OnServerGone::Drop;
    std::vector<RealServerSpec> servers;
};

// [[mark]]: gives matching packets a firewall mark before the service lookup. First match wins.
struct MarkRuleSpec {
    net::IpPrefix source;                // family None = any
    net::IpPrefix destination;           // family None = any
    Protocol protocol = Protocol::None;  // None = any
    std::uint16_t source_port_first = 0, source_port_last = 65535;
    std::uint16_t destination_port_first = 0, destination_port_last = 65535;
    std::uint32_t mark = 0;
};

struct PortSpec {
    std::string name;
    net::MacAddress mac;
    std::vector<net::MacAddress> extra_macs;  // virtual MACs of instances that are MASTER here
    std::uint16_t mtu = 1500;                 // bytes of IP
    bool operator==(const PortSpec&) const = default;
};

// Addresses that this node answers for at present (port addresses, VIPs while MASTER).
struct OwnedAddressSpec {
    net::IpAddress address;
    PortId port = kNoPort;
    // Source MAC of what is sent from this address; the port's own, or the virtual MAC.
    net::MacAddress mac;
};

// Longest prefix wins; a resolved neighbour is a host route. `gateway` is whom to resolve: for an
// on-link prefix without a neighbour entry yet its family is None and the destination itself is
// looked up (a glean route, always unresolved). A route that names no port (kNoPort) leads nowhere:
// it hides shorter prefixes, and packets to it end as NoRoute.
struct RouteSpec {
    net::IpPrefix destination;
    PortId port = kNoPort;
    net::IpAddress gateway;
    net::IpAddress preferred_source;  // outer source of tunnels, source of ICMP; may be None
    net::MacAddress source_mac;
    net::MacAddress destination_mac;
    bool resolved = false;
    std::uint16_t mtu = 0;  // 0 = the port's
    bool operator==(const RouteSpec&) const = default;
};

// Local address pool of FullNAT; each address offers ports first..last.
struct LocalAddressSpec {
    net::IpAddress address;
    std::uint16_t port_first = 1024, port_last = 65535;
};

// The IPVS sysctls by their names, same defaults.
struct SysctlSpec {
    bool sloppy_tcp = false;
    bool sloppy_sctp = false;
    std::uint8_t conn_reuse_mode = 1;  // 0, 1, 2
    bool expire_nodest_conn = false;
    bool expire_quiescent_template = false;
    std::uint8_t secure_tcp = 0;   // 0..3
    std::uint8_t drop_entry = 0;   // 0..3
    std::uint8_t drop_packet = 0;  // 0..3
    std::uint32_t am_droprate = 10;
    bool schedule_icmp = false;
    bool nat_icmp_send = false;
    bool pmtu_disc = true;
    bool ignore_tunneled = false;
    Duration lblcr_expiration = std::chrono::hours(24);
    Duration lblc_expiration = std::chrono::hours(24);
    bool fullnat_toa = false;  // TCP option 254 towards FullNAT servers
    // Our own ICMP errors: net.ipv4.icmp_msgs_per_sec and icmp_msgs_burst, for each worker.
    std::uint32_t icmp_msgs_per_sec = 1000;
    std::uint32_t icmp_msgs_burst = 50;

    bool operator==(const SysctlSpec&) const = default;
};

// Seconds by protocol state; the kernel's defaults.
struct TimeoutSpec {
    Duration tcp_none = std::chrono::seconds(2);
    Duration tcp_established = std::chrono::seconds(900);
    Duration tcp_syn_sent = std::chrono::seconds(120);
    Duration tcp_syn_recv = std::chrono::seconds(60);
    Duration tcp_fin_wait = std::chrono::seconds(120);
    Duration tcp_time_wait = std::chrono::seconds(120);
    Duration tcp_close = std::chrono::seconds(10);
    Duration tcp_close_wait = std::chrono::seconds(60);
    Duration tcp_last_ack = std::chrono::seconds(30);
    Duration tcp_listen = std::chrono::seconds(120);
    Duration tcp_synack = std::chrono::seconds(120);
    Duration udp = std::chrono::seconds(300);
    Duration sctp_established = std::chrono::seconds(900);
    Duration sctp_init = std::chrono::seconds(4);    // INIT1 and REJECTED
    Duration sctp_other = std::chrono::seconds(61);  // every other state

    bool operator==(const TimeoutSpec&) const = default;
};

struct DataPlaneSpec {
    std::vector<PortSpec> ports;  // position = PortId
    std::vector<OwnedAddressSpec> owned;
    // Further addresses for which the node answers, as by a local route: what no service takes
    // there is the kernel's. Few.
    std::vector<net::IpPrefix> owned_prefixes;
    std::vector<RouteSpec> routes;
    std::vector<LocalAddressSpec> local_addresses;
    std::vector<MarkRuleSpec> marks;
    std::vector<ServiceSpec> services;
    SysctlSpec sysctl;
    TimeoutSpec timeouts;
};

}  // namespace pollux::lb
