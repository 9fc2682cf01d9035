// SPDX-License-Identifier: Apache-2.0
#pragma once

// One worker's way out of one port: its own transmit queue, or a ring to the worker that owns one.
// Collects the frames of a burst; what the port does not take at its end is given back at once,
// so a stalled port holds no buffers and sends nothing stale later (threat T-17).

#include <array>
#include <cstdint>

#include <rte_ethdev.h>

#include "dataplane/dpdk/frame_ring.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/dpdk/punt_info.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::dpdk {

class PortOutput {
  public:
    static constexpr unsigned kCapacity = lb::kMaxBurst + lb::kMaxExtraPackets;

    // `ring` is used when the route has no queue of its own.
    PortOutput(const PortDevice& port, const TransmitRoute& route, FrameRing* ring) noexcept
        : port_(&port),
          device_(port.device()),
          queue_(route.queue.value_or(0)),
          ring_(route.queue ? nullptr : ring) {}

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

    // `packet` stays valid until flush. One burst with its extra packets fits.
    void push(rte_mbuf* frame, const lb::Packet& packet) noexcept {
        frames_[count_] = frame;
        packets_[count_] = &packet;
        ++count_;
    }

    // Sends; calls failed(frame, packet) for each frame that was not taken.
    template <typename Failed>
    void flush(Failed&& failed) noexcept {
        unsigned sent = send(0);
        // A queue whose descriptors just completed takes the rest at the second call.
        if (sent > 0 && sent < count_) sent += send(sent);
        for (unsigned i = sent; i < count_; ++i) failed(frames_[i], *packets_[i]);
        count_ = 0;
    }

  private:
    unsigned send_to_owner(unsigned first, unsigned count) noexcept {
        for (unsigned i = first; i < first + count; ++i) {
            punt_info(*frames_[i]).originated = packets_[i]->originated;
        }
        return ring_->push(&frames_[first], count);
    }
    unsigned send(unsigned first) noexcept {
        if (!port_->usable()) return 0;
        const auto count = static_cast<std::uint16_t>(count_ - first);
        if (ring_ != nullptr) return send_to_owner(first, count);
        return rte_eth_tx_burst(device_, queue_, &frames_[first], count);
    }

    const PortDevice* port_;
    std::uint16_t device_;
    std::uint16_t queue_;
    FrameRing* ring_;
    unsigned count_ = 0;
    std::array<rte_mbuf*, kCapacity> frames_{};
    std::array<const lb::Packet*, kCapacity> packets_{};
};

}  // namespace pollux::dpdk
