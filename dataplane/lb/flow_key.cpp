// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/flow_key.h"

#include <cassert>

namespace pollux::lb {
namespace {

// splitmix64: spreads the secret over as many words as the hash needs. The constants are those of
// its definition (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t next_word(std::uint64_t& state) noexcept {
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t word = state;
    word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    word = (word ^ (word >> 27U)) * 0x94d049bb133111ebULL;
    return word ^ (word >> 31U);
}

}  // namespace

FlowKey FlowKey::make(const net::IpAddress& source, net::Be16 source_port,
                      const net::IpAddress& destination, net::Be16 destination_port,
                      Protocol protocol) noexcept {
    assert(source.family == destination.family);
    const std::uint32_t ports =
        source_port.wire() | (static_cast<std::uint32_t>(destination_port.wire()) << 16U);
    return join(source.family, source.bytes.data(), destination.bytes.data(), ports, protocol);
}

FlowKey FlowKey::reversed() const noexcept {
    FlowKey result = *this;
    const std::uint64_t ports = ((words_[0] & 0xffffU) << 16U) | ((words_[0] >> 16U) & 0xffffU);
    result.words_[0] = (words_[0] & ~std::uint64_t{0xffffffffU}) | ports;
    if (is_v6()) {
        result.words_[1] = words_[3];
        result.words_[2] = words_[4];
        result.words_[3] = words_[1];
        result.words_[4] = words_[2];
    } else {
        result.words_[1] = (words_[1] << 32U) | (words_[1] >> 32U);
    }
    return result;
}

FlowHash::FlowHash(const std::array<std::uint64_t, 4>& secret) noexcept : secret_{} {
    // Every word hangs on the whole secret.
    std::uint64_t state = 0;
    for (const std::uint64_t word : secret) {
        state ^= word;
        state = next_word(state);
    }
    for (std::size_t i = 0; i < secret_.size(); ++i) {
        secret_[i] = next_word(state) ^ secret[i % secret.size()];
    }
    secret_.back() |= 1U;  // the last factor keeps all bits of the other
}

}  // namespace pollux::lb
