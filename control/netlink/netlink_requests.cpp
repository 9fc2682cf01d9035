// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/netlink_requests.h"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/route/rtnl.h>
#include <netlink/route/rule.h>

#include "control/netlink/netlink_socket.h"

namespace pollux::control {

using namespace netlink;

namespace {

using LinkPointer = std::unique_ptr<rtnl_link, Releaser<rtnl_link_put>>;
using AddrPointer = std::unique_ptr<rtnl_addr, Releaser<rtnl_addr_put>>;
using RoutePointer = std::unique_ptr<rtnl_route, Releaser<rtnl_route_put>>;
using RulePointer = std::unique_ptr<rtnl_rule, Releaser<rtnl_rule_put>>;
using NeighPointer = std::unique_ptr<rtnl_neigh, Releaser<rtnl_neigh_put>>;

int to_int(InterfaceIndex interface) noexcept {
    return static_cast<int>(interface);
}

Status finish(int code, const std::string& action, int tolerated = 0) {
    if (code >= 0 || code == tolerated) return ok_status();
    return netlink_error(action, code);
}

constexpr std::uint32_t kForever = 0xffffffff;

// Such addresses are virtual ones, mostly. The kernel must not send from one by itself while there
// is another (deprecated, RFC 4862 section 5.5.4): real servers that have it would answer
// themselves. By RFC 6724 it would be preferred, because its prefix is the longest.
bool is_host_v6(const net::IpPrefix& prefix) {
    return prefix.address.is_v6() && prefix.length == 128;
}

Result<AddrPointer> make_address(const AddressRequest& request) {
    AddrPointer address(rtnl_addr_alloc());
    rtnl_addr_set_ifindex(address.get(), to_int(request.interface));
    rtnl_addr_set_family(address.get(), family_of(request.prefix.address));
    if (const int code = rtnl_addr_set_local(address.get(), to_netlink(request.prefix).get());
        code < 0) {
        return netlink_error("address " + request.prefix.to_string(), code);
    }
    rtnl_addr_set_prefixlen(address.get(), request.prefix.length);
    if (!request.label.empty()) rtnl_addr_set_label(address.get(), request.label.c_str());
    if (request.scope != 0) rtnl_addr_set_scope(address.get(), request.scope);
    if (request.broadcast.family != net::Family::None) {
        rtnl_addr_set_broadcast(address.get(), to_netlink(request.broadcast).get());
    }
    unsigned flags = 0;
    // The balancer's addresses must work at once and must not vanish when a peer still owns them
    // for a moment; VRRP decides about ownership, so duplicate address detection stays off.
    if (request.prefix.address.is_v6()) flags |= IFA_F_NODAD;
    if (!request.prefix_route) flags |= IFA_F_NOPREFIXROUTE;
    if (flags != 0) rtnl_addr_set_flags(address.get(), flags);
    if (is_host_v6(request.prefix)) {
        rtnl_addr_set_valid_lifetime(address.get(), kForever);
        rtnl_addr_set_preferred_lifetime(address.get(), 0);
    }
    return address;
}

RoutePointer make_route(const RouteRequest& request) {
    RoutePointer route(rtnl_route_alloc());
    rtnl_route_set_family(route.get(),
                          static_cast<std::uint8_t>(family_of(request.destination.address)));
    rtnl_route_set_dst(route.get(), to_netlink(request.destination.network()).get());
    rtnl_route_set_table(route.get(),
                         request.table == 0 ? static_cast<unsigned>(RT_TABLE_MAIN) : request.table);
    rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
    if (request.metric != 0) rtnl_route_set_priority(route.get(), request.metric);
    if (request.mtu != 0) rtnl_route_set_metric(route.get(), RTAX_MTU, request.mtu);
    if (request.preferred_source.family != net::Family::None) {
        rtnl_route_set_pref_src(route.get(), to_netlink(request.preferred_source).get());
    }
    rtnl_nexthop* hop = rtnl_route_nh_alloc();
    rtnl_route_nh_set_ifindex(hop, to_int(request.interface));
    const bool has_gateway = request.gateway.family != net::Family::None;
    if (has_gateway && request.gateway.family == request.destination.address.family) {
        rtnl_route_nh_set_gateway(hop, to_netlink(request.gateway).get());
    } else if (has_gateway) {
        rtnl_route_nh_set_via(hop, to_netlink(request.gateway).get());
    }
    rtnl_route_add_nexthop(route.get(), hop);
    const bool link_scope = !has_gateway && request.destination.address.is_v4();
    rtnl_route_set_scope(route.get(), link_scope ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
    return route;
}

RulePointer make_rule(const RuleRequest& request) {
    RulePointer rule(rtnl_rule_alloc());
    rtnl_rule_set_family(rule.get(), request.family == net::Family::V6 ? AF_INET6 : AF_INET);
    rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
    rtnl_rule_set_table(rule.get(), request.table);
    if (request.from.address.family != net::Family::None) {
        rtnl_rule_set_src(rule.get(), to_netlink(request.from.network()).get());
    }
    if (request.to.address.family != net::Family::None) {
        rtnl_rule_set_dst(rule.get(), to_netlink(request.to.network()).get());
    }
    if (!request.incoming_interface.empty()) {
        rtnl_rule_set_iif(rule.get(), request.incoming_interface.c_str());
    }
    if (request.mark != 0) rtnl_rule_set_mark(rule.get(), request.mark);
    if (request.priority != 0) rtnl_rule_set_prio(rule.get(), request.priority);
    return rule;
}

NeighPointer make_neighbour(InterfaceIndex interface, const net::IpAddress& address) {
    NeighPointer neighbour(rtnl_neigh_alloc());
    rtnl_neigh_set_ifindex(neighbour.get(), to_int(interface));
    rtnl_neigh_set_family(neighbour.get(), family_of(address));
    rtnl_neigh_set_dst(neighbour.get(), to_netlink(address).get());
    return neighbour;
}

std::string describe(const RuleRequest& request) {
    const bool has_from = request.from.address.family != net::Family::None;
    const bool has_to = request.to.address.family != net::Family::None;
    return "rule from " + (has_from ? request.from.to_string() : std::string("all")) + " to " +
           (has_to ? request.to.to_string() : std::string("all")) + " table " +
           std::to_string(request.table);
}

}  // namespace

struct NetlinkRequests::Impl {
    SocketPointer socket;

