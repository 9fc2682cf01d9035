// SPDX-License-Identifier: Apache-2.0
#include "control/director/punt_dispatch.h"

namespace pollux::control {

void PuntDispatch::dispatch(const dpdk::PuntedFrame& frame, lb::TimePoint now) {
    ++counts_.at(static_cast<std::size_t>(frame.reason));
    switch (frame.reason) {
        case lb::PuntReason::Vrrp:
            if (on_vrrp) on_vrrp(frame);
            return;
        case lb::PuntReason::Arp:
        case lb::PuntReason::NeighbourDiscovery:
            dispatch_neighbour(frame);
            return;
        case lb::PuntReason::Unresolved:
            next_hops_->forward(frame.bytes, {frame.port, frame.next_hop}, now);
            return;
        case lb::PuntReason::LocalAddress:
            if (on_answer && on_answer(frame.bytes)) return;
            if (!vips_->refuses(frame.bytes)) deliver(frame);
            return;
        case lb::PuntReason::None:
        case lb::PuntReason::Multicast:
        case lb::PuntReason::Routed:
            deliver(frame);
            return;
    }
}

void PuntDispatch::deliver(const dpdk::PuntedFrame& frame) {
    vips_->rewrite_destination(frame.port, frame.bytes);
    taps_->deliver(frame.port, frame.bytes);
}

void PuntDispatch::dispatch_neighbour(const dpdk::PuntedFrame& frame) {
    if (on_claim) {
        if (const auto claim = net::parse_neighbor_claim(frame.bytes)) on_claim(frame.port, *claim);
    }
    if (!vips_->receive(frame.port, frame.bytes)) deliver(frame);
}

}  // namespace pollux::control
