// SPDX-License-Identifier: Apache-2.0
#pragma once

// The stations whose adverts were heard and believed: their VRRP frames have a ring of their own to
// the control core, which a flood of other VRRP frames cannot fill. Written by the control thread,
// read by workers; a reader in the midst of a change picks the other ring once, which harms nobody.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/mac_address.h"

namespace pollux::dpdk {

class VrrpPeers {
  public:
    // MACs of nodes; virtual MACs (RFC 9568 section 7.3) do not count, there is room for all.
    static constexpr std::size_t kMaxStations = 64;

    // Control thread. Stations beyond the limit stay with the strangers.
    void set(std::span<const net::MacAddress> peers) noexcept;

    [[nodiscard]] bool contains(const net::MacAddress& mac) const noexcept;

  private:
    // Relaxed all through: the entries stand for themselves.
    std::array<std::atomic<std::uint64_t>, kMaxStations> stations_{};  // 0: none; filled from 0 on
    std::array<std::atomic<std::uint64_t>, 8> virtual_{};              // by family and VRID
};

}  // namespace pollux::dpdk
