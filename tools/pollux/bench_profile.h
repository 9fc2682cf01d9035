// SPDX-License-Identifier: Apache-2.0
#pragma once

// `pollux bench-profile`: inputs for traffic generators, made from the balancer's configuration.
// It only prints; what the file cannot say (the generator's devices) is an option.

#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "dataplane/net/result.h"

namespace pollux::cli {

enum class ProfileTool : std::uint8_t { Pktgen, Trex, Dperf, PolluxPktgen };

struct ProfileOptions {
    ProfileTool tool = ProfileTool::PolluxPktgen;
    std::string file;             // the balancer's TOML
    std::string node;             // reads the file as this node does; empty: as this host
    std::string service;          // ADDRESS:PORT; empty: the first virtual server
    std::string role = "client";  // dperf: client or server
    std::optional<net::IpPrefix> clients;
    std::uint32_t flows = 10'000;
    std::optional<net::MacAddress> balancer_mac;
    net::IpAddress address;         // the generator's own, towards the balancer's clients' side
    net::IpAddress server_address;  // and on the servers' side
    std::string pci, server_pci;    // the generator's devices
};

// One virtual server with all that a generator must know of its surroundings.
struct Profile {
    control::VirtualServerConfig service;
    net::IpPrefix clients;
    std::uint32_t flows = 0;
    std::optional<net::MacAddress> balancer_mac;  // given, or the virtual MAC of its VRRP instance
    control::PortConfig client_port;              // the balancer's
    control::PortConfig server_port;
    bool one_network = false;  // both are the same port
    net::IpAddress address, server_address;
    net::IpAddress server_next_hop;   // the balancer's own on the servers' side; may be None
    std::vector<std::string> others;  // further virtual servers: ADDRESS:PORT
};

Result<ProfileOptions> parse_bench_profile(const std::vector<std::string>& args);
// Errors: no such service, one without address (mark, group), a missing option.
Result<Profile> make_profile(const control::Config& config, const ProfileOptions& options);
Result<std::string> render_profile(const Profile& profile, const ProfileOptions& options);

// The client addresses that a profile uses: first, last, how many.
struct ClientRange {
    net::IpAddress first, last;
    std::uint32_t count = 0;
};
[[nodiscard]] ClientRange client_range(const net::IpPrefix& clients);

}  // namespace pollux::cli
