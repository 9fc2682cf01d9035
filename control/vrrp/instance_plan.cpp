// SPDX-License-Identifier: Apache-2.0
#include "control/vrrp/instance_plan.h"

#include <algorithm>

#include "control/director/kernel_plan.h"
#include "vrrp/wire.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

// Without `garp_interval` announcements are paced all the same: a burst, then 2000 frames a second.
constexpr vrrp::AnnouncePace kDefaultPace{500us, 32};
// After becoming MASTER, until other holders are looked for. The former master has let go by then.
constexpr auto kProbeDelay = 3s;

vrrp::ChecksumPolicy checksum_policy(ChecksumV3Ipv4 checksum) {
    switch (checksum) {
        case ChecksumV3Ipv4::AcceptBoth:
            return vrrp::ChecksumPolicy::Auto;
        case ChecksumV3Ipv4::Rfc9568:
            return vrrp::ChecksumPolicy::MessageOnly;
        case ChecksumV3Ipv4::PseudoHeader:
            return vrrp::ChecksumPolicy::PseudoHeader;
    }
    return vrrp::ChecksumPolicy::Auto;
}

Vip make_vip(const VirtualIpConfig& address, const VrrpInstanceConfig& instance,
             const PortTable& ports) {
    const ControlPort* own = port_of(instance, ports);
    const ControlPort* port = ports.find(address.dev.empty() ? instance.interface : address.dev);
    Vip vip;
    vip.address = address.address;
    if (port != nullptr) {
        vip.port = port->id;
        // The virtual MAC belongs to the LAN on which the virtual router is.
        vip.mac = port == own ? mac_of(instance, *port) : port->mac;
    }
    vip.label = address.label;
    vip.scope = address.scope;
    vip.broadcast = address.broadcast;
    vip.prefix_route = !address.no_prefix_route;
    vip.accept = instance.accept || instance.priority == vrrp::kPriorityOwner;
    return vip;
}

bool is_virtual(const Config& config, const net::IpAddress& address) {
    const auto same = [&](const VirtualIpConfig& vip) { return vip.address.address == address; };
    return std::ranges::any_of(config.vrrp_instances, [&](const VrrpInstanceConfig& instance) {
        return std::ranges::any_of(instance.virtual_ipaddress, same) ||
               std::ranges::any_of(instance.virtual_ipaddress_excluded, same);
    });
}

}  // namespace

vrrp::InstanceConfig plan_protocol(const VrrpInstanceConfig& instance,
                                   const GlobalVrrpConfig& global) {
    const VrrpTuning& tuning = instance.tuning;
    vrrp::InstanceConfig config;
    config.name = instance.name;
    config.family = instance.family;
    config.version = instance.family == net::Family::V6 ? 3 : tuning.version;
    config.virtual_router_id = instance.virtual_router_id;
    config.priority = instance.priority;
    config.advert_interval = instance.advert_int;
    for (const VirtualIpConfig& address : instance.virtual_ipaddress) {
        config.addresses.push_back(address.address.address);
    }
    if (instance.authentication.type == AuthType::Pass) {
        config.auth_type = vrrp::kAuthPass;
        const std::string& password = instance.authentication.password;
        std::copy_n(password.begin(), std::min(password.size(), vrrp::kAuthDataLength),
                    config.auth_data.begin());
    }
    config.checksum = checksum_policy(tuning.checksum_v3_ipv4);
    config.group = instance.family == net::Family::V4 ? global.mcast_group4 : global.mcast_group6;
    config.unicast_peers = instance.unicast_peer;
    config.check_unicast_source = tuning.check_unicast_src;
    config.unicast_ttl = static_cast<std::uint8_t>(instance.unicast_ttl);
    config.nopreempt = instance.nopreempt;
    config.preempt_delay = instance.preempt_delay;
    config.startup_delay = global.startup_delay;
    config.down_timer_adverts = tuning.down_timer_adverts;
    config.higher_prio_send_advert = tuning.higher_prio_send_advert;
    config.lower_prio_no_advert = tuning.lower_prio_no_advert;
    config.skip_check_adv_addr = tuning.skip_check_adv_addr;
    config.strict = tuning.strict;
    return config;
}

const ControlPort* port_of(const VrrpInstanceConfig& instance, const PortTable& ports) {
    return ports.find(std::string_view(instance.interface));
}

net::MacAddress mac_of(const VrrpInstanceConfig& instance, const ControlPort& port) {
    if (!instance.use_vmac) return port.mac;
    return vrrp::virtual_mac(instance.family, instance.virtual_router_id);
}

