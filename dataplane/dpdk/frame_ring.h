// SPDX-License-Identifier: Apache-2.0
#pragma once

// A bounded queue of frames from one thread to one other: neither ever waits for the other, also
// when they share a CPU and one is preempted in the middle.

#include <cstdint>
#include <memory>
#include <string>

#include <rte_mbuf.h>
#include <rte_ring.h>

namespace pollux::dpdk {

class FrameRing {
  public:
    FrameRing() = default;
    // `name` is unique in the process. ok() is false when there is no memory.
    FrameRing(const std::string& name, std::uint32_t capacity, int node)
        : ring_(rte_ring_create(name.c_str(), capacity, node,
                                RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ)) {}

    [[nodiscard]] bool ok() const noexcept { return ring_ != nullptr; }

    // The sender's. Returns how many frames of the front fit.
    unsigned push(rte_mbuf** frames, unsigned count) noexcept {
        return rte_ring_sp_enqueue_burst(ring_.get(), reinterpret_cast<void**>(frames), count,
                                         nullptr);
    }
    // The receiver's.
    unsigned pop(rte_mbuf** frames, unsigned most) noexcept {
        return rte_ring_sc_dequeue_burst(ring_.get(), reinterpret_cast<void**>(frames), most,
                                         nullptr);
    }
    [[nodiscard]] bool empty() const noexcept { return rte_ring_empty(ring_.get()) != 0; }

  private:
    struct Free {
        // Both threads are at rest by now.
        void operator()(rte_ring* ring) const noexcept {
            for (void* frame = nullptr; rte_ring_sc_dequeue(ring, &frame) == 0;) {
                rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
            }
            rte_ring_free(ring);
        }
    };
    std::unique_ptr<rte_ring, Free> ring_;
};

}  // namespace pollux::dpdk
