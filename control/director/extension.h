// SPDX-License-Identifier: Apache-2.0
#pragma once

// Extension: a component that lives on the Director (the VRRP runner, the health checks). The
// Director calls these from its loop; what an extension does not care about it leaves as it is.
// Control thread.

#include "control/config/config.h"
#include "control/director/reload_plan.h"
#include "control/tap/port_table.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/net/neighbor_frames.h"
#include "dataplane/net/result.h"

namespace pollux::control {

class Extension {
  public:
    Extension() = default;
    Extension(const Extension&) = delete;
    Extension& operator=(const Extension&) = delete;
    virtual ~Extension() = default;

    // A reload wants this. An error refuses it; nothing may change yet.
    virtual Status check(const ReloadPlan& /*next*/) { return ok_status(); }
    // The reload has happened: Director::config() is next.config. What did not change keeps its
    // state. Many things at once are to be done in several turns of the loop.
    virtual void reloaded(const Config& /*before*/, const ReloadPlan& /*next*/) {}
    // The daemon stops: last frames may be sent, addresses given up.
    virtual void stopping() {}
    // Whether nothing is left that the end should wait for (it waits a few seconds at most). Asked
    // after stopping().
    [[nodiscard]] virtual bool finished() const { return true; }

    // A packet of IP protocol 112.
    virtual void vrrp_frame(const dpdk::PuntedFrame& /*frame*/) {}
    // Somebody on the port's link claims an address.
    virtual void neighbor_claim(lb::PortId /*port*/, const net::NeighborClaim& /*claim*/) {}
    // The kernel has all virtual addresses as it should have them.
    virtual void vips_settled() {}
    // The port's link went up or down.
    virtual void link_changed(const ControlPort& /*port*/) {}
};

}  // namespace pollux::control
