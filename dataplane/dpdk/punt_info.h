// SPDX-License-Identifier: Apache-2.0
#pragma once

// What travels with a frame between threads, in the private area of its mbuf. Written by the
// thread that hands the frame over, read by the one that takes it.

#include <cstdint>
#include <type_traits>

#include <rte_mbuf.h>

#include "dataplane/lb/packet.h"

namespace pollux::dpdk {

struct PuntInfo {
    std::uint64_t stamp = 0;  // relayed: TSC when the control core queued it
    lb::PortId port = lb::kNoPort;
    lb::PuntReason reason = lb::PuntReason::None;
    bool originated = false;  // relayed: lb::Packet::originated
    net::IpAddress next_hop;
};
static_assert(sizeof(PuntInfo) <= 32 && std::is_trivially_copyable_v<PuntInfo>);

// Every pool of ours has this private area.
inline constexpr std::uint16_t kPrivateSize = 32;
static_assert(kPrivateSize % RTE_MBUF_PRIV_ALIGN == 0);

inline PuntInfo& punt_info(rte_mbuf& frame) noexcept {
    return *static_cast<PuntInfo*>(rte_mbuf_to_priv(&frame));
}

}  // namespace pollux::dpdk
