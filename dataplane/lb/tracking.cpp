// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/tracking.h"

namespace pollux::lb {

namespace {

constexpr TcpState tcp_state(ConnectionState state) noexcept {
    return static_cast<TcpState>(state.protocol_state());
}
constexpr SctpState sctp_state(ConnectionState state) noexcept {
    return static_cast<SctpState>(state.protocol_state());
}

constexpr ConnectionState set(ConnectionState state, ConnectionFlag flag, bool on) noexcept {
    return on ? state.with(flag) : state.without(flag);
}

template <typename State>
ConnectionState enter(ConnectionState word, State state, Ticks timeout) noexcept {
    word = set(word, ConnectionFlag::Active, is_active(state));
    word = set(word, ConnectionFlag::Embryonic, is_embryonic(state));
    return word.with_protocol_state(static_cast<std::uint8_t>(state)).with_timeout(timeout);
}

}  // namespace

ConnectionState track_packet(ConnectionState state, bool from_server, PacketEvent event,
                             const StateTimeouts& timeouts, bool secure_tcp) noexcept {
    PacketOrigin origin = from_server ? PacketOrigin::Server : PacketOrigin::Client;
    if (state.has(ConnectionFlag::NoOutput)) {
        if (from_server) {
            state = state.without(ConnectionFlag::NoOutput);
        } else {
            origin = PacketOrigin::ClientOnly;
        }
    }
    switch (state.protocol()) {
        case Protocol::Tcp: {
            const TcpState next =
                next_tcp_state(tcp_state(state), origin, event.tcp_flags, secure_tcp);
            return enter(state, next, timeouts.of(next));
        }
        case Protocol::Sctp: {
            const SctpState next = next_sctp_state(sctp_state(state), origin, event.sctp);
            return enter(state, next, timeouts.of(next));
        }
        case Protocol::Udp:
        case Protocol::None:
            break;
    }
    return state.with_timeout(timeouts.udp);
}

ConnectionState initial_state(Protocol protocol, ForwardingMethod method) noexcept {
    ConnectionState state =
        ConnectionState().with_protocol(protocol).with_method(method).with_timeout(
            to_ticks(kNewConnectionTimeout));
    if (!state.has_reply_key()) state = state.with(ConnectionFlag::NoOutput);
    return state;
}

bool assures_template(ConnectionState state, bool from_server) noexcept {
    switch (state.protocol()) {
        case Protocol::Tcp:
            return tcp_state(state) == TcpState::Established;
        case Protocol::Sctp:
            return sctp_state(state) == SctpState::Established;
        case Protocol::Udp:
        case Protocol::None:
            break;
    }
    return from_server;
}

bool is_scheduled_anew(const ReuseQuestion& question, const SysctlSpec& sysctl) noexcept {
    if (sysctl.expire_nodest_conn && question.server_quiesced) return true;
    if (sysctl.conn_reuse_mode == 0 || question.persistent) return false;
    const ConnectionState state = question.state;
    if (state.protocol() == Protocol::Sctp) return sctp_state(state) == SctpState::Closed;
    if (state.protocol() != Protocol::Tcp) return false;
    const TcpState tcp = tcp_state(state);
    if (tcp == TcpState::TimeWait || tcp == TcpState::Close) return true;
    return (sysctl.conn_reuse_mode & 2U) != 0 && tcp == TcpState::FinWait &&
           state.has(ConnectionFlag::NoOutput);
}

std::string_view state_name(ConnectionState state) noexcept {
    switch (state.protocol()) {
        case Protocol::Tcp:
            return to_string(tcp_state(state));
        case Protocol::Sctp:
            return to_string(sctp_state(state));
        case Protocol::Udp:
            return "UDP";
        case Protocol::None:
            break;
    }
    return "NONE";
}

bool is_embryonic(ConnectionState state) noexcept {
    switch (state.protocol()) {
        case Protocol::Tcp:
            return is_embryonic(tcp_state(state));
        case Protocol::Sctp:
            return is_embryonic(sctp_state(state));
        case Protocol::Udp:
        case Protocol::None:
            break;
    }
    return false;
}

}  // namespace pollux::lb
