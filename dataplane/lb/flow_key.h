// SPDX-License-Identifier: Apache-2.0
#pragma once

// FlowKey: what identifies one direction of a flow, and the keyed hash over it. Plain values on
// the worker's stack; any thread.

#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"

namespace pollux::lb {

// Ports and addresses are kept as they lie on the wire (unswapped).
//
//   word 0   source port 16 | destination port 16 | protocol 8 | zero 2 | IPv6 2 | zero 20
//   IPv4:    word 1 = source 32 | destination 32; words 2..4 are not part of the key (16 bytes)
//   IPv6:    words 1, 2 = source; words 3, 4 = destination                        (37 bytes)
//
// "IPv6" is both bits or none, so that word 0 shifted by 16 has protocol and families where a
// connection's state word has them (connection_state.h).
// A key that is not IPv6 leaves words 2..4 unset: copying and comparing go through the members.
class FlowKey {
  public:
    FlowKey() noexcept = default;

    // `addresses` points at source and destination as in an IPv4 header (8 bytes) or an IPv6
    // header (32 bytes). Precondition: family is V4 or V6.
    static FlowKey from_wire(net::Family family, const std::uint8_t* addresses,
                             net::Be16 source_port, net::Be16 destination_port,
                             Protocol protocol) noexcept;
    // The same in place, for the packet path: a key that is made elsewhere and copied has its words
    // read back wider than they were written, which no processor forwards from its store buffer.
    void assign(net::Family family, const std::uint8_t* addresses, net::Be16 source_port,
                net::Be16 destination_port, Protocol protocol) noexcept;

    // The same from two addresses that do not lie together. `ports` as `ports()` returns them.
    static FlowKey join(net::Family family, const std::uint8_t* source,
                        const std::uint8_t* destination, std::uint32_t ports,
                        Protocol protocol) noexcept {
        FlowKey key;
        key.assign_joined(family, source, destination, ports, protocol);
        return key;
    }
    void assign_joined(net::Family family, const std::uint8_t* source,
                       const std::uint8_t* destination, std::uint32_t ports,
                       Protocol protocol) noexcept;

    // Precondition: both addresses are of one family, V4 or V6.
    static FlowKey make(const net::IpAddress& source, net::Be16 source_port,
                        const net::IpAddress& destination, net::Be16 destination_port,
                        Protocol protocol) noexcept;

    [[nodiscard]] bool is_v6() const noexcept { return (words_[0] >> 40U) != 0; }
    [[nodiscard]] net::Family family() const noexcept {
        return is_v6() ? net::Family::V6 : net::Family::V4;
    }
    [[nodiscard]] Protocol protocol() const noexcept {
        return static_cast<Protocol>((words_[0] >> 32U) & 0xffU);
    }
    [[nodiscard]] net::Be16 source_port() const noexcept {
        return net::Be16::from_wire(static_cast<std::uint16_t>(words_[0]));
    }
    [[nodiscard]] net::Be16 destination_port() const noexcept {
        return net::Be16::from_wire(static_cast<std::uint16_t>(words_[0] >> 16U));
    }
    // Source port in the low half, destination port in the high half, both unswapped.
    [[nodiscard]] std::uint32_t ports() const noexcept {
        return static_cast<std::uint32_t>(words_[0]);
    }
    [[nodiscard]] net::IpAddress source() const noexcept { return address(0); }
    [[nodiscard]] net::IpAddress destination() const noexcept { return address(1); }
    [[nodiscard]] std::uint64_t word(unsigned i) const noexcept { return words_[i]; }
    // The same destination address and port, protocol and family.
    [[nodiscard]] bool has_destination_of(const FlowKey& other) const noexcept {
        if ((words_[0] ^ other.words_[0]) >> 16U != 0) return false;
        if (!is_v6()) return (words_[1] ^ other.words_[1]) >> 32U == 0;
        return words_[3] == other.words_[3] && words_[4] == other.words_[4];
    }

