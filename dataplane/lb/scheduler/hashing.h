// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernel's hash functions that decide which server dh, sh and mh choose. They are part of the
// contract: a client keeps its server when it moves from LVS to Pollux. Any thread.

#include <bit>
#include <cstdint>

#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// The words of an address in host order, XORed: an IPv4 address is itself.
constexpr std::uint32_t fold(const net::IpAddress& address) noexcept {
    std::uint32_t folded = 0;
    for (unsigned i = 0; i < 16; i += 4) {
        folded ^= (std::uint32_t{address.bytes[i]} << 24U) |
                  (std::uint32_t{address.bytes[i + 1]} << 16U) |
                  (std::uint32_t{address.bytes[i + 2]} << 8U) | address.bytes[i + 3];
    }
    return folded;
}

// The kernel's hash_32 with 8 bits: the top byte of a multiplication.
constexpr std::uint32_t golden_hash8(std::uint32_t value) noexcept {
    return (value * 0x61C88647U) >> 24U;
}

namespace detail {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    constexpr void round() noexcept {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
};

}  // namespace detail

// SipHash-1-3 of one 32-bit word with the key (key, key), low half of the result: hsiphash of a
// 64-bit kernel.
constexpr std::uint32_t sip_hash13(std::uint32_t value, std::uint64_t key) noexcept {
    detail::SipState state{0x736f6d6570736575ULL ^ key, 0x646f72616e646f6dULL ^ key,
                           0x6c7967656e657261ULL ^ key, 0x7465646279746573ULL ^ key};
    const std::uint64_t block = (std::uint64_t{4} << 56U) | value;
    state.v3 ^= block;
    state.round();
    state.v0 ^= block;
    state.v2 ^= 0xff;
    state.round();
    state.round();
    state.round();
    return static_cast<std::uint32_t>(state.v0 ^ state.v1 ^ state.v2 ^ state.v3);
}

}  // namespace pollux::lb
