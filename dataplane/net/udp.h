// SPDX-License-Identifier: Apache-2.0
#pragma once

// The UDP header (RFC 768). Pure values.

#include <cstddef>
#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"

namespace pollux::net {

inline constexpr std::size_t kUdpHeaderLength = 8;

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-------------------------------+-------------------------------+
// |          source port          |       destination port        |
// +-------------------------------+-------------------------------+
// |            length             |           checksum            |
// +-------------------------------+-------------------------------+
struct UdpHeader {
    Be16 source_port;
    Be16 destination_port;
    Be16 length;    // header and payload
    Be16 checksum;  // 0: none (IPv4 only, but RFC 6935 for tunnels); see `udp_nonzero`
};
static_assert(sizeof(UdpHeader) == kUdpHeaderLength && WireHeader<UdpHeader>);

}  // namespace pollux::net