    // The key of the opposite direction of the same packet exchange.
    [[nodiscard]] FlowKey reversed() const noexcept;

    friend bool operator==(const FlowKey& a, const FlowKey& b) noexcept {
        if (a.words_[0] != b.words_[0] || a.words_[1] != b.words_[1]) return false;
        return !a.is_v6() || (a.words_[2] == b.words_[2] && a.words_[3] == b.words_[3] &&
                              a.words_[4] == b.words_[4]);
    }

  private:
    static constexpr std::uint64_t kV6 = std::uint64_t{3} << 42U;

    [[nodiscard]] net::IpAddress address(unsigned which) const noexcept;

    std::uint64_t words_[5];
};

inline void FlowKey::assign(net::Family family, const std::uint8_t* addresses,
                            net::Be16 source_port, net::Be16 destination_port,
                            Protocol protocol) noexcept {
    const unsigned count = family == net::Family::V6 ? 4 : 1;
    for (unsigned i = 0; i < count; ++i) std::memcpy(&words_[1 + i], addresses + 8 * i, 8);
    words_[0] = source_port.wire() | (static_cast<std::uint64_t>(destination_port.wire()) << 16U) |
                (static_cast<std::uint64_t>(protocol) << 32U) |
                (family == net::Family::V6 ? kV6 : 0);
}

inline FlowKey FlowKey::from_wire(net::Family family, const std::uint8_t* addresses,
                                  net::Be16 source_port, net::Be16 destination_port,
                                  Protocol protocol) noexcept {
    FlowKey key;
    key.assign(family, addresses, source_port, destination_port, protocol);
    return key;
}

inline void FlowKey::assign_joined(net::Family family, const std::uint8_t* source,
                                   const std::uint8_t* destination, std::uint32_t ports,
                                   Protocol protocol) noexcept {
    const bool is_v6 = family == net::Family::V6;
    words_[0] = ports | (static_cast<std::uint64_t>(protocol) << 32U) | (is_v6 ? kV6 : 0);
    if (is_v6) {
        for (unsigned i = 0; i < 2; ++i) std::memcpy(&words_[1 + i], source + 8 * i, 8);
        for (unsigned i = 0; i < 2; ++i) std::memcpy(&words_[3 + i], destination + 8 * i, 8);
    } else {
        std::uint32_t first = 0;
        std::uint32_t second = 0;
        std::memcpy(&first, source, sizeof first);
        std::memcpy(&second, destination, sizeof second);
        words_[1] = first | (std::uint64_t{second} << 32U);
    }
}

inline net::IpAddress FlowKey::address(unsigned which) const noexcept {
    net::IpAddress result;
    result.family = family();
    if (is_v6()) {
        std::memcpy(result.bytes.data(), &words_[1 + 2 * which], 16);
    } else {
        const auto half = static_cast<std::uint32_t>(words_[1] >> (32 * which));
        std::memcpy(result.bytes.data(), &half, 4);
    }
    return result;
}

// A multiply-fold hash (64 x 64 -> 128 bits, halves folded by xor) with the secret inside the
// factors: it is not linear in the key, and without the secret nobody can tell which keys share a
// bucket (threat T-03). Immutable; any thread.
class FlowHash {
  public:
    // `secret` comes from the system's random source at start; every value is safe to use.
    explicit FlowHash(const std::array<std::uint64_t, 4>& secret) noexcept;

    [[nodiscard]] std::uint64_t operator()(const FlowKey& key) const noexcept {
        std::uint64_t folded = fold(key.word(0) ^ secret_[0], key.word(1) ^ secret_[1]);
        if (key.is_v6()) [[unlikely]] {
            folded ^= fold(key.word(2) ^ secret_[2], key.word(3) ^ secret_[3]);
            folded ^= fold(key.word(4) ^ secret_[4], secret_[5] ^ folded);
        }
        return fold(folded ^ secret_[6], secret_[7]);
    }

  private:
    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
    }

    std::array<std::uint64_t, 8> secret_;
};

}  // namespace pollux::lb
