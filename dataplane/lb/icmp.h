// SPDX-License-Identifier: Apache-2.0
#pragma once

// ICMP and ICMPv6 errors about tracked connections. Internal to dataplane/lb.

#include "dataplane/lb/burst.h"

namespace pollux::lb {

// Precondition: the packet is an ICMP error, whole or a first fragment. One about a connection
// follows it to the server or to the client, the packet that it quotes rewritten as if it had gone
// that way; it changes nothing about the connection. One about a tunnel packet of ours is told to
// the client. schedule_icmp opens a connection for one about an unknown flow. Others go to the
// kernel or are dropped.
void relate_icmp(Burst& burst, unsigned at) noexcept;

}  // namespace pollux::lb
