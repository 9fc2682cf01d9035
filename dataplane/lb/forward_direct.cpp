// SPDX-License-Identifier: Apache-2.0

// Direct routing (LVS: -g, gatewaying): the server has the virtual address itself, so only the MAC
// addresses and the TTL change. The server answers the client directly.

#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"

namespace pollux::lb {

void forward_direct(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        decrement_ttl(context);
        send_to_server(burst, context);
    }
}

}  // namespace pollux::lb
