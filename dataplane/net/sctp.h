// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SCTP common header and chunk header (RFC 9260 section 3). Pure values.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/crc32c.h"
#include "dataplane/net/header.h"

namespace pollux::net {

inline constexpr std::size_t kSctpHeaderLength = 12;

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------------------------------+-------------------------------+
// |          source port          |       destination port        |
// +-------------------------------+-------------------------------+
// |                       verification tag                        |
// +---------------------------------------------------------------+
// |                       checksum (CRC32c)                       |
// +---------------------------------------------------------------+
struct SctpHeader {
    Be16 source_port;
    Be16 destination_port;
    Be32 verification_tag;
    Be32 checksum;
};
static_assert(sizeof(SctpHeader) == kSctpHeaderLength && WireHeader<SctpHeader>);

struct SctpChunkHeader {
    std::uint8_t type;
    std::uint8_t flags;
    Be16 length;  // header and value, without the padding to a multiple of 4
};
static_assert(sizeof(SctpChunkHeader) == 4 && WireHeader<SctpChunkHeader>);

// RFC 9260 section 3.2.
inline constexpr std::uint8_t kSctpChunkData = 0;
inline constexpr std::uint8_t kSctpChunkInit = 1;
inline constexpr std::uint8_t kSctpChunkInitAck = 2;
inline constexpr std::uint8_t kSctpChunkSack = 3;
inline constexpr std::uint8_t kSctpChunkHeartbeat = 4;
inline constexpr std::uint8_t kSctpChunkHeartbeatAck = 5;
inline constexpr std::uint8_t kSctpChunkAbort = 6;
inline constexpr std::uint8_t kSctpChunkShutdown = 7;
inline constexpr std::uint8_t kSctpChunkShutdownAck = 8;
inline constexpr std::uint8_t kSctpChunkError = 9;
inline constexpr std::uint8_t kSctpChunkCookieEcho = 10;
inline constexpr std::uint8_t kSctpChunkCookieAck = 11;
inline constexpr std::uint8_t kSctpChunkEcne = 12;
inline constexpr std::uint8_t kSctpChunkCwr = 13;
inline constexpr std::uint8_t kSctpChunkShutdownComplete = 14;

// The checksum of the SCTP packet `bytes` (common header first), whatever its checksum field says.
// Precondition: bytes.size() >= kSctpHeaderLength.
[[nodiscard]] inline Be32 sctp_checksum(std::span<const std::uint8_t> bytes) noexcept {
    constexpr std::size_t kField = offsetof(SctpHeader, checksum);
    constexpr std::uint8_t kZero[sizeof(Be32)] = {};
    Crc32c crc;
    crc.add(bytes.first(kField));
    crc.add(kZero);
    crc.add(bytes.subspan(kSctpHeaderLength));
    // RFC 9260 appendix A: the CRC register goes out lowest byte first.
    return Be32::from_wire(crc.finish());
}

}  // namespace pollux::net
