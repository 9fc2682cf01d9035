// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/crc32c.h"

#include <array>
#include <cstring>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace pollux::net {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;
constexpr unsigned kSlices = 8;

using Slices = std::array<std::array<std::uint32_t, 256>, kSlices>;

// kTable[k][b] is what byte b does to the register when k further bytes follow it.
constexpr Slices make_table() {
    Slices table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t reg = byte;
        for (int bit = 0; bit < 8; ++bit) reg = (reg >> 1U) ^ ((reg & 1U) != 0 ? kPolynomial : 0);
        table[0][byte] = reg;
    }
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        for (unsigned k = 1; k < kSlices; ++k) {
            const std::uint32_t previous = table[k - 1][byte];
            table[k][byte] = (previous >> 8U) ^ table[0][previous & 0xffU];
        }
    }
    return table;
}

constexpr Slices kTable = make_table();

}  // namespace

std::uint32_t crc32c_advance_by_table(std::uint32_t reg,
                                      std::span<const std::uint8_t> bytes) noexcept {
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= kSlices; left -= kSlices, at += kSlices) {
        std::uint64_t block = 0;
        std::memcpy(&block, at, sizeof block);
        block ^= reg;
        reg = 0;
        for (unsigned k = 0; k < kSlices; ++k) {
            reg ^= kTable[kSlices - 1 - k][(block >> (8U * k)) & 0xffU];
        }
    }
    for (; left > 0; --left, ++at) reg = (reg >> 8U) ^ kTable[0][(reg ^ *at) & 0xffU];
    return reg;
}

#ifdef __SSE4_2__
std::uint32_t crc32c_advance_by_cpu(std::uint32_t reg,
                                    std::span<const std::uint8_t> bytes) noexcept {
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= sizeof(std::uint64_t); left -= sizeof(std::uint64_t)) {
        std::uint64_t block = 0;
        std::memcpy(&block, at, sizeof block);
        reg = static_cast<std::uint32_t>(_mm_crc32_u64(reg, block));
        at += sizeof block;
    }
    for (; left > 0; --left, ++at) reg = _mm_crc32_u8(reg, *at);
    return reg;
}
#else
std::uint32_t crc32c_advance_by_cpu(std::uint32_t reg,
                                    std::span<const std::uint8_t> bytes) noexcept {
    return crc32c_advance_by_table(reg, bytes);
}
#endif

void Crc32c::add(std::span<const std::uint8_t> bytes) noexcept {
    register_ = crc32c_advance_by_cpu(register_, bytes);
}

}  // namespace pollux::net
