// SPDX-License-Identifier: Apache-2.0
#pragma once

// KernelWriter: gives the kernel addresses, routes and rules and takes them away, in order, on a
// thread of its own. A change costs the kernel tens of microseconds, and much more while somebody
// else holds its lock: the control loop, and with it the adverts, must not wait. Control thread.

#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "control/loop/background_work.h"
#include "control/netlink/netlink_requests.h"

namespace pollux::control {

struct KernelChange {
    std::variant<AddressRequest, RouteRequest, RuleRequest> what;
    bool present = false;  // false: remove it
};

class KernelWriter {
  public:
    // One status for each change, from the loop.
    using Done = std::function<void(const std::vector<Status>&)>;

    // Its own socket to the kernel.
    static Result<std::unique_ptr<KernelWriter>> open(EventLoop& loop);

    // After the changes of earlier calls.
    void apply(std::vector<KernelChange> changes, Done done);

    // Whether all changes have been made and answered.
    [[nodiscard]] bool is_idle() const { return thread_.pending() == 0; }

  private:
    KernelWriter(EventLoop& loop, std::unique_ptr<NetlinkRequests> netlink);

    std::unique_ptr<NetlinkRequests> netlink_;  // the thread's
    BackgroundWork thread_;                     // ends first
};

}  // namespace pollux::control
