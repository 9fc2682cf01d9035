// SPDX-License-Identifier: Apache-2.0
#pragma once

// NextHops: keeps the MACs that the data plane needs resolved. Frames that a worker could not
// address wait here while the kernel resolves their next hop. Control thread.

#include <functional>
#include <memory>
#include <set>
#include <span>

#include "control/netlink/netlink_requests.h"
#include "control/nexthop/parking_lot.h"
#include "control/nexthop/probe_plan.h"
#include "control/tap/port_table.h"

namespace pollux::control {

class NextHops {
  public:
    using Transmit = std::function<bool(lb::PortId, std::span<std::uint8_t>)>;

    // All references outlive this object. `tables` are the kernel monitor's.
    NextHops(NetlinkRequests& netlink, const KernelTables& tables, const PortTable& ports,
             Transmit transmit);

    // A frame that is complete but for its MACs: sent now if the kernel knows the next hop, else
    // parked while the kernel resolves it.
    void forward(std::span<std::uint8_t> frame, const HopKey& hop, lb::TimePoint now);
    void neighbour_changed(const NeighbourKey& key, const Neighbour& neighbour);
    // Which neighbours traffic depends on, of the routes of the next snapshot and these servers.
    void update_wanted(std::span<const lb::RouteSpec> routes,
                       const std::set<net::IpAddress>& servers);
    // Expires frames and probes neighbours. About every 100 ms.
    void tick(lb::TimePoint now);

    [[nodiscard]] const ParkingLot& parking() const { return parking_; }
    [[nodiscard]] const std::set<NeighbourKey>& wanted() const { return plan_.wanted(); }
    [[nodiscard]] std::uint64_t probes() const { return probes_; }

  private:
    void send(std::span<std::uint8_t> frame, const ControlPort& port, const net::MacAddress& mac);
    void probe(const NeighbourKey& key);

    NetlinkRequests* netlink_;
    const KernelTables* tables_;
    const PortTable* ports_;
    Transmit transmit_;
    ParkingLot parking_;
    ProbePlan plan_;
    std::uint64_t probes_ = 0;
};

}  // namespace pollux::control
