// SPDX-License-Identifier: Apache-2.0
#pragma once

// mbuf <-> lb::Packet. A burst of mbufs becomes a burst of views; after the verdicts only what the
// data plane changed is written back. The worker that owns the mbufs.

#include <cassert>
#include <cstdint>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dataplane/lb/packet.h"

namespace pollux::dpdk {

inline std::uint16_t offload_flags(std::uint64_t flags) noexcept {
    using lb::OffloadFlags;
    std::uint16_t offload = 0;
    const std::uint64_t ip = flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    const std::uint64_t l4 = flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD) offload |= OffloadFlags::kRxIpChecksumGood;
    if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD) offload |= OffloadFlags::kRxIpChecksumBad;
    if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD) offload |= OffloadFlags::kRxL4ChecksumGood;
    if (l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD) offload |= OffloadFlags::kRxL4ChecksumBad;
    if ((flags & RTE_MBUF_F_RX_RSS_HASH) != 0) offload |= OffloadFlags::kRxHashValid;
    return offload;
}

// Bytes that may be written behind the first segment: none when another segment follows.
inline std::uint16_t writable_tail(const rte_mbuf& frame) noexcept {
    return frame.next == nullptr ? rte_pktmbuf_tailroom(&frame) : std::uint16_t{0};
}

// Fills `packet` from a received frame. A VLAN tag that the driver took out is put back, so that
// the data plane sees what was on the wire. Returns the frame; nullptr: freed, as a tag found no
// room (the driver counts nothing then; such a driver has no headroom at all).
inline rte_mbuf* fill_packet(lb::Packet& packet, rte_mbuf* frame, lb::PortId port) noexcept {
    if ((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 && rte_vlan_insert(&frame) != 0) {
        rte_pktmbuf_free(frame);
        return nullptr;
    }
    packet = lb::Packet{};
    packet.data = rte_pktmbuf_mtod(frame, std::uint8_t*);
    packet.length = frame->data_len;
    packet.frame_length = frame->pkt_len;
    packet.headroom = rte_pktmbuf_headroom(frame);
    packet.tailroom = writable_tail(*frame);
    packet.port = port;
    packet.offload = offload_flags(frame->ol_flags);
    packet.rss_hash = frame->hash.rss;
    packet.cookie = frame;
    rte_prefetch0(packet.data);
    return frame;
}

// Cuts the segments behind the first down to `rest` bytes in all.
void trim_segments(rte_mbuf& frame, std::uint32_t rest) noexcept;

// Carries a changed start, length or tail of `packet` over to its mbuf.
inline void write_back(const lb::Packet& packet, rte_mbuf& frame) noexcept {
    assert(packet.frame_length >= packet.length);
    const auto offset =
        static_cast<std::uint16_t>(packet.data - static_cast<std::uint8_t*>(frame.buf_addr));
    if (offset == frame.data_off && packet.length == frame.data_len &&
        packet.frame_length == frame.pkt_len) {
        return;
    }
    const std::uint32_t rest = packet.frame_length - packet.length;
    if (rest != frame.pkt_len - frame.data_len) trim_segments(frame, rest);
    assert(offset + packet.length <= frame.buf_len);
    frame.data_off = offset;
    frame.data_len = static_cast<std::uint16_t>(packet.length);
    frame.pkt_len = packet.frame_length;
}

// A buffer from `pool` as an empty packet (lb::PacketSource): data == nullptr when none is left.
lb::Packet allocate_packet(rte_mempool& pool) noexcept;

}  // namespace pollux::dpdk
