// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/packet_adapter.h"

#include "dataplane/dpdk/buffer_sizes.h"

namespace pollux::dpdk {

static_assert(kHeadroom == RTE_PKTMBUF_HEADROOM);

void trim_segments(rte_mbuf& frame, std::uint32_t rest) noexcept {
    rte_mbuf* last = &frame;
    std::uint16_t segments = 1;
    while (rest > 0 && last->next != nullptr) {
        last = last->next;
        ++segments;
        if (last->data_len > rest) last->data_len = static_cast<std::uint16_t>(rest);
        rest -= last->data_len;
    }
    assert(rest == 0);  // a frame can lose its tail, not gain one
    if (last->next != nullptr) rte_pktmbuf_free(last->next);
    last->next = nullptr;
    frame.nb_segs = segments;
}

lb::Packet allocate_packet(rte_mempool& pool) noexcept {
    lb::Packet packet;
    rte_mbuf* frame = rte_pktmbuf_alloc(&pool);
    if (frame == nullptr) return packet;
    packet.data = rte_pktmbuf_mtod(frame, std::uint8_t*);
    packet.headroom = rte_pktmbuf_headroom(frame);
    packet.tailroom = rte_pktmbuf_tailroom(frame);
    packet.cookie = frame;
    return packet;
}

}  // namespace pollux::dpdk
