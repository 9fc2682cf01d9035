// SPDX-License-Identifier: Apache-2.0
#pragma once

// Integers in network byte order. Alignment 1, so that header structs made of them may lie at any
// address of a frame. Host values are plain integers; the conversion is explicit and happens once.

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <type_traits>

namespace pollux::net {

static_assert(std::endian::native == std::endian::little, "Pollux supports little-endian hosts");

template <typename Host>
class BigEndian {
  public:
    constexpr BigEndian() noexcept = default;

    // `value` is in host order.
    static constexpr BigEndian from_host(Host value) noexcept { return from_wire(swap(value)); }

    // `raw` is the value as it was loaded from the wire, unswapped.
    static constexpr BigEndian from_wire(Host raw) noexcept {
        BigEndian result;
        result.bytes_ = std::bit_cast<Bytes>(raw);  // gcc makes byte-wise loops of anything else
        return result;
    }

    [[nodiscard]] constexpr Host host() const noexcept { return swap(wire()); }

    [[nodiscard]] constexpr Host wire() const noexcept { return std::bit_cast<Host>(bytes_); }

    friend constexpr bool operator==(BigEndian a, BigEndian b) noexcept {
        return a.wire() == b.wire();
    }

    // Orders by host value, which for big-endian bytes is the byte order.
    friend constexpr std::strong_ordering operator<=>(BigEndian a, BigEndian b) noexcept {
        return a.host() <=> b.host();
    }

  private:
    using Bytes = std::array<std::uint8_t, sizeof(Host)>;

    static constexpr Host swap(Host value) noexcept {
        if constexpr (sizeof(Host) == 2) {
            return __builtin_bswap16(value);
        } else if constexpr (sizeof(Host) == 4) {
            return __builtin_bswap32(value);
        } else {
            return __builtin_bswap64(value);
        }
    }

    Bytes bytes_{};
};

using Be16 = BigEndian<std::uint16_t>;
using Be32 = BigEndian<std::uint32_t>;
using Be64 = BigEndian<std::uint64_t>;

static_assert(sizeof(Be16) == 2 && alignof(Be16) == 1);
static_assert(sizeof(Be32) == 4 && alignof(Be32) == 1);
static_assert(std::is_trivially_copyable_v<Be32>);

}  // namespace pollux::net
