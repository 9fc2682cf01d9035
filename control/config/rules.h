// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rules beyond types and ranges. Each judges the whole Config and reports with places; elements
// whose own values could not be read are left out. Pure but for the reporter.

#include <string>
#include <string_view>

#include "control/config/config.h"
#include "control/config/report.h"

namespace pollux::control {

void check_names(const Config& config, Reporter& reporter);  // rules_names.cpp
// rules_ports.cpp. `node_hint`: why the file may look empty on this node, or "".
void check_ports(const Config& config, const std::string& node_hint, Reporter& reporter);
// rules_address.cpp. Ports' own addresses, and virtual ones beside them.
void check_addresses(const Config& config, Reporter& reporter);
void check_routes(const Config& config, Reporter& reporter);    // rules_routes.cpp
void check_vrrp(const Config& config, Reporter& reporter);      // rules_vrrp.cpp
void check_tracking(const Config& config, Reporter& reporter);  // rules_tracking.cpp
void check_services(const Config& config, Reporter& reporter);  // rules_service.cpp
void check_checks(const Config& config, Reporter& reporter);    // rules_check.cpp
void check_general(const Config& config, Reporter& reporter);   // rules_general.cpp

// Compares this node's configuration with that of another node of the same file.
void check_pair(const Config& config, const Config& other, const std::string& other_node,
                Reporter& reporter);  // rules_pair.cpp

// Whether this node answers for the address: a port or a [[vrrp_instance]] has it.
bool is_answered_for(const Config& config, const net::IpAddress& address);

// `[[vrrp_instance]] "VI_1"`, for messages.
std::string titled(std::string_view table, std::string_view name);
std::string title_of(const VirtualServerConfig& service);

}  // namespace pollux::control
