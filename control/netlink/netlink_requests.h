// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes to the kernel's network state: links, addresses, routes, rules, neighbours. Each call is
// one request and waits for the kernel's answer (tens of microseconds). One thread at a time: the
// control thread, and KernelWriter's with an object of its own.

#include <cstdint>
#include <memory>
#include <string>

#include "control/netlink/kernel_tables.h"
#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "dataplane/net/result.h"

namespace pollux::control {

struct AddressRequest {
    InterfaceIndex interface = kNoInterface;
    net::IpPrefix prefix;      // host bits kept: an interface address
    std::string label;         // "", or "wan:1" (IPv4 only)
    std::uint8_t scope = 0;    // 0 global, 200 site, 253 link, 254 host
    net::IpAddress broadcast;  // may be None
    bool prefix_route = true;  // false: the kernel adds no on-link route (IFA_F_NOPREFIXROUTE)

    bool operator==(const AddressRequest&) const = default;
};

struct RouteRequest {
    net::IpPrefix destination;  // length 0: the default route
    InterfaceIndex interface = kNoInterface;
    net::IpAddress gateway;           // may be None
    net::IpAddress preferred_source;  // may be None
    std::uint32_t metric = 0;
    std::uint32_t table = 0;  // 0 = main
    std::uint16_t mtu = 0;    // 0 = the interface's
    bool operator==(const RouteRequest&) const = default;
};

struct RuleRequest {
    net::IpPrefix from;  // family None = all
    net::IpPrefix to;    // family None = all
    net::Family family = net::Family::V4;
    std::string incoming_interface;  // empty = any
    std::uint32_t mark = 0;          // 0 = any
    std::uint32_t priority = 0;      // 0 = chosen by the kernel
    std::uint32_t table = 254;
    bool operator==(const RuleRequest&) const = default;
};

class NetlinkRequests {
  public:
    static Result<std::unique_ptr<NetlinkRequests>> open();
    ~NetlinkRequests();

    Status set_link_mac(InterfaceIndex interface, const net::MacAddress& mac);
    Status set_link_mtu(InterfaceIndex interface, std::uint32_t mtu);
    Status set_link_up(InterfaceIndex interface, bool up);

    // Adding what exists and removing what does not are successes. IPv6 addresses with /128 are
    // deprecated: the kernel sends from them only when it is asked to, or has no other.
    Status add_address(const AddressRequest& request);
    Status remove_address(const AddressRequest& request);
    // Replaces a route with the same destination, metric and table.
    Status add_route(const RouteRequest& request);
    Status remove_route(const RouteRequest& request);
    Status add_rule(const RuleRequest& request);
    Status remove_rule(const RuleRequest& request);

    // A neighbour that is never resolved by ARP or ND; replaces what the kernel had learnt.
    Status add_permanent_neighbour(InterfaceIndex interface, const net::IpAddress& address,
                                   const net::MacAddress& mac);
    Status remove_neighbour(InterfaceIndex interface, const net::IpAddress& address);
    // Asks the kernel to find out or confirm the neighbour's MAC, as if it had to send to it.
    Status probe_neighbour(InterfaceIndex interface, const net::IpAddress& address);

  private:
    NetlinkRequests();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::control
