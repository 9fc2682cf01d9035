// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every way in which a received frame can be malformed, one row each. dataplane/lb/drop_reason.h
// takes the rows over as they are, so that a ParseError and its DropReason have the same number.

#include <cstdint>

namespace pollux::net {

// X(Enumerator, "name", "what it means to an operator")
#define POLLUX_PARSE_ERRORS(X)                                                                     \
    X(FrameTooShort, "frame-too-short", "shorter than its Ethernet or VLAN header")                \
    X(UnknownEtherType, "unknown-ethertype", "neither IPv4, IPv6 nor ARP")                         \
    X(TooManyVlanTags, "too-many-vlan-tags", "more than two VLAN tags")                            \
    X(ArpMalformed, "arp-malformed", "ARP packet truncated or not about IPv4 over Ethernet")       \
    X(Ipv4HeaderTruncated, "ipv4-header-truncated", "frame ends inside the IPv4 header")           \
    X(Ipv4BadVersion, "ipv4-bad-version", "version field is not 4")                                \
    X(Ipv4BadHeaderLength, "ipv4-bad-header-length", "IHL below 5 or beyond the packet")           \
    X(Ipv4BadTotalLength, "ipv4-bad-total-length", "total length below IHL or beyond the frame")   \
    X(Ipv4BadChecksum, "ipv4-bad-checksum", "IPv4 header checksum is wrong")                       \
    X(Ipv4BadSource, "ipv4-bad-source", "source is multicast, broadcast, loopback or zero")        \
    X(Ipv4SourceRoute, "ipv4-source-route", "carries a source routing option")                     \
    X(Ipv4BadOption, "ipv4-bad-option", "an IPv4 option is malformed")                             \
    X(Ipv6HeaderTruncated, "ipv6-header-truncated", "frame ends inside the IPv6 header")           \
    X(Ipv6BadVersion, "ipv6-bad-version", "version field is not 6")                                \
    X(Ipv6BadPayloadLength, "ipv6-bad-payload-length", "payload length beyond the frame")          \
    X(Ipv6BadSource, "ipv6-bad-source",                                                            \
      "source is multicast, loopback, mapped, or unspecified without being ICMPv6")                \
    X(Ipv6BadExtension, "ipv6-bad-extension", "extension header malformed, misplaced or too long") \
    X(Ipv6RoutingHeader0, "ipv6-routing-header-0", "deprecated routing header type 0 (RFC 5095)")  \
    X(Ipv6SourceRoute, "ipv6-source-route", "routing header with segments left")                   \
    X(LandAttack, "land-attack", "source equals destination")                                      \
    X(TcpHeaderTruncated, "tcp-header-truncated", "packet ends inside the TCP header")             \
    X(TcpBadDataOffset, "tcp-bad-data-offset", "data offset below 5 or beyond the packet")         \
    X(UdpHeaderTruncated, "udp-header-truncated", "packet ends inside the UDP header")             \
    X(UdpBadLength, "udp-bad-length", "UDP length below 8 or beyond the packet")                   \
    X(SctpHeaderTruncated, "sctp-header-truncated", "packet ends inside the SCTP header")          \
    X(IcmpHeaderTruncated, "icmp-header-truncated", "packet ends inside the ICMP header")          \
    X(IcmpBadChecksum, "icmp-bad-checksum", "checksum of an ICMP error is wrong")                  \
    X(IcmpBadQuote, "icmp-bad-quote", "the packet quoted by an ICMP error is malformed")           \
    X(FragmentTooSmall, "fragment-too-small", "a first fragment without the whole L4 header")      \
    X(FragmentBadLength, "fragment-bad-length",                                                    \
      "empty, or not the last fragment and not a multiple of 8 bytes")                             \
    X(FragmentOversize, "fragment-oversize", "the datagram would exceed 65535 bytes")              \
    X(MultiSegment, "multi-segment", "headers span buffer segments")

enum class ParseError : std::uint8_t {
    None,
#define POLLUX_ENUMERATOR(name, text, help) name,
    POLLUX_PARSE_ERRORS(POLLUX_ENUMERATOR)
#undef POLLUX_ENUMERATOR
};

}  // namespace pollux::net
