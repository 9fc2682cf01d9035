// SPDX-License-Identifier: Apache-2.0
#pragma once

// LVS's TCP states and transitions: measured on a kernel (tests/golden/states), the unreachable
// rows taken from its source. Pure functions of values; any thread.

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/net/tcp.h"

namespace pollux::lb {

// LVS's numbers, as they travel in its synchronisation protocol.
enum class TcpState : std::uint8_t {
    None,
    Established,
    SynSent,
    SynRecv,
    FinWait,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    SynAck,  // only with secure_tcp
};
inline constexpr unsigned kTcpStateCount = 11;

// Whose packet it is. DR and tunnels never see the server's: their connections know one direction.
enum class PacketOrigin : std::uint8_t {
    Client,  // of a connection whose server's packets pass here
    Server,
    ClientOnly,  // of a connection of which no packet of the server was seen
};
inline constexpr unsigned kPacketOriginCount = 3;

namespace detail {

// What decides a transition; of several flags the first of this list.
enum TcpEvent : std::uint8_t { kRstEvent, kSynEvent, kFinEvent, kAckEvent, kNoEvent };

using TcpRow = std::array<TcpState, kTcpStateCount>;
using TcpTable = std::array<std::array<TcpRow, 5>, kPacketOriginCount>;

constexpr TcpEvent tcp_event(std::uint8_t flags) noexcept {
    if ((flags & net::kTcpRst) != 0) return kRstEvent;
    if ((flags & net::kTcpSyn) != 0) return kSynEvent;
    if ((flags & net::kTcpFin) != 0) return kFinEvent;
    if ((flags & net::kTcpAck) != 0) return kAckEvent;
    return kNoEvent;
}

// clang-format off
// Columns: the state before, in the order of TcpState.
inline constexpr auto NO = TcpState::None, ES = TcpState::Established, SS = TcpState::SynSent,
                      SR = TcpState::SynRecv, FW = TcpState::FinWait, TW = TcpState::TimeWait,
                      CL = TcpState::Close, CW = TcpState::CloseWait, LA = TcpState::LastAck,
                      LI = TcpState::Listen, SA = TcpState::SynAck;
inline constexpr TcpRow kClosed{CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL};

inline constexpr TcpTable kTcpTable{{
    {{  // the client's packet
     //        NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
     /* RST */ {CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR},
     /* SYN */ {SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR},
     /* FIN */ {CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW},
     /* ACK */ {ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
     /* none */ kClosed,
    }},
    {{  // the server's packet
     /* RST */ {CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL},
     /* SYN */ {SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR},
     /* FIN */ {TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW},
     /* ACK */ {ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES},
     /* none */ kClosed,
    }},
    {{  // the client's packet, the server's never seen
     /* RST */ {CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL},
     /* SYN */ {SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR},
     /* FIN */ {CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW},
     /* ACK */ {ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
     /* none */ kClosed,
    }},
}};

// secure_tcp: a client's packets alone do not make a connection established where the server's
// answers can be seen, and a half-open one is told apart where they cannot.
inline constexpr TcpTable kSecureTcpTable{{
    {{
     /* RST */ {CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL},
     /* SYN */ {SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SA},
     /* FIN */ {CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, SA},
     /* ACK */ {ES, ES, SS, SR, FW, TW, CL, CW, CL, LI, SA},
     /* none */ kClosed,
    }},
    {{
     /* RST */ {CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL},
     /* SYN */ {SS, ES, SS, SA, SS, SS, SS, SS, SS, LI, SA},
     /* FIN */ {TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW},
     /* ACK */ {ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES},
     /* none */ kClosed,
    }},
    {{
     /* RST */ {CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL},
     /* SYN */ {SA, ES, ES, SR, SA, SA, SA, SA, SA, SA, SA},
     /* FIN */ {CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW},
     /* ACK */ {ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
     /* none */ kClosed,
    }},
}};
// clang-format on

}  // namespace detail

// `flags` as in the header. A packet without SYN, FIN, RST and ACK closes the connection.
constexpr TcpState next_tcp_state(TcpState state, PacketOrigin origin, std::uint8_t flags,
                                  bool secure) noexcept {
    const detail::TcpTable& table = secure ? detail::kSecureTcpTable : detail::kTcpTable;
    return table[static_cast<std::size_t>(origin)][detail::tcp_event(flags)]
                [static_cast<std::size_t>(state)];
}

// Counted as ActiveConn, half-open ones included.
constexpr bool is_active(TcpState state) noexcept {
    return state == TcpState::Established || state == TcpState::SynSent ||
           state == TcpState::SynRecv || state == TcpState::SynAck;
}

// Half-open: the first to go when the table is full.
constexpr bool is_embryonic(TcpState state) noexcept {
    return state == TcpState::None || state == TcpState::SynSent || state == TcpState::SynRecv ||
           state == TcpState::SynAck;
}

// LVS's names.
constexpr std::string_view to_string(TcpState state) noexcept {
    constexpr std::array<std::string_view, kTcpStateCount> kNames{
        "NONE",  "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "SYNACK"};
    const auto number = static_cast<std::size_t>(state);
    return number < kNames.size() ? kNames[number] : "ERR!";
}

}  // namespace pollux::lb
