// SPDX-License-Identifier: Apache-2.0
#pragma once

// Our own ICMP and ICMPv6 errors, made in place of the packet they are about: the packet counts as
// dropped for the reason that the answer tells, the answer as originated. They come from the
// address that the packet was sent to, if it is ours, and are limited in rate. Internal to
// dataplane/lb. The packet must be unchanged but for its TTL.

#include <cstdint>

#include "dataplane/lb/burst.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"

namespace pollux::lb {

// Time exceeded, hop limit exceeded.
void answer_ttl_exceeded(Burst& burst, PacketContext& context) noexcept;

// Port unreachable: the service has nobody to give the connection to.
void answer_no_server(Burst& burst, PacketContext& context) noexcept;

// Port unreachable, to a NAT server: its packet belongs to no connection (nat_icmp_send).
void answer_no_connection(Burst& burst, PacketContext& context) noexcept;

// Fragmentation needed, packet too big. `mtu`: what would have fitted.
void answer_too_big(Burst& burst, PacketContext& context, std::uint16_t mtu) noexcept;

// What an ICMP error about a tunnel packet means for the packet inside, of either family.
struct TunnelNews {
    std::uint8_t type_v4, code_v4;
    std::uint8_t type_v6, code_v6;
    bool is_too_big = false;
    std::uint16_t mtu = 0;  // too big: what would have fitted

    static constexpr TunnelNews too_big(std::uint16_t mtu) noexcept {
        return {net::kIcmpDestinationUnreachable,
                net::kIcmpFragmentationNeeded,
                net::kIcmpv6PacketTooBig,
                0,
                true,
                mtu};
    }
};
// Tells the sender of the packet that was inside the tunnel. Precondition: the context's packet is
// that packet, as far as it was quoted.
void answer_tunnel_error(Burst& burst, PacketContext& context, const TunnelNews& news) noexcept;
// The connection's server is gone: a TCP reset to the client, as from the server. Not limited in
// rate: the connection ends with it.
void answer_with_reset(Burst& burst, PacketContext& context) noexcept;

}  // namespace pollux::lb
