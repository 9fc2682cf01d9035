// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/state_timeouts.h"

namespace pollux::lb {

namespace {

Duration tcp_timeout(const TimeoutSpec& spec, TcpState state) noexcept {
    switch (state) {
        case TcpState::None:
            return spec.tcp_none;
        case TcpState::Established:
            return spec.tcp_established;
        case TcpState::SynSent:
            return spec.tcp_syn_sent;
        case TcpState::SynRecv:
            return spec.tcp_syn_recv;
        case TcpState::FinWait:
            return spec.tcp_fin_wait;
        case TcpState::TimeWait:
            return spec.tcp_time_wait;
        case TcpState::Close:
            return spec.tcp_close;
        case TcpState::CloseWait:
            return spec.tcp_close_wait;
        case TcpState::LastAck:
            return spec.tcp_last_ack;
        case TcpState::Listen:
            return spec.tcp_listen;
        case TcpState::SynAck:
            return spec.tcp_synack;
    }
    return spec.tcp_none;
}

}  // namespace

StateTimeouts StateTimeouts::from(const TimeoutSpec& spec) noexcept {
    StateTimeouts timeouts;
    for (std::size_t state = 0; state < kTcpStateCount; ++state) {
        timeouts.tcp[state] = to_ticks(tcp_timeout(spec, static_cast<TcpState>(state)));
    }
    timeouts.sctp.fill(to_ticks(spec.sctp_other));
    const auto set = [&timeouts](SctpState state, Duration value) {
        timeouts.sctp[static_cast<std::size_t>(state)] = to_ticks(value);
    };
    set(SctpState::None, spec.tcp_none);  // LVS: 2 s for either protocol
    set(SctpState::Init1, spec.sctp_init);
    set(SctpState::Rejected, spec.sctp_init);
    set(SctpState::Established, spec.sctp_established);
    timeouts.udp = to_ticks(spec.udp);
    return timeouts;
}

}  // namespace pollux::lb
