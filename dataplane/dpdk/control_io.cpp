// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/control_io.h"

#include <algorithm>
#include <cstring>

#include <rte_cycles.h>
#include <rte_ethdev.h>

namespace pollux::dpdk {
namespace {

// Of the frames of one call: VRRP has the first claim, and no kind starves another.
constexpr unsigned kVrrpPeerShare = 16;
constexpr unsigned kVrrpShare = 16;
constexpr unsigned kNeighbourShare = 16;
constexpr unsigned kGeneralShare = kPuntedFrames - kVrrpPeerShare - kVrrpShare - kNeighbourShare;

}  // namespace

std::span<const PuntedFrame> ControlIo::receive() {
    release_taken();
    take_all_kinds();
    if (taken_ == 0) {
        // Nothing waits: ask for a wake-up, and look again for what came meanwhile.
        bell_->arm();
        if (!all_empty()) {
            bell_->disarm();
            take_all_kinds();
        }
    }
    for (unsigned i = 0; i < taken_; ++i) {
        const PuntInfo& info = punt_info(*frames_[i]);
        punted_[i] = {contiguous(*frames_[i], i), info.port, info.reason, info.next_hop};
    }
    counters_.received += taken_;
    return {punted_.data(), taken_};
}

bool ControlIo::transmit(lb::PortId port, std::span<const std::uint8_t> bytes) {
    const auto index = static_cast<std::size_t>(port);
    // Larger frames would leave as a chain of buffers that the port was not set up for.
    const bool possible = index < exits_.size() && exits_[index].port->usable() && !bytes.empty() &&
                          bytes.size() <= exits_[index].port->largest_frame();
    if (possible) {
        rte_mbuf* frame = build(bytes);
        if (frame == nullptr) {
            ++counters_.no_buffer;
            return false;
        }
        if (send(exits_[index], frame)) {
            ++counters_.transmitted;
            return true;
        }
        rte_pktmbuf_free(frame);
    }
    ++counters_.transmit_failed;
    return false;
}

void ControlIo::release_taken() {
    rte_pktmbuf_free_bulk(frames_.data(), taken_);
    taken_ = 0;
}

void ControlIo::take_all_kinds() {
    take(PuntKind::VrrpPeer, kVrrpPeerShare);
    take(PuntKind::Vrrp, kVrrpShare);
    take(PuntKind::Neighbour, kNeighbourShare);
    take(PuntKind::General, kGeneralShare);
    // What one kind left is for the others.
    take(PuntKind::VrrpPeer, kPuntedFrames);
    take(PuntKind::Vrrp, kPuntedFrames);
    take(PuntKind::Neighbour, kPuntedFrames);
    take(PuntKind::General, kPuntedFrames);
    next_queue_ = (next_queue_ + 1) % static_cast<unsigned>(queues_.size());
}

void ControlIo::take(PuntKind kind, unsigned most) {
    unsigned left = std::min(most, kPuntedFrames - taken_);
    for (std::size_t i = 0; i < queues_.size() && left > 0; ++i) {
        PuntQueue& queue = *queues_[(next_queue_ + i) % queues_.size()];
        const unsigned count = queue.pop(kind, &frames_[taken_], left);
        taken_ += count;
        left -= count;
    }
}

bool ControlIo::all_empty() const {
    return std::all_of(queues_.begin(), queues_.end(),
                       [](const PuntQueue* queue) { return queue->empty(); });
}

std::span<std::uint8_t> ControlIo::contiguous(rte_mbuf& frame, std::size_t slot) {
    if (frame.next == nullptr) return {rte_pktmbuf_mtod(&frame, std::uint8_t*), frame.data_len};
    std::vector<std::uint8_t>& joined = joined_[slot];
    joined.resize(frame.pkt_len);
    std::size_t offset = 0;
    for (const rte_mbuf* segment = &frame; segment != nullptr; segment = segment->next) {
        std::memcpy(&joined[offset], rte_pktmbuf_mtod(segment, const void*), segment->data_len);
        offset += segment->data_len;
    }
    return joined;
}

// A frame that is larger than a buffer becomes a chain of them.
rte_mbuf* ControlIo::build(std::span<const std::uint8_t> bytes) {
    rte_mbuf* first = nullptr;
    rte_mbuf* last = nullptr;
    while (!bytes.empty()) {
        rte_mbuf* segment = rte_pktmbuf_alloc(pool_);
        if (segment == nullptr) {
            rte_pktmbuf_free(first);
            return nullptr;
        }
        const std::size_t room = rte_pktmbuf_tailroom(segment);
        const auto size = static_cast<std::uint16_t>(std::min(room, bytes.size()));
        std::memcpy(rte_pktmbuf_append(segment, size), bytes.data(), size);
        bytes = bytes.subspan(size);
        if (first == nullptr) {
            first = last = segment;
            continue;
        }
        last->next = segment;
        last = segment;
        ++first->nb_segs;
        first->pkt_len += size;
    }
    return first;
}

bool ControlIo::send(const Exit& exit, rte_mbuf* frame) {
    const QueuePlan& plan = exit.port->plan();
    if (plan.control_transmit.queue || !workers_running_) {
        const std::uint16_t queue = plan.control_transmit.queue.value_or(0);
        return rte_eth_tx_burst(exit.port->device(), queue, &frame, 1) == 1;
    }
    punt_info(*frame).stamp = rte_rdtsc();
    return exit.ring->push(&frame, 1) == 1;
}

}  // namespace pollux::dpdk
