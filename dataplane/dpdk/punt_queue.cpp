// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/punt_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/net/ethernet.h"

namespace pollux::dpdk {

PuntKind punt_kind(lb::PuntReason reason) noexcept {
    switch (reason) {
        case lb::PuntReason::Vrrp:
            return PuntKind::Vrrp;
        case lb::PuntReason::Arp:
        case lb::PuntReason::NeighbourDiscovery:
            return PuntKind::Neighbour;
        case lb::PuntReason::None:
        case lb::PuntReason::LocalAddress:
        case lb::PuntReason::Multicast:
        case lb::PuntReason::Routed:
        case lb::PuntReason::Unresolved:
            return PuntKind::General;
    }
    return PuntKind::General;
}

PuntBell::PuntBell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    assert(fd_ >= 0);
}

PuntBell::~PuntBell() {
    close(fd_);
}

void PuntBell::arm() noexcept {
    std::uint64_t count = 0;
    // Empty (EAGAIN) unless a worker rang since the last time.
    [[maybe_unused]] const ssize_t size = read(fd_, &count, sizeof count);
    armed_.store(true, std::memory_order_relaxed);
    // Pairs with the fence in ring().
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

void PuntBell::disarm() noexcept {
    // A worker that was faster has written the file already.
    if (armed_.exchange(false, std::memory_order_relaxed)) write_event();
}

void PuntBell::write_event() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t size = write(fd_, &one, sizeof one);
}

PuntQueue::PuntQueue(unsigned worker, rte_mempool& copies, PuntBell& bell, int node)
    : copies_(&copies), bell_(&bell) {
    constexpr std::array<std::uint32_t, kPuntKinds> kSizes{kVrrpPeerRing, kVrrpRing, kNeighbourRing,
                                                           kGeneralRing};
    for (unsigned kind = 0; kind < kPuntKinds; ++kind) {
        rings_[kind] =
            FrameRing("pollux_punt_" + std::to_string(worker) + "_" + std::to_string(kind),
                      kSizes[kind], node);
    }
}

bool PuntQueue::ok() const noexcept {
    return std::all_of(rings_.begin(), rings_.end(),
                       [](const FrameRing& ring) { return ring.ok(); });
}

bool PuntQueue::push(rte_mbuf* frame, const lb::Packet& packet) noexcept {
    PuntKind kind = punt_kind(packet.punt_reason);
    rte_mbuf* carried = frame;
    if (kind != PuntKind::General) {
        // VRRP, ARP and ND frames are never larger than a buffer; a forged one waits its turn.
        if (frame->pkt_len > kFrameRoom) {
            kind = PuntKind::General;
        } else {
            carried = copy(*frame);
            if (carried == nullptr) return false;
            if (kind == PuntKind::Vrrp && is_from_peer(*carried)) kind = PuntKind::VrrpPeer;
        }
    }
    PuntInfo& info = punt_info(*carried);
    info.port = packet.port;
    info.reason = packet.punt_reason;
    info.next_hop = packet.next_hop;
    if (ring(kind).push(&carried, 1) == 0) {
        if (carried != frame) rte_pktmbuf_free(carried);
        return false;
    }
    if (carried != frame) rte_pktmbuf_free(frame);
    pushed_ = true;
    return true;
}

void PuntQueue::finish_burst() noexcept {
    if (!pushed_) return;
    pushed_ = false;
    bell_->ring();
}

unsigned PuntQueue::pop(PuntKind kind, rte_mbuf** frames, unsigned most) noexcept {
    return ring(kind).pop(frames, most);
}

bool PuntQueue::empty() const noexcept {
    return std::all_of(rings_.begin(), rings_.end(),
                       [](const FrameRing& ring) { return ring.empty(); });
}

bool PuntQueue::is_from_peer(const rte_mbuf& frame) const noexcept {
    if (peers_ == nullptr || frame.data_len < sizeof(net::EthernetHeader)) return false;
    const auto* bytes = rte_pktmbuf_mtod(&frame, const std::uint8_t*);
    return peers_->contains(net::header_in<net::EthernetHeader>(bytes).source);
}

rte_mbuf* PuntQueue::copy(const rte_mbuf& frame) noexcept {
    rte_mbuf* copied = rte_pktmbuf_alloc(copies_);
    if (copied == nullptr) return nullptr;
    char* target = rte_pktmbuf_append(copied, static_cast<std::uint16_t>(frame.pkt_len));
    const void* source = rte_pktmbuf_read(&frame, 0, frame.pkt_len, target);
    if (source != target) std::memcpy(target, source, frame.pkt_len);
    return copied;
}

}  // namespace pollux::dpdk
