// SPDX-License-Identifier: Apache-2.0
#pragma once

// [dpdk], [[dpdk.port]], [[route]], [[neighbour]], [[mark]], [[local_address]] and [conntrack].
// Units, ranges and defaults of each key: the rows in schema_dpdk.cpp and configs/reference.toml.

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config_common.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::control {

enum class IdleMode : std::uint8_t { Poll, Adaptive };
enum class IovaMode : std::uint8_t { Auto, Va, Pa };
enum class ExceptionPath : std::uint8_t { Tap, None };

// All keys: restart.
struct DpdkConfig {
    Origin origin;
    unsigned control_lcore = 0;                 // CPU number
    std::vector<unsigned> worker_lcores = {1};  // CPU numbers, one worker each, at most 64
    // Poll needs CPUs of its own; Adaptive sleeps when idle and may share CPUs.
    IdleMode idle = IdleMode::Poll;
    bool in_memory = true;                     // no hugetlbfs files; excludes secondary processes
    bool hugepages = true;                     // false: EAL --no-huge
    std::uint64_t hugepage_mem = 256U << 20U;  // bytes
    IovaMode iova_mode = IovaMode::Auto;
    std::string file_prefix = "pollux";  // unique per process of a host
    std::uint32_t mbufs_per_port = 16384;
    std::uint16_t burst = 32;  // packets, 1..64
    std::vector<std::string> extra_eal_args;

    bool operator==(const DpdkConfig&) const = default;
};

// The kernel's side of a port: the TAP that the control core opens.
struct ExceptionConfig {
    Origin origin;
    ExceptionPath type = ExceptionPath::Tap;
    std::string name;  // interface name, at most 15 characters; empty in the file: the port's name

    bool operator==(const ExceptionConfig&) const = default;
};

// All keys: restart, but for `address`: reload.
struct PortConfig {
    Origin origin;
    std::string name;
    std::string pci;   // "0000:3b:00.0", or
    std::string vdev;  // "net_tap0,iface=ltap0"; exactly one of the two is set
    std::uint16_t rx_desc = 1024;
    std::uint16_t tx_desc = 1024;
    std::uint16_t mtu = 1500;  // bytes of IP
    bool rss = true;           // spread received flows over the workers where the port can
    bool promiscuous = false;
    ExceptionConfig exception;
    std::vector<net::IpPrefix> address;  // this node's own, set on the TAP

    bool operator==(const PortConfig&) const = default;
};

// A neighbour that is not resolved by ARP or ND. Reload.
struct NeighbourConfig {
    Origin origin;
    net::IpAddress address;
    net::MacAddress mac;
    std::string dev;  // port name

    bool operator==(const NeighbourConfig&) const = default;
};

// [[mark]]: first match wins. Reload.
struct MarkConfig {
    Origin origin;
    net::IpPrefix source;                        // family None = any
    net::IpPrefix destination;                   // family None = any
    lb::Protocol protocol = lb::Protocol::None;  // None = any
    NumberRange source_port = {0, 65535};
    NumberRange destination_port = {0, 65535};
    std::uint32_t mark = 0;  // 1..4294967295

    bool operator==(const MarkConfig&) const = default;
};

// [[local_address]]: FullNAT hides clients behind these. Reload.
struct LocalAddressConfig {
    Origin origin;
    net::IpAddress address;
    NumberRange ports = {1024, 65535};

    bool operator==(const LocalAddressConfig&) const = default;
};

enum class OnFull : std::uint8_t { EvictEmbryonic, DropNew };

// [conntrack]: sizes are restart, `sysctl` and `timeout` are reload.
struct ConntrackConfig {
    Origin origin;
    std::uint32_t max_connections = 1U << 20U;
    std::uint32_t max_templates = 1U << 16U;  // persistence
    std::uint32_t max_services = 4096;
    std::uint32_t max_servers = 65536;
    std::uint32_t max_fragments = 4096;  // datagrams being followed
    OnFull on_full = OnFull::EvictEmbryonic;
    double embryonic_share = 0.25;  // of max_connections, 0.01..1
    Origin timeout_origin;          // [conntrack.timeout]
    lb::SysctlSpec sysctl;          // the IPVS sysctls by their names
    lb::TimeoutSpec timeout;

    bool operator==(const ConntrackConfig&) const = default;
};

}  // namespace pollux::control
