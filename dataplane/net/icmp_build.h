// SPDX-License-Identifier: Apache-2.0
#pragma once

// ICMP and ICMPv6 messages that answer a received packet. They are IP packets: the link layer is
// the caller's. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/parsed_packet.h"

namespace pollux::net {

struct IcmpError {
    IpAddress source;  // ours, of the family of the packet that the error is about
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint16_t mtu = 0;  // fragmentation needed, packet too big
};

// Whether an error about the packet may be sent at all: RFC 1122 section 3.2.2, RFC 4443 section
// 2.4 (e). Not about an error, a later fragment, a group or link-layer broadcast, a sender that is
// none; the one exception is "packet too big" to a group of IPv6, `is_too_big`.
[[nodiscard]] bool may_send_icmp_error(const ParsedPacket& packet, const std::uint8_t* frame,
                                       bool is_too_big) noexcept;

// Writes the error about `packet`, addressed to its sender, and returns its length, at most 576
// (RFC 1812 section 4.3.2.3) or 1280 (RFC 4443 section 3). It quotes the packet as it lies in
// `frame`, the contiguous bytes that were parsed. 0: `out` is too small for the quote.
// Precondition: `out` does not overlap `frame`.
[[nodiscard]] std::size_t build_icmp_error(const IcmpError& error, const ParsedPacket& packet,
                                           std::span<const std::uint8_t> frame,
                                           std::span<std::uint8_t> out) noexcept;

// Turns a whole echo request in place into its reply (addresses, type, TTL 64, checksums, which
// stay wrong if they were). False, and nothing changed, for everything else and for requests to a
// group.
[[nodiscard]] bool turn_into_echo_reply(const ParsedPacket& packet, std::uint8_t* frame) noexcept;

}  // namespace pollux::net
