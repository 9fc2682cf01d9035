// SPDX-License-Identifier: Apache-2.0
#pragma once

// The frame that tells the neighbours where an address lives now: gratuitous ARP (RFC 5227) or
// unsolicited neighbour advertisement (RFC 4861 section 7.2.6). Pure; any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::vrrp {

inline constexpr std::size_t kMaxAnnounceFrame = 86;

struct AnnounceFrame {
    std::array<std::uint8_t, kMaxAnnounceFrame> storage{};
    std::size_t length = 0;

    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
        return std::span(storage).first(length);
    }
};

// IPv4: an ARP request for the address by its owner, broadcast, as keepalived sends it.
// IPv6: from the address itself to all nodes, override set; `is_router` sets the R flag, which
// RFC 9568 section 6.4.2 asks of a router and a host that forwards nothing must not claim.
[[nodiscard]] AnnounceFrame announce_frame(const net::IpAddress& address,
                                           const net::MacAddress& mac, bool is_router) noexcept;

}  // namespace pollux::vrrp
