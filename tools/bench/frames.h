// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames of the benchmark: TCP segments that fill the smallest Ethernet frame (64 bytes with the
// frame check sequence), with right checksums, and the check of what became of them.

#include <cstdint>
#include <span>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"

namespace pollux::bench {

struct Endpoint {
    net::IpAddress address;
    std::uint16_t port = 0;  // host order
    bool operator==(const Endpoint&) const = default;
};

struct Segment {
    Endpoint source;
    Endpoint destination;  // of the same family
    std::uint8_t tcp_flags = 0;
};

struct Link {
    net::MacAddress source;
    net::MacAddress destination;
};

// The largest that write_segment writes: IPv6 without payload.
inline constexpr std::size_t kMaxSegmentFrame = 14 + 40 + 20;

// Writes the frame and returns its length: 60 bytes for IPv4 (6 bytes of payload), 74 for IPv6.
// Precondition: `out` holds kMaxSegmentFrame bytes.
std::uint32_t write_segment(const Link& link, const Segment& segment, std::span<std::uint8_t> out);

// The endpoints and flags of a TCP segment whose headers and checksums, the TCP checksum among
// them, are right; false for anything else.
[[nodiscard]] bool read_segment(std::span<const std::uint8_t> frame, Segment& segment);

}  // namespace pollux::bench
