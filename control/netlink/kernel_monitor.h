// SPDX-License-Identifier: Apache-2.0
#pragma once

// Follows the kernel's links, addresses, routes and neighbours: a dump at the start, then
// notifications, and a new dump whenever the kernel lost notifications or is known not to send them
// (routes that vanish with their link or address). Control thread; never blocks after `open`.

#include <functional>
#include <memory>

#include "control/loop/event_loop.h"
#include "control/netlink/kernel_tables.h"
#include "dataplane/net/result.h"

namespace pollux::control {

class KernelMonitor {
  public:
    struct Events {
        // Routes or addresses changed.
        std::function<void()> routes_changed;
        // A neighbour appeared, changed or went (then Incomplete without a MAC).
        std::function<void(const NeighbourKey&, const Neighbour& before, const Neighbour& now)>
            neighbour_changed;
        std::function<void(InterfaceIndex, const KernelLink&)> link_changed;
    };

    // Returns when the first dump is complete (at most a few seconds).
    static Result<std::unique_ptr<KernelMonitor>> open(EventLoop& loop);
    ~KernelMonitor();

    // From now on changes are reported, from the loop.
    void watch(Events events);

    [[nodiscard]] const KernelTables& tables() const;
    // How often the tables were read anew after the first time.
    [[nodiscard]] std::uint64_t resyncs() const;

  private:
    KernelMonitor();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::control
