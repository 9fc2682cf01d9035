// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sizes of rings and buffer pools, in one place: a pool is never smaller than all the places where
// its buffers can wait, so that a flood or a stalled port cannot take the last one (threat T-17).

#include <cstdint>

namespace pollux::dpdk {

// Punted frames that may wait for the control core, by worker and kind (decision D12).
inline constexpr std::uint32_t kVrrpPeerRing = 256;
inline constexpr std::uint32_t kVrrpRing = 1024;
inline constexpr std::uint32_t kNeighbourRing = 256;
inline constexpr std::uint32_t kGeneralRing = 1024;

// Frames on their way to the owner of a transmit queue, by sender and port.
inline constexpr std::uint32_t kRelayRing = 256;
inline constexpr std::uint32_t kRelayBatch = 32;

// Punted frames that the control core works on at a time.
inline constexpr std::uint32_t kPuntedFrames = 64;

// The control core's transmit queue of a port, and a receive queue for its frames alone.
inline constexpr std::uint16_t kControlDescriptors = 256;

// Frames that the data plane may hold back itself: parked fragments.
inline constexpr std::uint32_t kParkedFrames = 1024;

// Per-thread caches of the pools: DPDK lets a cache hold 1.5 times its size.
inline constexpr std::uint32_t kDataCache = 256;
inline constexpr std::uint32_t kControlCache = 32;
inline constexpr std::uint32_t cached(std::uint32_t cache, std::uint32_t threads) {
    return threads * (cache + cache / 2);
}

// Room for a frame of a 1500-byte MTU with tags and encapsulation, after 128 bytes of headroom.
inline constexpr std::uint16_t kFrameRoom = 2048;
inline constexpr std::uint16_t kHeadroom = 128;
// Pool header, mbuf, private area and rounding of one buffer, as an upper bound.
inline constexpr std::uint32_t kBufferOverhead = 384;

// Copies of VRRP, ARP and ND frames for the control core.
inline constexpr std::uint32_t punt_pool_size(std::uint32_t workers) {
    return workers * (kVrrpPeerRing + kVrrpRing + kNeighbourRing) +
           cached(kControlCache, workers + 1) + kPuntedFrames;
}
// Frames that the control core sends.
inline constexpr std::uint32_t control_pool_size(std::uint32_t workers, std::uint32_t ports) {
    return ports * (kControlDescriptors + kRelayRing + kRelayBatch) +
           cached(kControlCache, workers + 1) + 256;
}

}  // namespace pollux::dpdk
