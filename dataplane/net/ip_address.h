// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPv4 and IPv6 addresses and prefixes as values. Bytes are in network order; any thread.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "dataplane/net/byte_order.h"

namespace pollux::net {

// The field type of an IPv4 header. Compares in network byte order, as VRRP's tie-break demands.
using Ipv4Address = Be32;

// The field type of an IPv6 header.
struct Ipv6Address {
    std::array<std::uint8_t, 16> bytes{};

    friend constexpr bool operator==(const Ipv6Address&, const Ipv6Address&) noexcept = default;
    friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) noexcept = default;
};
static_assert(sizeof(Ipv6Address) == 16 && alignof(Ipv6Address) == 1);

enum class Family : std::uint8_t { None = 0, V4 = 4, V6 = 6 };

// An address of either family. An IPv4 address uses the first four bytes, the others are zero, so
// equality and hashing may look at all bytes whatever the family.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    Family family = Family::None;

    static constexpr IpAddress from_v4(Ipv4Address address) noexcept {
        IpAddress result;
        const std::uint32_t host = address.host();
        for (unsigned i = 0; i < 4; ++i) {
            result.bytes[i] = static_cast<std::uint8_t>(host >> (24 - 8 * i));
        }
        result.family = Family::V4;
        return result;
    }
    static constexpr IpAddress from_v6(const Ipv6Address& address) noexcept {
        return {address.bytes, Family::V6};
    }

    // Accepts dotted quad and RFC 4291 text (no zone, no port, no prefix length).
    static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] constexpr bool is_v4() const noexcept { return family == Family::V4; }
    [[nodiscard]] constexpr bool is_v6() const noexcept { return family == Family::V6; }

    // Precondition: is_v4().
    [[nodiscard]] constexpr Ipv4Address v4() const noexcept {
        return Ipv4Address::from_host(static_cast<std::uint32_t>(
            (bytes[0] << 24U) | (bytes[1] << 16U) | (bytes[2] << 8U) | bytes[3]));
    }
    // Precondition: is_v6().
    [[nodiscard]] constexpr Ipv6Address v6() const noexcept { return {bytes}; }

    // All zero bytes of either family, or no family.
    [[nodiscard]] constexpr bool is_unspecified() const noexcept {
        return bytes == std::array<std::uint8_t, 16>{};
    }
    [[nodiscard]] bool is_multicast() const noexcept;
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] bool is_link_local() const noexcept;

    // RFC 5952 text for IPv6; "" for no family.
    [[nodiscard]] std::string to_string() const;

    friend constexpr bool operator==(const IpAddress&, const IpAddress&) noexcept = default;
    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;
};
static_assert(sizeof(IpAddress) == 17 && alignof(IpAddress) == 1);
static_assert(std::is_trivially_copyable_v<IpAddress>);

// An address with a prefix length; host bits may be set (an interface address "10.0.0.5/24").
struct IpPrefix {
    IpAddress address;
    std::uint8_t length = 0;  // 0..32 or 0..128

    // Accepts "ADDRESS/LENGTH"; without "/LENGTH" the length is that of a host (32 or 128).
    static std::optional<IpPrefix> parse(std::string_view text);

    [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
    // The same prefix with all host bits zero.
    [[nodiscard]] IpPrefix network() const noexcept;
    [[nodiscard]] std::string to_string() const;

    friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) noexcept = default;
    friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) noexcept = default;
};

}  // namespace pollux::net
