// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TCP reset that refuses a segment (RFC 9293 section 3.5.2). An IP packet: the link layer is
// the caller's. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/parsed_packet.h"

namespace pollux::net {

inline constexpr std::size_t kMaxTcpResetLength = kIpv6HeaderLength + kTcpMinHeaderLength;

// Writes the reset that answers `packet`, from its destination to its source, and returns its
// length. 0: not a TCP segment, itself a reset, a fragment, to a group, or `out` is too small.
// Precondition: `out` does not overlap `frame`.
[[nodiscard]] std::size_t build_tcp_reset(const ParsedPacket& packet, const std::uint8_t* frame,
                                          std::span<std::uint8_t> out) noexcept;

}  // namespace pollux::net
