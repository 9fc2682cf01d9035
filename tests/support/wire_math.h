// SPDX-License-Identifier: Apache-2.0
#pragma once

// The slow and obvious checksums and field accesses of the test support: a second opinion on
// dataplane/net.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pollux::test {

inline std::uint16_t read16(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes.at(at) * 256U + bytes.at(at + 1));
}

inline std::uint32_t read32(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    return read16(bytes, at) * 65536U + read16(bytes, at + 2);
}

inline void write16(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
    bytes.at(at) = static_cast<std::uint8_t>(value >> 8U);
    bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}

inline void append(std::vector<std::uint8_t>& to, const std::vector<std::uint8_t>& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

inline void write32(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
    write16(bytes, at, value >> 16U);
    write16(bytes, at + 2, value);
}

// RFC 1071, in host order.
inline std::uint16_t slow_checksum(const std::vector<std::uint8_t>& bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        sum += bytes[i] * 256U + (i + 1 < bytes.size() ? bytes[i + 1] : 0U);
        if (sum > 0xffff) sum -= 0xffff;
    }
    return static_cast<std::uint16_t>(~sum);
}

// CRC32c bit by bit, in the byte order of an SCTP header.
inline std::uint32_t slow_sctp_checksum(const std::vector<std::uint8_t>& bytes) {
    std::uint32_t reg = 0xffffffff;
    for (const std::uint8_t byte : bytes) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            const bool feedback = ((reg ^ (byte >> bit)) & 1U) != 0;
            reg = (reg >> 1U) ^ (feedback ? 0x82f63b78U : 0U);
        }
    }
    reg = ~reg;
    return (reg << 24U) | ((reg & 0xff00U) << 8U) | ((reg >> 8U) & 0xff00U) | (reg >> 24U);
}

}  // namespace pollux::test
