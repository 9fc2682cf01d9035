// SPDX-License-Identifier: Apache-2.0
#pragma once

// The way from a worker to the control core (decision D12): a ring for each kind, so that a flood
// of one fills only its own. VRRP frames of known peers are a kind of their own: forged ones from
// other stations must not push them out. VRRP, ARP and ND frames travel as copies in buffers of a
// pool that data frames cannot exhaust. One worker pushes, the control thread pops.

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/dpdk/frame_ring.h"
#include "dataplane/dpdk/punt_info.h"
#include "dataplane/dpdk/vrrp_peers.h"
#include "dataplane/lb/packet.h"

namespace pollux::dpdk {

enum class PuntKind : std::uint8_t { VrrpPeer, Vrrp, Neighbour, General };
inline constexpr unsigned kPuntKinds = 4;

// Never VrrpPeer: that is known by the frame only.
PuntKind punt_kind(lb::PuntReason reason) noexcept;

// Wakes the control thread out of its poll without a system call per frame: a worker writes the
// event file only when the control thread has said that it found nothing.
class PuntBell {
  public:
    PuntBell();
    PuntBell(const PuntBell&) = delete;
    PuntBell& operator=(const PuntBell&) = delete;
    ~PuntBell();

    [[nodiscard]] int fd() const noexcept { return fd_; }

    // Workers, after pushing.
    void ring() noexcept {
        // Pairs with the fence in arm(): either the control thread sees the frame that we pushed,
        // or we see that it waits.
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (armed_.load(std::memory_order_relaxed) &&
            armed_.exchange(false, std::memory_order_relaxed)) {
            write_event();
        }
    }

    // Control thread: from now on a push makes the file readable. Look at the rings once more
    // afterwards, and disarm() if one is not empty.
    void arm() noexcept;
    void disarm() noexcept;

  private:
    void write_event() noexcept;

    int fd_;
    std::atomic<bool> armed_{true};
};

class PuntQueue {
  public:
    // `copies` is the pool for VRRP, ARP and ND frames.
    PuntQueue(unsigned worker, rte_mempool& copies, PuntBell& bell, int node);

    // Before the worker starts. `peers` outlives the queue; without it nobody is known.
    void know(const VrrpPeers& peers) noexcept { peers_ = &peers; }

    [[nodiscard]] bool ok() const noexcept;

    // Worker: hands the frame over. False: no room, the frame is still the caller's.
    bool push(rte_mbuf* frame, const lb::Packet& packet) noexcept;
    // Worker, at the end of a burst: wakes the control thread if something was pushed.
    void finish_burst() noexcept;

    // Control thread.
    unsigned pop(PuntKind kind, rte_mbuf** frames, unsigned most) noexcept;
    [[nodiscard]] bool empty() const noexcept;

  private:
    [[nodiscard]] rte_mbuf* copy(const rte_mbuf& frame) noexcept;
    [[nodiscard]] bool is_from_peer(const rte_mbuf& frame) const noexcept;
    FrameRing& ring(PuntKind kind) noexcept { return rings_[static_cast<unsigned>(kind)]; }

    std::array<FrameRing, kPuntKinds> rings_;
    rte_mempool* copies_;
    PuntBell* bell_;
    const VrrpPeers* peers_ = nullptr;
    bool pushed_ = false;
};

}  // namespace pollux::dpdk
