// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every reason for which the data plane discards a packet, one row each: enumerator, name shown to
// the operator, explanation. The tidy test demands a packet test for each.

#include <cstdint>
#include <string_view>

namespace pollux::lb {

// X(Enumerator, "name", "what it means to an operator")
#define POLLUX_DROP_REASONS(X)                                                                  \
    X(None, "none", "not dropped")                                                              \
    X(FrameTooShort, "frame-too-short", "shorter than its Ethernet or VLAN header")             \
    X(UnknownEtherType, "unknown-ethertype", "neither IPv4, IPv6 nor ARP")                      \
    X(TooManyVlanTags, "too-many-vlan-tags", "more than two VLAN tags")                         \
    X(NotOurMac, "not-our-mac", "destination MAC is not this port's")                           \
    X(Ipv4HeaderTruncated, "ipv4-header-truncated", "frame ends inside the IPv4 header")        \
    X(Ipv4BadVersion, "ipv4-bad-version", "version field is not 4")                             \
    X(Ipv4BadHeaderLength, "ipv4-bad-header-length", "IHL below 5 or beyond the packet")        \
    X(Ipv4BadTotalLength, "ipv4-bad-total-length", "total length below IHL or beyond the frame") \
    X(Ipv4BadChecksum, "ipv4-bad-checksum", "IPv4 header checksum is wrong")                    \
    X(Ipv4BadSource, "ipv4-bad-source", "source is multicast, broadcast, loopback or zero")     \
    X(Ipv4SourceRoute, "ipv4-source-route", "carries a source routing option")                  \
    X(Ipv4BadOption, "ipv4-bad-option", "an IPv4 option is malformed")                          \
    X(Ipv6HeaderTruncated, "ipv6-header-truncated", "frame ends inside the IPv6 header")        \
    X(Ipv6BadVersion, "ipv6-bad-version", "version field is not 6")                             \
    X(Ipv6BadPayloadLength, "ipv6-bad-payload-length", "payload length beyond the frame")       \
    X(Ipv6BadSource, "ipv6-bad-source", "source is multicast, loopback or mapped")              \
    X(Ipv6BadExtension, "ipv6-bad-extension", "extension header malformed, misplaced or too long") \
    X(Ipv6RoutingHeader0, "ipv6-routing-header-0", "deprecated routing header type 0 (RFC 5095)") \
    X(LandAttack, "land-attack", "source equals destination")                                   \
    X(TcpHeaderTruncated, "tcp-header-truncated", "packet ends inside the TCP header")          \
    X(TcpBadDataOffset, "tcp-bad-data-offset", "data offset below 5 or beyond the packet")      \
    X(UdpHeaderTruncated, "udp-header-truncated", "packet ends inside the UDP header")          \
    X(UdpBadLength, "udp-bad-length", "UDP length below 8 or beyond the packet")                \
    X(SctpHeaderTruncated, "sctp-header-truncated", "packet ends inside the SCTP header")       \
    X(IcmpHeaderTruncated, "icmp-header-truncated", "packet ends inside the ICMP header")       \
    X(IcmpBadChecksum, "icmp-bad-checksum", "ICMP checksum is wrong")                           \
    X(IcmpBadQuote, "icmp-bad-quote", "the packet quoted by an ICMP error is malformed")        \
    X(IcmpNoConnection, "icmp-no-connection", "an ICMP error about no tracked connection")      \
    X(FragmentTooSmall, "fragment-too-small", "a first fragment without the whole L4 header")   \
    X(FragmentOverlap, "fragment-overlap", "overlaps another fragment of the same datagram")    \
    X(FragmentOversize, "fragment-oversize", "the datagram would exceed 65535 bytes")           \
    X(FragmentTableFull, "fragment-table-full", "too many fragmented datagrams at a time")      \
    X(FragmentTimeout, "fragment-timeout", "the first fragment did not arrive in time")         \
    X(TtlExpired, "ttl-expired", "TTL or hop limit used up and no answer was allowed")          \
    X(NoConnection, "no-connection", "not the start of a connection, and none is known")        \
    X(NoRealServer, "no-real-server", "the service has no usable real server")                  \
    X(ServerGone, "server-gone", "the connection's real server was removed")                    \
    X(DefenceDropPacket, "defence-drop-packet", "new packet dropped by the drop_packet defence") \
    X(ConnectionTableFull, "connection-table-full", "no free connection record or index slot")  \
    X(EmbryonicLimit, "embryonic-limit", "half-open connections reached their share")           \
    X(PersistenceTableFull, "persistence-table-full", "no free persistence template")           \
    X(NoLocalPort, "no-local-port", "FullNAT found no free local address and port")             \
    X(NoRoute, "no-route", "no route to the next hop")                                          \
    X(NextHopUnresolved, "next-hop-unresolved", "the next hop's MAC stayed unknown")            \
    X(MtuExceeded, "mtu-exceeded", "larger than the link and no answer was allowed")            \
    X(NoHeadroom, "no-headroom", "no room in the buffer for the encapsulation")                 \
    X(MultiSegment, "multi-segment", "headers span buffer segments")                            \
    X(AnswerRateLimited, "answer-rate-limited", "our own ICMP or RST answer was rate limited")  \
    X(PuntQueueFull, "punt-queue-full", "the control core's queue was full")                    \
    X(TransmitQueueFull, "transmit-queue-full", "the port did not take the packet")             \
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

// The name shown in counters and JSON, for example "ipv4-bad-checksum".
[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;
// One line for the operator.
[[nodiscard]] std::string_view explain(DropReason reason) noexcept;

}  // namespace pollux::lb
