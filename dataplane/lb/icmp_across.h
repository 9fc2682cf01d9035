// SPDX-License-Identifier: Apache-2.0
#pragma once

// ICMP errors about FullNAT connections between the families. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/connection.h"
#include "dataplane/net/parsed_packet.h"

namespace pollux::lb {

// Makes the error one of the other family (RFC 7915 sections 4.2 and 5.2), about the packet as its
// sender knows it, and sends it on. `direction`: to the server, or (Reply) to the client.
// Preconditions: context.connection is set, and context.server of an error to the server; `quoted`
// is what the error quotes.
void relate_across(Burst& burst, unsigned at, const net::QuotedPacket& quoted,
                   Direction direction) noexcept;

}  // namespace pollux::lb
