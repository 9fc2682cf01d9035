// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plan: what a run sends, over which ports, and what must come out of the balancer. Read from a
// TOML file (plan_schema.cpp names every key) and changed by options. Main thread; constant while
// frames are sent.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "control/config/origin.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::pktgen {

using Duration = std::chrono::nanoseconds;

inline constexpr std::uint32_t kMaxFlows = 16'777'216;
inline constexpr std::size_t kMaxServers = 1024;
inline constexpr std::uint16_t kFirstClientPort = 1024;
inline constexpr std::uint32_t kClientPorts = 65536 - kFirstClientPort;
inline constexpr double kLowestRate = 1;
inline constexpr double kHighestRate = 1e9;

enum class Kind : std::uint8_t {
    Udp,
    Tcp,     // segments of connections that were opened before
    TcpSyn,  // each frame opens a connection, until the flows start over
};
enum class Direction : std::uint8_t { Forward, Both };   // client to server; and back
enum class Order : std::uint8_t { Random, Sequential };  // of the flows
enum class Carries : std::uint8_t { Clients, Servers, Both };

struct PortPlan {
    control::Origin origin;
    std::string name;
    std::string pci, vdev;  // exactly one is set
    Carries carries = Carries::Both;
    net::IpAddress address;        // pktgen's own on this network; it answers for it
    net::IpAddress next_hop;       // to whom frames are sent; family None: the balancer's MAC is
    net::MacAddress next_hop_mac;  // given here, or the destination itself is asked for
    std::uint16_t rx_desc = 1024, tx_desc = 1024;
    std::uint16_t mtu = 1500;
};

struct ServerPlan {
    control::Origin origin;
    net::IpAddress address;
    std::uint16_t port = 0;  // as the balancer must rewrite it; 0: the service's
    net::MacAddress mac;     // zero: one is made
};

struct DpdkPlan {
    control::Origin origin;
    unsigned control_lcore = 0;
    unsigned worker_lcore = 1;
    bool hugepages = true;
    std::uint64_t hugepage_mem = 256U << 20U;  // bytes
    std::string file_prefix = "pollux-pktgen";
    std::uint32_t mbufs_per_port = 16384;
};

struct ServicePlan {
    control::Origin origin;
    net::IpAddress address;
    std::uint16_t port = 0;
    lb::ForwardingMethod method = lb::ForwardingMethod::Nat;
};

struct TrafficPlan {
    control::Origin origin;
    Kind kind = Kind::Udp;
    std::uint32_t flows = 1000;
    net::IpPrefix clients;
    std::string frame_size = "min";  // bytes with the frame check sequence; "min", "imix"
    std::string rate = "100k";       // frames a second in each direction
    Direction direction = Direction::Forward;
    Order order = Order::Random;
    std::uint16_t burst = 32;
    Duration duration = std::chrono::seconds(10);
    std::string warm_up_rate = "50k";
    Duration warm_up_limit = std::chrono::seconds(10);  // of each of its steps
    Duration catch_up = std::chrono::milliseconds(1);   // see Pacer
    Duration drain = std::chrono::milliseconds(500);    // how long the last frames may take
};

struct SearchPlan {
    control::Origin origin;
    std::string lowest = "10k", highest = "10M";
    double resolution = 0.02;
    double tolerance = 0.001;  // PDR: share of the frames that may be lost
    unsigned retries = 0;      // of a trial that failed, for machines with noisy neighbours
};

struct Plan {
    control::Origin origin;
    DpdkPlan dpdk;
    std::vector<PortPlan> ports;
    ServicePlan service;
    std::vector<ServerPlan> servers;
    TrafficPlan traffic;
    SearchPlan search;

    [[nodiscard]] std::uint8_t protocol() const;
    [[nodiscard]] std::uint16_t server_port(const ServerPlan& server) const {
        return server.port != 0 ? server.port : service.port;
    }
    // Replies pass the balancer.
    [[nodiscard]] bool answers_pass() const {
        return service.method == lb::ForwardingMethod::Nat ||
               service.method == lb::ForwardingMethod::FullNat;
    }
    // Servers answer: in every trial, or to open the connections.
    [[nodiscard]] bool sends_replies() const {
        return answers_pass() &&
               (traffic.direction == Direction::Both || traffic.kind == Kind::Tcp);
    }
    // Positions of the ports that carry the clients' and the servers' frames.
    [[nodiscard]] std::size_t client_port() const;
    [[nodiscard]] std::size_t server_port_index() const;
};

struct Endpoint {
    net::IpAddress address;
    std::uint16_t port = 0;  // host order
    bool operator==(const Endpoint&) const = default;
};

// How many client addresses the prefix gives: without network and broadcast address.
[[nodiscard]] std::uint64_t client_hosts(const net::IpPrefix& clients);
// The client of a flow. Precondition: flow < client_hosts * kClientPorts.
[[nodiscard]] Endpoint client_of(const TrafficPlan& traffic, std::uint32_t flow);

}  // namespace pollux::pktgen
