// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the configuration and what is known at run time to the data plane's wanted state. Pure;
// control thread.

#include <set>
#include <span>
#include <vector>

#include "control/config/config.h"
#include "control/netlink/kernel_tables.h"
#include "control/spec/runtime_services.h"
#include "control/spec/server_states.h"
#include "control/tap/port_table.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control {

struct SpecInputs {
    const Config& config;
    const PortTable& ports;
    const KernelTables& kernel;
    const ServerStates& servers;
    std::vector<lb::OwnedAddressSpec> vips;    // held now
    const RuntimeServices* runtime = nullptr;  // laid over the configuration's services
};

[[nodiscard]] lb::DataPlaneSpec build_spec(const SpecInputs& inputs);
// The same in two steps: what follows from the network, then the services, by far the largest part,
// which need neither ports nor the kernel's tables.
[[nodiscard]] lb::DataPlaneSpec build_network(const SpecInputs& inputs);
void add_services(lb::DataPlaneSpec& spec, const Config& config, const ServerStates& servers,
                  const RuntimeServices& runtime);

[[nodiscard]] lb::TunnelSpec to_spec(const TunnelConfig& tunnel);

// The services that one [[virtual_server]] stands for: one, or one per address of its group.
[[nodiscard]] std::vector<lb::ServiceSpec> build_services(
    const VirtualServerConfig& server, std::span<const VirtualServerGroupConfig> groups,
    const ServerStates& states);

// The keys of these, without building servers.
[[nodiscard]] std::vector<lb::ServiceKey> service_keys(
    const VirtualServerConfig& server, std::span<const VirtualServerGroupConfig> groups);

// The services and time-outs of the configuration alone.
[[nodiscard]] FileTable build_file_table(const Config& config);

// Every address that real servers and sorry servers have.
[[nodiscard]] std::set<net::IpAddress> server_addresses(const Config& config);

// The restart-only sizes, without the hash secret.
[[nodiscard]] lb::DataPlaneLimits build_limits(const Config& config);

}  // namespace pollux::control
