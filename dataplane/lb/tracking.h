// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connection tracking as pure functions: what a packet does to a connection's state word, which
// packet may open a connection, and when a known connection gives way to a new one. The caller
// applies the result with one compare-and-swap and does the counting. Any thread.

#include <cstdint>
#include <string_view>

#include "dataplane/lb/connection_state.h"
#include "dataplane/lb/sctp_state.h"
#include "dataplane/lb/spec.h"
#include "dataplane/lb/state_timeouts.h"
#include "dataplane/lb/tcp_state.h"

namespace pollux::lb {

// What tracking looks at in a packet. Only the field of the packet's protocol has a meaning.
struct PacketEvent {
    std::uint8_t tcp_flags = 0;
    SctpEvent sctp = SctpEvent::Data;
};

// The state word after a packet. `from_server`: it came back through us. A new connection starts
// from a word with protocol, method and protocol state 0 and gets its first state here. The
// lifecycle, packet count and all other flags stay as they are. Compare the two words: equal means
// nothing to store; a changed Active flag is to be counted.
//
// NoOutput (set at first by every method but NAT and FullNAT) goes with the first packet of the
// server. UDP has one state and is never active.
[[nodiscard]] ConnectionState track_packet(ConnectionState state, bool from_server,
                                           PacketEvent event, const StateTimeouts& timeouts,
                                           bool secure_tcp) noexcept;

// The state word of a connection before its first packet is tracked.
[[nodiscard]] ConnectionState initial_state(Protocol protocol, ForwardingMethod method) noexcept;

// True when this packet confirms that the connection is in use, so that its persistence template
// becomes ASSURED: an established TCP or SCTP connection, an answered UDP one.
[[nodiscard]] bool assures_template(ConnectionState state, bool from_server) noexcept;

// May this packet, of no known connection, open one? A SYN (whatever else is set but RST), an INIT,
// any datagram; with sloppy_tcp and sloppy_sctp anything but RST and ABORT.
[[nodiscard]] constexpr bool opens_connection(Protocol protocol, PacketEvent event,
                                              const SysctlSpec& sysctl) noexcept {
    if (protocol == Protocol::Tcp) {
        const bool syn = (event.tcp_flags & net::kTcpSyn) != 0;
        const bool rst = (event.tcp_flags & net::kTcpRst) != 0;
        return !rst && (syn || sysctl.sloppy_tcp);
    }
    if (protocol == Protocol::Sctp) {
        const bool init = event.sctp == SctpEvent::Init;
        return init || (sysctl.sloppy_sctp && event.sctp != SctpEvent::Abort);
    }
    return true;
}

// Is this packet the start of a connection by itself (SYN, INIT)? Only such a packet may replace a
// known connection.
[[nodiscard]] constexpr bool starts_connection(Protocol protocol, PacketEvent event) noexcept {
    return (protocol == Protocol::Tcp && (event.tcp_flags & net::kTcpSyn) != 0) ||
           (protocol == Protocol::Sctp && event.sctp == SctpEvent::Init);
}

// What the decision about reuse depends on.
struct ReuseQuestion {
    ConnectionState state;
    bool persistent = false;       // hangs on a template: never scheduled away from it
    bool server_quiesced = false;  // weight 0
};

// conn_reuse_mode: shall a packet that starts a connection on the tuple of a known one be scheduled
// anew? Precondition: starts_connection(). Mode 0 never, 1 after the end of the old connection, 2
// also in FIN_WAIT when only the client's direction is seen. With expire_nodest_conn, in each mode,
// when the old connection's server is quiesced.
[[nodiscard]] bool is_scheduled_anew(const ReuseQuestion& question,
                                     const SysctlSpec& sysctl) noexcept;

// LVS's name of the state: "SYN_RECV", "S-SENT", "UDP".
[[nodiscard]] std::string_view state_name(ConnectionState state) noexcept;

// Half-open: counted against embryonic_share.
[[nodiscard]] bool is_embryonic(ConnectionState state) noexcept;

}  // namespace pollux::lb
