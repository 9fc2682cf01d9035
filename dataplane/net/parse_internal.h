// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the source files of the parser share. Not for others.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataplane/net/parse.h"

namespace pollux::net::detail {

// Which bytes there are: of the frame or of a packet in it.
struct Extent {
    const std::uint8_t* frame = nullptr;
    std::size_t contiguous = 0;  // readable bytes of the frame
    std::size_t end = 0;         // where the frame or packet ends, readable or not

    // None if [offset, offset + size) is there and readable.
    [[nodiscard]] ParseError need(std::size_t offset, std::size_t size,
                                  ParseError truncated) const noexcept {
        if (offset + size > end) return truncated;
        if (offset + size > contiguous) return ParseError::MultiSegment;
        return ParseError::None;
    }
};

inline Extent frame_extent(const ParseInput& input) noexcept {
    return {input.bytes.data(), input.bytes.size(), input.frame_length};
}

// Precondition: l3_offset and ip_length are known.
inline Extent packet_extent(const ParseInput& input, const ParsedPacket& packet) noexcept {
    return {input.bytes.data(), input.bytes.size(),
            std::size_t{packet.l3_offset} + packet.ip_length};
}

struct Fragment {
    bool present = false;
    bool more = false;
    std::uint16_t offset = 0;
    std::uint32_t id = 0;
};

// The walk through IPv6 extension headers. In: `offset` and `next_header` of what follows the IPv6
// header. Out: of the upper layer, or of what follows the fragment header of a later fragment.
struct Ipv6Chain {
    std::size_t offset = 0;
    std::uint8_t next_header = 0;
    Fragment fragment;
    std::size_t fragment_payload = 0;  // offset of what the fragment header is about
};

[[nodiscard]] ParseError walk_ipv6_chain(const Extent& extent, Ipv6Chain& chain) noexcept;

// Fills the fragment fields. `part` is the length of the fragment's payload, `overhead` what the
// whole datagram counts besides its payload.
[[nodiscard]] ParseError take_fragment(const Fragment& fragment, std::size_t part,
                                       std::size_t overhead, ParsedPacket& out) noexcept;

// Precondition: l3_offset is known. They go on to parse_l4.
[[nodiscard]] ParseError parse_ipv4(const ParseInput& input, ParsedPacket& out) noexcept;
[[nodiscard]] ParseError parse_ipv6(const ParseInput& input, ParsedPacket& out) noexcept;

// Precondition: everything up to l4_offset is known.
[[nodiscard]] ParseError parse_l4(const ParseInput& input, ParsedPacket& out) noexcept;

}  // namespace pollux::net::detail