    Status change_link(InterfaceIndex interface, rtnl_link* changes, const std::string& action) {
        LinkPointer original(rtnl_link_alloc());
        rtnl_link_set_ifindex(original.get(), to_int(interface));
        return finish(rtnl_link_change(socket.get(), original.get(), changes, 0), action);
    }
};

NetlinkRequests::NetlinkRequests() : impl_(std::make_unique<Impl>()) {}
NetlinkRequests::~NetlinkRequests() = default;

Result<std::unique_ptr<NetlinkRequests>> NetlinkRequests::open() {
    auto socket = open_socket();
    if (!socket) return socket.error();
    std::unique_ptr<NetlinkRequests> requests(new NetlinkRequests());
    requests->impl_->socket = std::move(socket).value();
    return requests;
}

Status NetlinkRequests::set_link_mac(InterfaceIndex interface, const net::MacAddress& mac) {
    LinkPointer changes(rtnl_link_alloc());
    rtnl_link_set_addr(changes.get(), to_netlink(mac).get());
    return impl_->change_link(interface, changes.get(), "setting the MAC " + mac.to_string());
}

Status NetlinkRequests::set_link_mtu(InterfaceIndex interface, std::uint32_t mtu) {
    LinkPointer changes(rtnl_link_alloc());
    rtnl_link_set_mtu(changes.get(), mtu);
    return impl_->change_link(interface, changes.get(), "setting the MTU " + std::to_string(mtu));
}

Status NetlinkRequests::set_link_up(InterfaceIndex interface, bool up) {
    LinkPointer changes(rtnl_link_alloc());
    if (up) {
        rtnl_link_set_flags(changes.get(), IFF_UP);
    } else {
        rtnl_link_unset_flags(changes.get(), IFF_UP);
    }
    return impl_->change_link(interface, changes.get(), up ? "bringing up" : "taking down");
}

Status NetlinkRequests::add_address(const AddressRequest& request) {
    auto address = make_address(request);
    if (!address) return address.error();
    return finish(rtnl_addr_add(impl_->socket.get(), address->get(), NLM_F_REPLACE),
                  "adding address " + request.prefix.to_string(), -NLE_EXIST);
}

Status NetlinkRequests::remove_address(const AddressRequest& request) {
    auto address = make_address(request);
    if (!address) return address.error();
    return finish(rtnl_addr_delete(impl_->socket.get(), address->get(), 0),
                  "removing address " + request.prefix.to_string(), -NLE_NOADDR);
}

Status NetlinkRequests::add_route(const RouteRequest& request) {
    return finish(rtnl_route_add(impl_->socket.get(), make_route(request).get(), NLM_F_REPLACE),
                  "adding route " + request.destination.to_string());
}

Status NetlinkRequests::remove_route(const RouteRequest& request) {
    return finish(rtnl_route_delete(impl_->socket.get(), make_route(request).get(), 0),
                  "removing route " + request.destination.to_string(), -NLE_OBJ_NOTFOUND);
}

Status NetlinkRequests::add_rule(const RuleRequest& request) {
    return finish(rtnl_rule_add(impl_->socket.get(), make_rule(request).get(), NLM_F_EXCL),
                  "adding " + describe(request), -NLE_EXIST);
}

Status NetlinkRequests::remove_rule(const RuleRequest& request) {
    return finish(rtnl_rule_delete(impl_->socket.get(), make_rule(request).get(), 0),
                  "removing " + describe(request), -NLE_OBJ_NOTFOUND);
}

Status NetlinkRequests::add_permanent_neighbour(InterfaceIndex interface,
                                                const net::IpAddress& address,
                                                const net::MacAddress& mac) {
    NeighPointer neighbour = make_neighbour(interface, address);
    rtnl_neigh_set_lladdr(neighbour.get(), to_netlink(mac).get());
    rtnl_neigh_set_state(neighbour.get(), NUD_PERMANENT);
    return finish(
        rtnl_neigh_add(impl_->socket.get(), neighbour.get(), NLM_F_CREATE | NLM_F_REPLACE),
        "adding neighbour " + address.to_string());
}

Status NetlinkRequests::remove_neighbour(InterfaceIndex interface, const net::IpAddress& address) {
    return finish(
        rtnl_neigh_delete(impl_->socket.get(), make_neighbour(interface, address).get(), 0),
        "removing neighbour " + address.to_string(), -NLE_OBJ_NOTFOUND);
}

Status NetlinkRequests::probe_neighbour(InterfaceIndex interface, const net::IpAddress& address) {
    NeighPointer neighbour = make_neighbour(interface, address);
    rtnl_neigh_set_flags(neighbour.get(), NTF_USE);
    return finish(rtnl_neigh_add(impl_->socket.get(), neighbour.get(), NLM_F_CREATE),
                  "probing neighbour " + address.to_string());
}

}  // namespace pollux::control
