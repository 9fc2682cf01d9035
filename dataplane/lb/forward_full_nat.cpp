// SPDX-License-Identifier: Apache-2.0

// Full network address translation (LVS's FullNAT patch): both ends are replaced, so that the
// server answers to one of our local addresses and may stand anywhere. It learns the client from
// the TCP option TOA (sysctl fullnat_toa).

#include "dataplane/lb/forwarding.h"
#include "dataplane/lb/rewrite.h"
#include "dataplane/lb/send.h"

namespace pollux::lb {

void forward_full_nat(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const Connection& connection = *context.connection;
        const AddressRecord& local =
            burst.worker.shared.local_addresses[index(connection.local_address())];
        replace_both(context, {{local.bytes.data(), connection.local_port()},
                               {context.server->address.bytes.data(), connection.server_port()}});
        send_to_server(burst, context);
    }
}

void forward_full_nat_reply(Burst& burst, const PacketList& list) noexcept {
    for (const std::uint8_t at : list) {
        PacketContext& context = burst.packet(at);
        const Connection& connection = *context.connection;
        replace_both(context, {{connection.virtual_bytes().data(), connection.virtual_port()},
                               {connection.client_bytes().data(), connection.client_port()}});
        send_to_client(burst, context);
    }
}

}  // namespace pollux::lb
