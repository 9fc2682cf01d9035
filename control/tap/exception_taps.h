// SPDX-License-Identifier: Apache-2.0
#pragma once

// ExceptionTaps: one TAP per port, and the frames between them and the ports (decision D11).
// Control thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "control/loop/event_loop.h"
#include "control/netlink/netlink_requests.h"
#include "control/tap/port_table.h"
#include "dataplane/net/result.h"

namespace pollux::control {

struct TapCounters {
    std::uint64_t to_kernel = 0, to_kernel_failed = 0, from_kernel = 0, from_kernel_failed = 0;
};

class ExceptionTaps {
  public:
    // Sends a frame of the kernel's out of a port; may rewrite it. False: could not.
    using Transmit = std::function<bool(lb::PortId, std::span<std::uint8_t>)>;

    // Opens a TAP for each port that names one, gives it the port's MAC and MTU, brings it up and
    // enters its interface index into `ports`. Frames flow after `start`.
    static Result<std::unique_ptr<ExceptionTaps>> open(PortTable& ports, NetlinkRequests& netlink);
    ~ExceptionTaps();

    void start(EventLoop& loop, Transmit transmit);

    // A received frame for the kernel. Without a TAP it is counted as failed.
    void deliver(lb::PortId port, std::span<const std::uint8_t> frame);
    // The NIC's link, shown as the TAP's carrier.
    void set_carrier(lb::PortId port, bool carrier);

    [[nodiscard]] const TapCounters& counters(lb::PortId port) const;

  private:
    ExceptionTaps();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pollux::control
