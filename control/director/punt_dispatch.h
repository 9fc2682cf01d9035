// SPDX-License-Identifier: Apache-2.0
#pragma once

// PuntDispatch: where each frame goes that the workers handed to the control core. Control thread.

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "control/nexthop/next_hops.h"
#include "control/tap/exception_taps.h"
#include "control/vip/vip_owner.h"
#include "dataplane/dpdk/runtime.h"
#include "dataplane/net/neighbor_frames.h"

namespace pollux::control {

class PuntDispatch {
  public:
    // All references outlive this object.
    PuntDispatch(ExceptionTaps& taps, VipOwner& vips, NextHops& next_hops)
        : taps_(&taps), vips_(&vips), next_hops_(&next_hops) {}

    // An IP protocol 112 packet, for the VRRP runner.
    std::function<void(const dpdk::PuntedFrame&)> on_vrrp;
    // Somebody on a link says that an address is theirs; asked before the frame goes on.
    std::function<void(lb::PortId, const net::NeighborClaim&)> on_claim;

    // Whether a frame to an address of this node answers a check that went through a service; then
    // it is dealt with.
    std::function<bool(std::span<std::uint8_t>)> on_answer;

    void dispatch(const dpdk::PuntedFrame& frame, lb::TimePoint now);

    [[nodiscard]] std::uint64_t count(lb::PuntReason reason) const {
        return counts_.at(static_cast<std::size_t>(reason));
    }

  private:
    void deliver(const dpdk::PuntedFrame& frame);
    void dispatch_neighbour(const dpdk::PuntedFrame& frame);

    ExceptionTaps* taps_;
    VipOwner* vips_;
    NextHops* next_hops_;
    std::array<std::uint64_t, lb::kPuntReasonCount> counts_{};
};

}  // namespace pollux::control
