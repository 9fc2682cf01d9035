// SPDX-License-Identifier: Apache-2.0
#pragma once

// From [[vrrp_instance]] and [[vrrp_sync_group]] to what the protocol, the VIP owner, the kernel
// and the notifier need. Pure. Control thread.

#include <vector>

#include "control/config/config.h"
#include "control/netlink/kernel_tables.h"
#include "control/netlink/netlink_requests.h"
#include "control/tap/port_table.h"
#include "control/vip/vip_owner.h"
#include "vrrp/announce_queue.h"
#include "vrrp/instance_config.h"
#include "vrrp/notify_queue.h"

namespace pollux::control {

[[nodiscard]] vrrp::InstanceConfig plan_protocol(const VrrpInstanceConfig& instance,
                                                 const GlobalVrrpConfig& global);

// The port that the instance advertises on; null: no such port.
[[nodiscard]] const ControlPort* port_of(const VrrpInstanceConfig& instance,
                                         const PortTable& ports);

// The MAC that adverts and the addresses on the instance's own port use.
[[nodiscard]] net::MacAddress mac_of(const VrrpInstanceConfig& instance, const ControlPort& port);

// All virtual addresses, the excluded ones last.
[[nodiscard]] std::vector<Vip> plan_vips(const VrrpInstanceConfig& instance,
                                         const PortTable& ports);

[[nodiscard]] std::vector<RouteRequest> plan_routes(const VrrpInstanceConfig& instance,
                                                    const Config& config, const PortTable& ports);
[[nodiscard]] std::vector<RuleRequest> plan_rules(const VrrpInstanceConfig& instance,
                                                  const PortTable& ports);

[[nodiscard]] vrrp::AnnouncePolicy plan_announcements(const VrrpTuning& tuning);
// When a MASTER asks who else holds its addresses: soon, once more later, and with each refresh.
[[nodiscard]] vrrp::AnnouncePolicy plan_probes(const VrrpTuning& tuning);
[[nodiscard]] vrrp::AnnouncePace plan_pace(Duration interval);
[[nodiscard]] std::vector<vrrp::AnnounceTarget> plan_targets(const std::vector<Vip>& vips);

[[nodiscard]] vrrp::NotifyPlan plan_notify(const NotifyCommands& commands);

// The address to advertise from: the configured one, else the port's first address of the family
// (IPv6: the link-local one). Family None: there is none yet.
[[nodiscard]] net::IpAddress source_address(const VrrpInstanceConfig& instance,
                                            const Config& config, const ControlPort& port,
                                            const KernelTables& kernel);

}  // namespace pollux::control
