// SPDX-License-Identifier: Apache-2.0

// Packets without a flow of their own: control protocols, ICMP, fragments, tunnels to us.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/fragments.h"
#include "dataplane/lb/host.h"
#include "dataplane/lb/icmp.h"

namespace pollux::lb {

void handle_others(Burst& burst) noexcept {
    for (const std::uint8_t at : burst.memory.others) {
        PacketContext& context = burst.packet(at);
        if (punt_control(burst, context)) continue;
        if (context.parsed.is_fragment()) {
            handle_fragment(burst, at);
        } else if (context.parsed.is_icmp_error()) {
            relate_icmp(burst, at);
        } else {
            punt_to_host(burst, context);
        }
    }
}

}  // namespace pollux::lb
