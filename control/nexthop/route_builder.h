// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the kernel's routes and neighbours to the data plane's RouteSpecs. Pure; control thread.

#include <bitset>
#include <span>
#include <vector>

#include "control/netlink/kernel_tables.h"
#include "control/tap/port_table.h"
#include "dataplane/lb/spec.h"

namespace pollux::control {

// The data plane takes no more; further ones are left out, longest prefixes first kept.
inline constexpr std::size_t kMaxRoutes = 1U << 18U;

// A next hop that traffic may use: a neighbour on a port.
struct HopKey {
    lb::PortId port = lb::kNoPort;
    net::IpAddress address;
    auto operator<=>(const HopKey&) const = default;
};

// Which prefix lengths a route table has: what a lookup has to try. For many lookups in a table
// that does not change meanwhile.
class PrefixLengths {
  public:
    // Every length.
    PrefixLengths();
    explicit PrefixLengths(const RouteTable& routes);

    [[nodiscard]] bool has(net::Family family, unsigned length) const {
        return (family == net::Family::V4 ? v4_ : v6_).test(length);
    }

  private:
    std::bitset<129> v4_;
    std::bitset<129> v6_;
};

// The route that the kernel would take to `address`, or null. Routes of a link that is down and
// routes through interfaces that are no port's TAP count, as the kernel sees them.
[[nodiscard]] const KernelRoute* lookup_route(const RouteTable& routes,
                                              const net::IpAddress& address,
                                              const PrefixLengths& lengths = {});

// The neighbour that frames to `address` are sent to, or nothing when the kernel's route is missing
// or leads elsewhere than to a port.
[[nodiscard]] HopKey next_hop_of(const KernelTables& tables, const PortTable& ports,
                                 const net::IpAddress& address, const PrefixLengths& lengths = {});

// The interface's own address that serves best as source towards `target`, of its family; family
// None: there is none. `vips` come and go and are no such source.
[[nodiscard]] net::IpAddress address_towards(const KernelTables& tables, InterfaceIndex interface,
                                             const net::IpAddress& target,
                                             std::span<const lb::OwnedAddressSpec> vips);

// The address that the kernel would send from to `target`; family None: none.
[[nodiscard]] net::IpAddress source_towards(const KernelTables& tables,
                                            const net::IpAddress& target,
                                            std::span<const lb::OwnedAddressSpec> vips);

// One RouteSpec for each kernel route through a TAP (on-link ones glean), and a host route for each
// on-link neighbour whose MAC is known. Where the kernel's route leads nowhere (blackhole) or
// through an interface that is no port, the RouteSpec names no port: packets end there instead of
// at a shorter prefix. `vips` come and go and are no source of this node's own packets.
[[nodiscard]] std::vector<lb::RouteSpec> build_routes(
    const KernelTables& tables, const PortTable& ports,
    std::span<const lb::OwnedAddressSpec> vips = {});

}  // namespace pollux::control
