// SPDX-License-Identifier: Apache-2.0
#pragma once

// The owner's side of a ring to a transmit queue: sends what another worker or the control core
// queued. Takes no more from the ring while the queue is stalled; what does not fit into the ring
// then, the sender counts. The owning worker's, but for discard_all.

#include <array>
#include <cstdint>

#include <rte_ethdev.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/burst_processor.h"
#include "dataplane/dpdk/frame_ring.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/lb/counter.h"

namespace pollux::dpdk {

struct RelaySource {
    FrameRing* ring = nullptr;
    // The worker that queues: is told of frames that are never sent. nullptr: the control core.
    const BurstProcessor* sender = nullptr;
    // The control core's frames only: those that waited longer are not sent, as an old VRRP
    // advertisement would claim a role that this node may have given up. 0: no limit.
    std::uint64_t most_ticks = 0;
    lb::Counter* expired = nullptr;
};

class Relay {
  public:
    Relay(const PortDevice& port, lb::PortId id, std::uint16_t queue,
          const RelaySource& source) noexcept
        : port_(&port), source_(source), id_(id), queue_(queue) {}
    Relay(Relay&& other) noexcept;
    Relay& operator=(Relay&&) = delete;
    ~Relay() { rte_pktmbuf_free_bulk(held_.data(), count_); }

    // Returns how many frames it sent or discarded.
    unsigned step(std::uint64_t now_ticks) noexcept {
        if (count_ == 0) count_ = source_.ring->pop(held_.data(), kRelayBatch);
        if (count_ == 0) return 0;
        return send(now_ticks);
    }

    // Gives up all that still waits. Control thread, when neither owner nor sender runs.
    void discard_all() noexcept;

  private:
    unsigned send(std::uint64_t now_ticks) noexcept;
    void discard_old(std::uint64_t now_ticks) noexcept;
    void give_up(rte_mbuf* frame) noexcept;

    const PortDevice* port_;
    RelaySource source_;
    lb::PortId id_;
    std::uint16_t queue_;
    unsigned count_ = 0;
    std::array<rte_mbuf*, kRelayBatch> held_{};
};

}  // namespace pollux::dpdk
