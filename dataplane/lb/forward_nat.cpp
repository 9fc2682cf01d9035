// SPDX-License-Identifier: Apache-2.0

// Network address translation (LVS: -m, masquerading): towards the server the destination becomes
// the server's address and port, towards the client the source becomes the virtual ones.

#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"

namespace pollux::lb {

void forward_nat(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        replace_end<End::Destination>(
            context, {context.server->address.bytes.data(), context.connection->server_port()});
        send_to_server(burst, context);
    }
}

void forward_nat_reply(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const Connection& connection = *context.connection;
        replace_end<End::Source>(context,
                                 {connection.virtual_bytes().data(), connection.virtual_port()});
        send_to_client(burst, context);
    }
}

}  // namespace pollux::lb