std::vector<Vip> plan_vips(const VrrpInstanceConfig& instance, const PortTable& ports) {
    std::vector<Vip> vips;
    for (const VirtualIpConfig& address : instance.virtual_ipaddress) {
        vips.push_back(make_vip(address, instance, ports));
    }
    for (const VirtualIpConfig& address : instance.virtual_ipaddress_excluded) {
        vips.push_back(make_vip(address, instance, ports));
    }
    return vips;
}

std::vector<RouteRequest> plan_routes(const VrrpInstanceConfig& instance, const Config& config,
                                      const PortTable& ports) {
    std::vector<RouteRequest> routes;
    for (const RouteConfig& route : instance.virtual_route) {
        RouteRequest request = to_request(route, config, ports);
        if (request.interface != kNoInterface) routes.push_back(request);
    }
    return routes;
}

std::vector<RuleRequest> plan_rules(const VrrpInstanceConfig& instance, const PortTable& ports) {
    std::vector<RuleRequest> rules;
    for (const VirtualRuleConfig& rule : instance.virtual_rule) {
        RuleRequest request;
        request.from = rule.from;
        request.to = rule.to;
        const net::Family family = rule.from.address.family != net::Family::None
                                       ? rule.from.address.family
                                       : rule.to.address.family;
        request.family = family != net::Family::None ? family : instance.family;
        // Rules match the kernel's interface: the TAP of the port.
        if (const ControlPort* port = ports.find(std::string_view(rule.iif))) {
            request.incoming_interface = port->tap;
        }
        request.mark = rule.fwmark;
        request.priority = rule.priority;
        request.table = rule.table;
        rules.push_back(request);
    }
    return rules;
}

vrrp::AnnouncePolicy plan_announcements(const VrrpTuning& tuning) {
    vrrp::AnnouncePolicy policy;
    policy.master_repeat = tuning.garp_master_repeat;
    policy.master_delay = tuning.garp_master_delay;
    policy.lower_prio_repeat = tuning.garp_lower_prio_repeat;
    policy.lower_prio_delay = tuning.garp_lower_prio_delay;
    policy.refresh = tuning.garp_master_refresh;
    policy.refresh_repeat = tuning.garp_master_refresh_repeat;
    return policy;
}

vrrp::AnnouncePolicy plan_probes(const VrrpTuning& tuning) {
    vrrp::AnnouncePolicy policy;
    policy.master_repeat = 1;
    policy.master_delay = kProbeDelay;
    policy.refresh = tuning.garp_master_refresh;
    policy.refresh_repeat = 1;
    return policy;
}

vrrp::AnnouncePace plan_pace(Duration interval) {
    return interval > Duration::zero() ? vrrp::AnnouncePace{interval, 1} : kDefaultPace;
}

std::vector<vrrp::AnnounceTarget> plan_targets(const std::vector<Vip>& vips) {
    std::vector<vrrp::AnnounceTarget> targets;
    for (const Vip& vip : vips) {
        const auto interface = static_cast<vrrp::InterfaceId>(vip.port);
        targets.push_back({interface, vip.address.address});
    }
    return targets;
}

vrrp::NotifyPlan plan_notify(const NotifyCommands& commands) {
    vrrp::NotifyPlan plan;
    plan.on_master = commands.notify_master.argv;
    plan.on_backup = commands.notify_backup.argv;
    plan.on_fault = commands.notify_fault.argv;
    plan.on_stop = commands.notify_stop.argv;
    plan.on_deleted = commands.notify_deleted.argv;
    plan.any = commands.notify.argv;
    plan.fence = commands.fence.argv;
    return plan;
}

net::IpAddress source_address(const VrrpInstanceConfig& instance, const Config& config,
                              const ControlPort& port, const KernelTables& kernel) {
    if (instance.mcast_src_ip.family == instance.family) return instance.mcast_src_ip;
    const auto fits = [&](const net::IpPrefix& prefix) {
        const net::IpAddress& address = prefix.address;
        if (address.family != instance.family || is_virtual(config, address)) return false;
        // RFC 9568 section 5.1.2.1: IPv6 adverts come from the link-local address; unicast ones to
        // routed peers could not.
        const bool wants_link_local =
            instance.unicast_peer.empty() || instance.unicast_peer.front().is_link_local();
        return !address.is_v6() || address.is_link_local() == wants_link_local;
    };
    const auto index = static_cast<std::size_t>(port.id);
    if (index < config.ports.size()) {
        const auto& own = config.ports[index].address;
        const auto found = std::ranges::find_if(own, fits);
        if (found != own.end()) return found->address;
    }
    const auto known = kernel.addresses.find(port.interface);
    if (port.interface == kNoInterface || known == kernel.addresses.end()) return {};
    const auto found = std::ranges::find_if(known->second, fits);
    return found == known->second.end() ? net::IpAddress{} : found->address;
}

}  // namespace pollux::control
