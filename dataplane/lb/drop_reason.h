// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every reason for which the data plane discards a packet, one row each: enumerator, name shown to
// the operator, explanation; the parser's errors come first. The tidy test demands a packet test
// for each.

#include <cstdint>
#include <string_view>

#include "dataplane/net/parse_error.h"

namespace pollux::lb {

// X(Enumerator, "name", "what it means to an operator")
#define POLLUX_DROP_REASONS(X)                                                                   \
    X(None, "none", "not dropped")                                                               \
    POLLUX_PARSE_ERRORS(X)                                                                       \
    X(NotOurMac, "not-our-mac", "destination MAC is not this port's")                            \
    X(IcmpNoConnection, "icmp-no-connection", "an ICMP error about no tracked connection")       \
    X(TunnelError, "tunnel-error", "an ICMP error about a tunnel packet of ours, made use of")   \
    X(FragmentOverlap, "fragment-overlap", "overlaps another fragment of the same datagram")     \
    X(FragmentTableFull, "fragment-table-full", "too many fragmented datagrams at a time")       \
    X(FragmentTimeout, "fragment-timeout", "the first fragment did not arrive in time")          \
    X(TtlExpired, "ttl-expired", "TTL or hop limit used up and no answer was allowed")           \
    X(NoConnection, "no-connection", "not the start of a connection, and none is known")         \
    X(NoRealServer, "no-real-server", "the service has no usable real server")                   \
    X(ServerGone, "server-gone", "the connection's real server was removed")                     \
    X(DefenceDropPacket, "defence-drop-packet", "new packet dropped by the drop_packet defence") \
    X(ReplyTaken, "reply-taken", "the server's answers would be those of another connection")    \
    X(ConnectionTableFull, "connection-table-full", "no free connection record or index slot")   \
    X(EmbryonicLimit, "embryonic-limit", "half-open connections reached their share")            \
    X(PersistenceTableFull, "persistence-table-full", "no free persistence template")            \
    X(NoLocalPort, "no-local-port", "FullNAT found no free local address and port")              \
    X(NoRoute, "no-route", "no route to the next hop")                                           \
    X(MtuExceeded, "mtu-exceeded", "larger than the link and no answer was allowed")             \
    X(NoHeadroom, "no-headroom", "no room in the buffer for the encapsulation")                  \
    X(NoTranslation, "no-translation", "cannot be translated (other family, fragmented SCTP)")   \
    X(AnswerRateLimited, "answer-rate-limited", "our own ICMP or RST answer was rate limited")   \
    X(PuntQueueFull, "punt-queue-full", "the control core's queue was full")                     \
    X(TransmitQueueFull, "transmit-queue-full", "the port did not take the packet")              \
    X(NoBuffer, "no-buffer", "no buffer for a further packet (fragment or answer)")

enum class DropReason : std::uint8_t {
#define POLLUX_ENUMERATOR(name, text, help) name,
    POLLUX_DROP_REASONS(POLLUX_ENUMERATOR)
#undef POLLUX_ENUMERATOR
};

inline constexpr unsigned kDropReasonCount = 0
#define POLLUX_COUNT(name, text, help) +1
    POLLUX_DROP_REASONS(POLLUX_COUNT)
#undef POLLUX_COUNT
    ;

// The rows of the parser lead both lists in the same order.
[[nodiscard]] constexpr DropReason to_drop_reason(net::ParseError error) noexcept {
    return static_cast<DropReason>(error);
}
#define POLLUX_SAME_NUMBER(name, text, help) \
    static_assert(to_drop_reason(net::ParseError::name) == DropReason::name);
POLLUX_PARSE_ERRORS(POLLUX_SAME_NUMBER)
#undef POLLUX_SAME_NUMBER

// The name shown in counters and JSON, for example "ipv4-bad-checksum".
[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;
// One line for the operator.
[[nodiscard]] std::string_view explain(DropReason reason) noexcept;

}  // namespace pollux::lb
