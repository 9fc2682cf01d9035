// SPDX-License-Identifier: Apache-2.0
#pragma once

// LVS's SCTP states and transitions: measured on a kernel (tests/golden/states), the unreachable
// column NONE of the server's packets taken from its source. Pure functions of values; any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/lb/tcp_state.h"
#include "dataplane/net/sctp.h"

namespace pollux::lb {

// LVS's numbers. The handshake is named as the server sees it.
enum class SctpState : std::uint8_t {
    None,
    Init1,  // first INIT of the client; shorter time-out than Init
    Init,
    CookieSent,
    CookieReplied,
    CookieWait,
    Cookie,
    CookieEchoed,
    Established,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
    Rejected,
    Closed,
};
inline constexpr unsigned kSctpStateCount = 14;

enum class SctpEvent : std::uint8_t {
    Data,  // every chunk that is not named below
    Init,
    InitAck,
    CookieEcho,
    CookieAck,
    Shutdown,
    ShutdownAck,
    ShutdownComplete,
    Error,
    Abort,
};
inline constexpr unsigned kSctpEventCount = 10;

namespace detail {

using SctpRow = std::array<SctpState, kSctpStateCount>;
using SctpTable = std::array<std::array<SctpRow, kSctpEventCount>, kPacketOriginCount>;

// clang-format off
namespace sctp {
inline constexpr auto NO = SctpState::None, I1 = SctpState::Init1, IN = SctpState::Init,
                      CS = SctpState::CookieSent, CR = SctpState::CookieReplied,
                      CW = SctpState::CookieWait, CO = SctpState::Cookie,
                      CE = SctpState::CookieEchoed, ES = SctpState::Established,
                      SS = SctpState::ShutdownSent, SR = SctpState::ShutdownReceived,
                      SA = SctpState::ShutdownAckSent, RJ = SctpState::Rejected,
                      CL = SctpState::Closed;

// Columns: the state before, in the order of SctpState. Rows in the order of SctpEvent.
inline constexpr SctpTable kTable{{
    {{  // the client's packet
     //                     NO  I1  IN  CS  CR  CW  CO  CE  ES  SS  SR  SA  RJ  CL
     /* DATA */            {ES, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* INIT */            {I1, IN, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, IN, IN},
     /* INIT ACK */        {CW, CW, CW, CS, CR, CO, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* COOKIE ECHO */     {CR, IN, IN, CR, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* COOKIE ACK */      {ES, I1, IN, CS, CR, CW, CO, ES, ES, SS, SR, SA, RJ, CL},
     /* SHUTDOWN */        {SR, I1, IN, CS, CR, CW, CO, CE, SR, SS, SR, SA, RJ, CL},
     /* SHUTDOWN ACK */    {CL, IN, IN, CS, CR, CW, CO, CE, ES, CL, SR, CL, RJ, CL},
     /* SHUTDOWN COMPLETE*/{CL, CL, CL, CS, CR, CW, CO, CE, ES, SS, SR, CL, RJ, CL},
     /* ERROR */           {CL, I1, IN, CS, CR, CW, CO, CL, ES, SS, SR, SA, RJ, CL},
     /* ABORT */           {CL, CL, CL, CL, CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL},
    }},
    {{  // the server's packet
     //                     NO  I1  IN  CS  CR  CW  CO  CE  ES  SS  SR  SA  RJ  CL
     /* DATA */            {ES, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* INIT */            {CW, CW, CW, CW, CW, CW, CW, CW, ES, CW, CW, CW, CW, CW},
     /* INIT ACK */        {CS, CS, CS, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* COOKIE ECHO */     {CE, CE, CE, CE, CE, CE, CE, CE, ES, SS, SR, SA, RJ, CL},
     /* COOKIE ACK */      {ES, ES, ES, ES, ES, ES, ES, ES, ES, SS, SR, SA, RJ, CL},
     /* SHUTDOWN */        {SS, SS, SS, SS, SS, SS, SS, SS, SS, SS, SR, SA, RJ, CL},
     /* SHUTDOWN ACK */    {SA, SA, SA, SA, SA, CW, CO, CE, ES, SA, SA, SA, RJ, CL},
     /* SHUTDOWN COMPLETE*/{CL, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* ERROR */           {CL, CL, CL, CL, CL, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* ABORT */           {CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL},
    }},
    {{  // the client's packet, the server's never seen
     //                     NO  I1  IN  CS  CR  CW  CO  CE  ES  SS  SR  SA  RJ  CL
     /* DATA */            {ES, I1, IN, CS, CR, ES, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* INIT */            {I1, IN, IN, IN, IN, IN, CO, CE, ES, SS, SR, SA, IN, IN},
     /* INIT ACK */        {CE, CE, CE, CE, CE, CE, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* COOKIE ECHO */     {ES, ES, ES, ES, ES, ES, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* COOKIE ACK */      {ES, I1, IN, ES, ES, CW, ES, ES, ES, SS, SR, SA, RJ, CL},
     /* SHUTDOWN */        {SR, I1, IN, CS, CR, CW, CO, CE, SR, SS, SR, SA, RJ, CL},
     /* SHUTDOWN ACK */    {CL, IN, IN, CS, CR, CW, CO, CE, CL, CL, SR, CL, RJ, CL},
     /* SHUTDOWN COMPLETE*/{CL, CL, CL, CL, CL, CW, CO, CE, ES, SS, CL, CL, RJ, CL},
     /* ERROR */           {CL, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL},
     /* ABORT */           {CL, CL, CL, CL, CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL},
    }},
}};
}  // namespace sctp
// clang-format on

}  // namespace detail

constexpr SctpState next_sctp_state(SctpState state, PacketOrigin origin,
                                    SctpEvent event) noexcept {
    return detail::sctp::kTable[static_cast<std::size_t>(origin)][static_cast<std::size_t>(event)]
                               [static_cast<std::size_t>(state)];
}

// The event that a packet stands for: its first chunk, but for an ABORT that follows a COOKIE ECHO
// or COOKIE ACK. `chunks` begins behind the common header; nothing if it is too short for a chunk.
constexpr std::optional<SctpEvent> sctp_event(std::span<const std::uint8_t> chunks) noexcept {
    constexpr std::size_t kChunkHeader = sizeof(net::SctpChunkHeader);
    if (chunks.size() < kChunkHeader) return std::nullopt;
    switch (chunks[0]) {
        case net::kSctpChunkInit:
            return SctpEvent::Init;
        case net::kSctpChunkInitAck:
            return SctpEvent::InitAck;
        case net::kSctpChunkAbort:
            return SctpEvent::Abort;
        case net::kSctpChunkShutdown:
            return SctpEvent::Shutdown;
        case net::kSctpChunkShutdownAck:
            return SctpEvent::ShutdownAck;
        case net::kSctpChunkError:
            return SctpEvent::Error;
        case net::kSctpChunkShutdownComplete:
            return SctpEvent::ShutdownComplete;
        case net::kSctpChunkCookieEcho:
        case net::kSctpChunkCookieAck:
            break;
        default:
            return SctpEvent::Data;
    }
    const std::size_t length = (std::size_t{chunks[2]} << 8U) | chunks[3];
    const std::size_t next = (length + 3) / 4 * 4;  // RFC 9260 section 3.2: chunks are padded
    if (length >= kChunkHeader && next + kChunkHeader <= chunks.size() &&
        chunks[next] == net::kSctpChunkAbort) {
        return SctpEvent::Abort;
    }
    return chunks[0] == net::kSctpChunkCookieEcho ? SctpEvent::CookieEcho : SctpEvent::CookieAck;
}

// Counted as ActiveConn.
constexpr bool is_active(SctpState state) noexcept {
    return state == SctpState::Established;
}

// Still in the handshake: the first to go when the table is full.
constexpr bool is_embryonic(SctpState state) noexcept {
    return state < SctpState::Established;
}

// LVS's names.
constexpr std::string_view to_string(SctpState state) noexcept {
    constexpr std::array<std::string_view, kSctpStateCount> kNames{
        "NONE",     "INIT1",       "INIT",   "C-SENT",     "C-REPLIED",  "C-WAIT",   "COOKIE",
        "C-ECHOED", "ESTABLISHED", "S-SENT", "S-RECEIVED", "S-ACK-SENT", "REJECTED", "CLOSED"};
    const auto number = static_cast<std::size_t>(state);
    return number < kNames.size() ? kNames[number] : "ERR!";
}

}  // namespace pollux::lb
