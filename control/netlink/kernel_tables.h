// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the kernel knows of links, addresses, routes and neighbours, as plain values: the model that
// KernelMonitor keeps and the snapshot builder reads. No I/O. Control thread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::control {

// A kernel interface index; 0 is none.
enum class InterfaceIndex : std::uint32_t {};
inline constexpr InterfaceIndex kNoInterface{0};

struct KernelLink {
    std::string name;
    net::MacAddress mac;
    std::uint32_t mtu = 0;
    bool up = false;       // administratively
    bool carrier = false;  // operationally
    bool operator==(const KernelLink&) const = default;
};

struct RouteHop {
    InterfaceIndex interface = kNoInterface;
    net::IpAddress gateway;  // family None: the destination is on-link
    bool alive = true;       // neither dead nor without carrier
    bool operator==(const RouteHop&) const = default;
};

struct KernelRoute {
    net::IpPrefix destination;
    std::uint32_t metric = 0;         // the kernel's priority, smaller wins
    bool unreachable = false;         // blackhole, unreachable or prohibit
    net::IpAddress preferred_source;  // may be None
    std::uint16_t mtu = 0;            // 0 = the interface's
    std::vector<RouteHop> hops;       // more than one: multipath
    bool operator==(const KernelRoute&) const = default;
};

// The kernel's NUD states.
enum class NeighbourState : std::uint8_t {
    Incomplete,
    Reachable,
    Stale,
    Delay,
    Probe,
    Failed,
    Permanent,
};

struct Neighbour {
    NeighbourState state = NeighbourState::Incomplete;
    net::MacAddress mac;
    // The MAC may be used for sending.
    [[nodiscard]] bool usable() const noexcept {
        return state != NeighbourState::Incomplete && state != NeighbourState::Failed &&
               !mac.is_zero();
    }
    bool operator==(const Neighbour&) const = default;
};

struct NeighbourKey {
    InterfaceIndex interface = kNoInterface;
    net::IpAddress address;
    auto operator<=>(const NeighbourKey&) const = default;
};

[[nodiscard]] std::string_view to_string(NeighbourState state) noexcept;

// Routes of the main table, found by destination and ordered by metric.
class RouteTable {
  public:
    using RoutesByMetric = std::map<std::uint32_t, KernelRoute>;

    // True when the table changed. `append` keeps the hops of an equal route (NLM_F_APPEND, and
    // IPv6 multipath, which the kernel may report hop by hop).
    bool add(const KernelRoute& route, bool append);
    // Removes the route's hops; the route goes with its last one.
    bool remove(const KernelRoute& route);

    [[nodiscard]] const std::map<net::IpPrefix, RoutesByMetric>& all() const { return routes_; }
    void clear() { routes_.clear(); }
    bool operator==(const RouteTable&) const = default;

  private:
    std::map<net::IpPrefix, RoutesByMetric> routes_;
};

struct KernelTables {
    std::map<InterfaceIndex, KernelLink> links;
    std::map<InterfaceIndex, std::vector<net::IpPrefix>> addresses;
    RouteTable routes;
    std::map<NeighbourKey, Neighbour> neighbours;
};

}  // namespace pollux::control
