// SPDX-License-Identifier: Apache-2.0
#pragma once

// AddressWriter: gives interfaces of the kernel addresses and takes them away, in order, on a
// thread of its own. A change costs the kernel tens of microseconds, and much more while somebody
// else holds its lock: the control loop, and with it the adverts, must not wait. Control thread.

#include <functional>
#include <memory>
#include <vector>

#include "control/loop/background_work.h"
#include "control/netlink/netlink_requests.h"

namespace pollux::control {

struct AddressChange {
    AddressRequest request;
    bool present = false;  // false: remove it
};

class AddressWriter {
  public:
    // One status for each change, from the loop.
    using Done = std::function<void(const std::vector<Status>&)>;

    // Its own socket to the kernel.
    static Result<std::unique_ptr<AddressWriter>> open(EventLoop& loop);

    // After the changes of earlier calls.
    void apply(std::vector<AddressChange> changes, Done done);

  private:
    AddressWriter(EventLoop& loop, std::unique_ptr<NetlinkRequests> netlink);

    std::unique_ptr<NetlinkRequests> netlink_;  // the thread's
    BackgroundWork thread_;                     // ends first
};

}  // namespace pollux::control
