// SPDX-License-Identifier: Apache-2.0
#pragma once

// An IEEE 802 MAC address. Pure value; any thread.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace pollux::net {

struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};

    static constexpr MacAddress broadcast() noexcept {
        return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    }

    // Accepts "02:00:5e:10:00:00" (two hex digits per octet, ':' between, any letter case).
    static std::optional<MacAddress> parse(std::string_view text);

    [[nodiscard]] constexpr bool is_multicast() const noexcept { return (bytes[0] & 1U) != 0; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return *this == MacAddress{}; }

    // Lower case, for example "02:00:5e:10:00:00".
    [[nodiscard]] std::string to_string() const;

    friend constexpr bool operator==(const MacAddress&, const MacAddress&) noexcept = default;
    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) noexcept = default;
};

static_assert(sizeof(MacAddress) == 6 && alignof(MacAddress) == 1);
static_assert(std::is_trivially_copyable_v<MacAddress>);

}  // namespace pollux::net
