// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TCP header (RFC 9293 section 3.1). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"

namespace pollux::net {

inline constexpr std::size_t kTcpMinHeaderLength = 20;
inline constexpr std::size_t kTcpMaxHeaderLength = 60;

// Bits of TcpHeader::flags.
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpUrg = 0x20;
inline constexpr std::uint8_t kTcpEce = 0x40;  // RFC 3168
inline constexpr std::uint8_t kTcpCwr = 0x80;  // RFC 3168

inline constexpr std::uint8_t kTcpOptionEnd = 0;
inline constexpr std::uint8_t kTcpOptionNoOperation = 1;
inline constexpr std::uint8_t kTcpOptionMss = 2;            // RFC 9293 section 3.7.1
inline constexpr std::uint8_t kTcpOptionWindowScale = 3;    // RFC 7323
inline constexpr std::uint8_t kTcpOptionSackPermitted = 4;  // RFC 2018
inline constexpr std::uint8_t kTcpOptionTimestamps = 8;     // RFC 7323
inline constexpr std::uint8_t kTcpOptionToa = 254;          // client address, LVS FullNAT's custom

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------------------------------+-------------------------------+
// |          source port          |       destination port        |
// +-------------------------------+-------------------------------+
// |                        sequence number                        |
// +---------------------------------------------------------------+
// |                     acknowledgment number                     |
// +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
// |offset | resvd |C|E|U|A|P|R|S|F|            window             |
// +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
// |           checksum            |        urgent pointer         |
// +-------------------------------+-------------------------------+
// |         options, up to 40 bytes (offset counts them)          |
// +---------------------------------------------------------------+
struct TcpHeader {
    Be16 source_port;
    Be16 destination_port;
    Be32 sequence;
    Be32 acknowledgment;
    std::uint8_t data_offset;  // upper four bits, in units of 4 bytes
    std::uint8_t flags;
    Be16 window;
    Be16 checksum;
    Be16 urgent_pointer;

    // In bytes, options included: 0..60.
    [[nodiscard]] constexpr std::size_t header_length() const noexcept {
        return std::size_t{4} * (data_offset >> 4U);
    }
};
static_assert(sizeof(TcpHeader) == kTcpMinHeaderLength && WireHeader<TcpHeader>);
static_assert(offsetof(TcpHeader, checksum) == 16);

}  // namespace pollux::net
