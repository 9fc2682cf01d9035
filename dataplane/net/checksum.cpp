// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/checksum.h"

#include <cstring>

namespace pollux::net {

void ChecksumSum::add(std::span<const std::uint8_t> bytes) noexcept {
    // 32-bit digits in a 64-bit sum: no carry is lost before 2^32 of them.
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 4; left -= 4, at += 4) {
        std::uint32_t digit = 0;
        std::memcpy(&digit, at, sizeof digit);
        sum_ += digit;
    }
    if (left > 0) {
        std::uint32_t digit = 0;
        std::memcpy(&digit, at, left);  // little-endian: the missing last bytes count as zero
        sum_ += digit;
    }
}

void ChecksumSum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                    std::uint8_t protocol, std::uint32_t length) noexcept {
    add(source.bytes);  // the unused bytes of an IPv4 address are zero and add nothing
    add(destination.bytes);
    add(Be16::from_host(protocol));
    add(Be32::from_host(length));
}

Be16 internet_checksum(std::span<const std::uint8_t> bytes) noexcept {
    ChecksumSum sum;
    sum.add(bytes);
    return sum.finish();
}

}  // namespace pollux::net
