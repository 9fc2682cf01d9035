// SPDX-License-Identifier: Apache-2.0

// Packets without a flow of their own: control protocols, ICMP, fragments, tunnels to us.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/fragments.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/icmp.h"
#include "dataplane/lb/record_route.h"
#include "dataplane/lb/track.h"

namespace pollux::lb {
namespace {

// A flow's packet with IPv4 options or IPv6 extension headers.
void handle_options(Burst& burst, unsigned at) noexcept {
    PacketContext& context = burst.packet(at);
    take_flow(burst, at);
    const bool admitted = context.packet->verdict == Verdict::Pending;
    if (admitted && context.parsed.is_v4()) record_route(context);
}

}  // namespace

void handle_others(Burst& burst) noexcept {
    for (const std::uint8_t at : burst.memory.others) {
        PacketContext& context = burst.packet(at);
        if (punt_control(burst, context)) continue;
        if (context.parsed.is_fragment()) {
            handle_fragment(burst, at);
        } else if (context.parsed.is_icmp_error()) {
            relate_icmp(burst, at);
        } else if (context.parsed.has_ports()) {
            handle_options(burst, at);
        } else {
            punt_to_host(burst, context);
        }
    }
}

}  // namespace pollux::lb
