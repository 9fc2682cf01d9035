// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opening a connection: which service, which real server, and into the table. Internal to
// dataplane/lb.

#include "dataplane/lb/burst.h"
#include "dataplane/lb/connection.h"
#include "dataplane/lb/flow_key.h"
#include "dataplane/lb/snapshot.h"

namespace pollux::lb {

// What a packet, or the packet that an ICMP error quotes, asks for: client -> virtual address.
struct ConnectionRequest {
    FlowKey key;
    ServiceId service = kNoService;
    std::uint32_t fwmark = 0;
};

// The real server for it and how it was bound.
struct Binding {
    RealServerId server = kNoRealServer;
    net::Be16 server_port;
    TemplateIndex persistence = kNoTemplate;
};

enum class BindStatus : std::uint8_t {
    Bound,
    NoServer,      // nobody to give it to: the client is told
    TemplateFull,  // no room for a persistence template
};

// Finds the service of the key by mark, address and port.
[[nodiscard]] ConnectionRequest request_for(Burst& burst, const FlowKey& key) noexcept;

// Asks the scheduler.
BindStatus bind_by_scheduler(Burst& burst, const ConnectionRequest& request,
                             Binding& binding) noexcept;

// Asks the service's persistence first (LVS: ip_vs_sched_persist).
BindStatus bind_by_template(Burst& burst, const ConnectionRequest& request,
                            Binding& binding) noexcept;

// schedule_icmp: opens a connection for the packet that an ICMP error quotes, in LVS's first state
// and for its three seconds. Found: another connection that holds the tuple already. Neither that
// nor a verdict: context.connection is the new one.
[[nodiscard]] FoundConnection establish_quoted(Burst& burst, unsigned at,
                                               const ConnectionRequest& request) noexcept;

}  // namespace pollux::lb
