// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/tracking.h"

#include <tuple>

#include <gtest/gtest.h>

namespace pollux::lb {
namespace {

using net::kTcpAck;
using net::kTcpFin;
using net::kTcpPsh;
using net::kTcpRst;
using net::kTcpSyn;

constexpr PacketEvent tcp(int flags) {
    return {static_cast<std::uint8_t>(flags), SctpEvent::Data};
}
constexpr PacketEvent sctp(SctpEvent event) {
    return {0, event};
}

ConnectionState in_tcp_state(TcpState state, ForwardingMethod method = ForwardingMethod::Nat) {
    return initial_state(Protocol::Tcp, method)
        .with_protocol_state(static_cast<std::uint8_t>(state));
}

ConnectionState track(ConnectionState state, PacketEvent event, bool from_server = false,
                      bool secure = false) {
    return track_packet(state, from_server, event, StateTimeouts::from({}), secure);
}

TEST(Tracking, HalfOpenConnectionsAreActiveAndEmbryonic) {
    const ConnectionState state = track(in_tcp_state(TcpState::None), tcp(kTcpSyn));

    EXPECT_EQ(state_name(state), "SYN_RECV");
    EXPECT_TRUE(state.has(ConnectionFlag::Active));
    EXPECT_TRUE(state.has(ConnectionFlag::Embryonic));
}

// LVS: SYN_SENT, SYN_RECV, SYNACK and ESTABLISHED count as active, all others do not.
TEST(Tracking, ActiveStatesAreLvss) {
    for (unsigned number = 0; number < kTcpStateCount; ++number) {
        const auto state = static_cast<TcpState>(number);
        const std::string_view name = to_string(state);
        const bool expected =
            name == "SYN_SENT" || name == "SYN_RECV" || name == "SYNACK" || name == "ESTABLISHED";
        EXPECT_EQ(is_active(state), expected) << name;
    }
    for (unsigned number = 0; number < kSctpStateCount; ++number) {
        const auto state = static_cast<SctpState>(number);
        EXPECT_EQ(is_active(state), to_string(state) == "ESTABLISHED") << to_string(state);
    }
}

// Exhaustive over all flag bytes: RST wins over SYN over FIN over ACK, and PSH, URG, ECE, CWR
// never matter.
TEST(Tracking, FlagsHaveTheirRank) {
    for (unsigned state = 0; state < kTcpStateCount; ++state) {
        for (unsigned origin = 0; origin < kPacketOriginCount; ++origin) {
            for (unsigned flags = 0; flags < 256; ++flags) {
                const int alone = (flags & kTcpRst) != 0   ? kTcpRst
                                  : (flags & kTcpSyn) != 0 ? kTcpSyn
                                  : (flags & kTcpFin) != 0 ? kTcpFin
                                  : (flags & kTcpAck) != 0 ? kTcpAck
                                                           : 0;
                for (const bool secure : {false, true}) {
                    const auto next = [&](unsigned byte) {
                        return next_tcp_state(static_cast<TcpState>(state),
                                              static_cast<PacketOrigin>(origin),
                                              static_cast<std::uint8_t>(byte), secure);
                    };
                    ASSERT_EQ(next(flags), next(static_cast<unsigned>(alone)));
                }
            }
        }
    }
}

TEST(Tracking, PacketWithoutAnyOfTheFourFlagsCloses) {
    const ConnectionState state = track(in_tcp_state(TcpState::Established), tcp(kTcpPsh));

    EXPECT_EQ(state_name(state), "CLOSE");
    EXPECT_FALSE(state.has(ConnectionFlag::Active));
}

TEST(Tracking, FirstPacketOfTheServerEndsOneDirectionTracking) {
    ConnectionState state = in_tcp_state(TcpState::Established, ForwardingMethod::DirectRouting);
    EXPECT_TRUE(state.has(ConnectionFlag::NoOutput));
    EXPECT_EQ(state_name(track(state, tcp(kTcpFin | kTcpAck))), "FIN_WAIT");

    state = track(state, tcp(kTcpAck), /*from_server=*/true);

    EXPECT_FALSE(state.has(ConnectionFlag::NoOutput));
    EXPECT_EQ(state_name(track(state, tcp(kTcpFin | kTcpAck))), "CLOSE_WAIT");
}

TEST(Tracking, UdpIsNeverActive) {
    const ConnectionState state =
        track(initial_state(Protocol::Udp, ForwardingMethod::Nat), PacketEvent{});

    EXPECT_EQ(state_name(state), "UDP");
    EXPECT_FALSE(state.has(ConnectionFlag::Active));
    EXPECT_EQ(state.timeout(), Ticks(std::chrono::seconds(300)));
}

TEST(Tracking, NewConnectionLivesThreeSeconds) {
    EXPECT_EQ(initial_state(Protocol::Tcp, ForwardingMethod::Nat).timeout(),
              Ticks(std::chrono::seconds(3)));
}

// lvs.md section 4: seconds by state.
TEST(Tracking, TimeoutsAreLvss) {
    const StateTimeouts timeouts = StateTimeouts::from({});
    const std::tuple<TcpState, int> tcp_seconds[] = {
        {TcpState::None, 2},     {TcpState::Established, 900}, {TcpState::SynSent, 120},
        {TcpState::SynRecv, 60}, {TcpState::FinWait, 120},     {TcpState::TimeWait, 120},
        {TcpState::Close, 10},   {TcpState::CloseWait, 60},    {TcpState::LastAck, 30},
        {TcpState::Listen, 120}, {TcpState::SynAck, 120}};
    for (const auto& [state, seconds] : tcp_seconds) {
        EXPECT_EQ(timeouts.of(state), Ticks(std::chrono::seconds(seconds))) << to_string(state);
    }
    for (unsigned number = 1; number < kSctpStateCount; ++number) {
        const auto state = static_cast<SctpState>(number);
        const int seconds = state == SctpState::Established                             ? 900
                            : state == SctpState::Init1 || state == SctpState::Rejected ? 4
                                                                                        : 61;
        EXPECT_EQ(timeouts.of(state), Ticks(std::chrono::seconds(seconds))) << to_string(state);
    }
}

TEST(Tracking, OnlyCertainPacketsOpenConnections) {
    SysctlSpec strict;
    SysctlSpec sloppy;
    sloppy.sloppy_tcp = sloppy.sloppy_sctp = true;
    struct Case {
        Protocol protocol;
        PacketEvent event;
        bool opens, opens_sloppily;
    };
    const Case cases[] = {
        {Protocol::Tcp, tcp(kTcpSyn), true, true},
        {Protocol::Tcp, tcp(kTcpSyn | kTcpAck), true, true},
        {Protocol::Tcp, tcp(kTcpSyn | kTcpFin), true, true},
        {Protocol::Tcp, tcp(kTcpSyn | kTcpRst), false, false},
        {Protocol::Tcp, tcp(kTcpAck), false, true},
        {Protocol::Tcp, tcp(0), false, true},
        {Protocol::Tcp, tcp(kTcpRst), false, false},
        {Protocol::Tcp, tcp(kTcpRst | kTcpAck), false, false},
        {Protocol::Sctp, sctp(SctpEvent::Init), true, true},
        {Protocol::Sctp, sctp(SctpEvent::Data), false, true},
        {Protocol::Sctp, sctp(SctpEvent::Abort), false, false},
        {Protocol::Udp, {}, true, true},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(opens_connection(c.protocol, c.event, strict), c.opens);
        EXPECT_EQ(opens_connection(c.protocol, c.event, sloppy), c.opens_sloppily);
    }
}

TEST(Tracking, ReuseFollowsTheMode) {
    // Given the three modes, when a SYN meets a connection, then only these states give way.
    for (const unsigned mode : {0U, 1U, 2U}) {
        SysctlSpec sysctl;
        sysctl.conn_reuse_mode = static_cast<std::uint8_t>(mode);
        for (unsigned number = 0; number < kTcpStateCount; ++number) {
            const auto state = static_cast<TcpState>(number);
            const bool ended = state == TcpState::TimeWait || state == TcpState::Close;
            const bool fin_wait = state == TcpState::FinWait && mode == 2;
            const bool in_dr = mode != 0 && (ended || fin_wait);
            const bool in_nat = mode != 0 && ended;
            EXPECT_EQ(is_scheduled_anew({in_tcp_state(state, ForwardingMethod::Tunnel)}, sysctl),
                      in_dr);
            EXPECT_EQ(is_scheduled_anew({in_tcp_state(state)}, sysctl), in_nat);
        }
    }
}

TEST(Tracking, PersistentConnectionsAreNotScheduledAnew) {
    const ReuseQuestion question{in_tcp_state(TcpState::TimeWait), /*persistent=*/true, false};

    EXPECT_FALSE(is_scheduled_anew(question, SysctlSpec{}));
}

TEST(Tracking, QuiescedServerLosesStartedConnectionsWithExpireNodestConn) {
    const ReuseQuestion question{in_tcp_state(TcpState::Established), true, true};
    SysctlSpec sysctl;
    EXPECT_FALSE(is_scheduled_anew(question, sysctl));

    sysctl.expire_nodest_conn = true;

    for (std::uint8_t mode = 0; mode <= 2; ++mode) {
        sysctl.conn_reuse_mode = mode;
        EXPECT_TRUE(is_scheduled_anew(question, sysctl)) << "mode " << unsigned{mode};
    }
}

TEST(Tracking, EstablishedOrAnsweredConnectionsAssureTemplates) {
    const ConnectionState udp = initial_state(Protocol::Udp, ForwardingMethod::Nat);

    EXPECT_TRUE(assures_template(in_tcp_state(TcpState::Established), false));
    EXPECT_FALSE(assures_template(in_tcp_state(TcpState::SynRecv), true));
    EXPECT_FALSE(assures_template(udp, false));
    EXPECT_TRUE(assures_template(udp, true));
}

TEST(SctpEvents, AbortBehindACookieDecides) {
    const std::uint8_t cookie_then_abort[] = {10, 0, 0, 5, 0xaa, 0, 0, 0, 6, 0, 0, 4};
    const std::uint8_t cookie_then_data[] = {10, 0, 0, 5, 0xaa, 0, 0, 0, 0, 0, 0, 4};
    const std::uint8_t data_then_abort[] = {0, 0, 0, 4, 6, 0, 0, 4};
    const std::uint8_t unknown[] = {200, 0, 0, 4};

    EXPECT_EQ(sctp_event(cookie_then_abort), SctpEvent::Abort);
    EXPECT_EQ(sctp_event(cookie_then_data), SctpEvent::CookieEcho);
    EXPECT_EQ(sctp_event(data_then_abort), SctpEvent::Data);
    EXPECT_EQ(sctp_event(unknown), SctpEvent::Data);
}

TEST(SctpEvents, EveryTruncationIsHandled) {
    const std::uint8_t cookie_then_abort[] = {10, 0, 0, 5, 0xaa, 0, 0, 0, 6, 0, 0, 4};
    for (std::size_t length = 0; length < sizeof cookie_then_abort; ++length) {
        const auto event = sctp_event(std::span(cookie_then_abort).first(length));
        if (length < 4) {
            EXPECT_FALSE(event) << length;
        } else {
            EXPECT_EQ(event, SctpEvent::CookieEcho) << length;
        }
    }
}

}  // namespace
}  // namespace pollux::lb
