// SPDX-License-Identifier: Apache-2.0
#pragma once

// The small headers between an outer and an inner IP header: GRE (RFC 2784) and Generic UDP
// Encapsulation (draft-ietf-intarea-gue-09, version 0). Pure values.

#include <cstdint>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/header.h"

namespace pollux::net {

inline constexpr Be16 kGreChecksumPresent = Be16::from_host(0x8000);

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +-+-----------------------+-----+-------------------------------+
// |C|       reserved        | ver |  EtherType of what is inside  |
// +-+-----------------------+-----+-------------------------------+
// |      checksum (only with C)   |     reserved (only with C)    |
// +-------------------------------+-------------------------------+
struct GreHeader {
    Be16 flags;
    Be16 protocol;
};
static_assert(sizeof(GreHeader) == 4 && WireHeader<GreHeader>);

struct GreChecksum {
    Be16 checksum;  // over the GRE header and all behind it
    Be16 reserved;
};
static_assert(sizeof(GreChecksum) == 4 && WireHeader<GreChecksum>);

// Behind the UDP header.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1   (bits)
// +---+-+---------+---------------+-------------------------------+
// |ver|C|  hlen   | IP protocol   |             flags             |
// +---+-+---------+---------------+-------------------------------+
struct GueHeader {
    std::uint8_t version_and_length;
    std::uint8_t protocol;
    Be16 flags;
};
static_assert(sizeof(GueHeader) == 4 && WireHeader<GueHeader>);

}  // namespace pollux::net
