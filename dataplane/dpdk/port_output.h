// SPDX-License-Identifier: Apache-2.0
#pragma once

// One worker's way out of one port: its own transmit queue, or a ring to the worker that owns one.
// Collects the frames of a burst; what the port does not take at its end is given back at once,
// so a stalled port holds no buffers and sends nothing stale later (threat T-17).

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <rte_ethdev.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/frame_ring.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/dpdk/punt_info.h"
#include "dataplane/lb/counter.h"
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
    unsigned send(unsigned first) noexcept {
        if (!port_->usable()) return 0;
        const auto count = static_cast<std::uint16_t>(count_ - first);
        if (ring_ != nullptr) return ring_->push(&frames_[first], count);
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

// The owner's side of such a ring: sends what another worker or the control core queued. Takes no
// more from the ring while the queue is stalled; the sender counts what does not fit.
class Relay {
  public:
    // Frames of the control core that waited longer than `most_ticks` are not sent: an old VRRP
    // advertisement would claim a role that this node may have given up. 0: no limit.
    Relay(const PortDevice& port, std::uint16_t queue, FrameRing& ring, std::uint64_t most_ticks,
          lb::Counter& expired) noexcept
        : port_(&port), ring_(&ring), queue_(queue), most_ticks_(most_ticks), expired_(&expired) {}
    Relay(Relay&& other) noexcept
        : port_(other.port_),
          ring_(other.ring_),
          queue_(other.queue_),
          count_(std::exchange(other.count_, 0)),
          most_ticks_(other.most_ticks_),
          held_(other.held_),
          expired_(other.expired_) {}
    Relay& operator=(Relay&&) = delete;
    ~Relay() { rte_pktmbuf_free_bulk(held_.data(), count_); }

    // Returns how many frames it sent or discarded.
    unsigned step(std::uint64_t now_ticks) noexcept {
        if (count_ == 0) count_ = ring_->pop(held_.data(), kRelayBatch);
        if (count_ == 0) return 0;
        const unsigned before = count_;
        if (most_ticks_ != 0) discard_old(now_ticks);
        unsigned sent = 0;
        if (count_ > 0 && port_->usable()) {
            sent = rte_eth_tx_burst(port_->device(), queue_, held_.data(),
                                    static_cast<std::uint16_t>(count_));
        }
        count_ -= sent;
        std::copy_n(held_.begin() + sent, count_, held_.begin());
        return before - count_;
    }

  private:
    void discard_old(std::uint64_t now_ticks) noexcept {
        unsigned kept = 0;
        for (unsigned i = 0; i < count_; ++i) {
            if (now_ticks - punt_info(*held_[i]).stamp > most_ticks_) {
                rte_pktmbuf_free(held_[i]);
            } else {
                held_[kept++] = held_[i];
            }
        }
        expired_->add(count_ - kept);
        count_ = kept;
    }

    const PortDevice* port_;
    FrameRing* ring_;
    std::uint16_t queue_;
    unsigned count_ = 0;
    std::uint64_t most_ticks_;
    std::array<rte_mbuf*, kRelayBatch> held_{};
    lb::Counter* expired_;
};

}  // namespace pollux::dpdk
