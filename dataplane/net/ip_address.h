// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPv4 and IPv6 addresses and prefixes as values. Bytes are in network order; any thread.

#include <array>
#include <bit>
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

    // The halves and words as they lie on the wire (unswapped), for hashing and comparing.
    [[nodiscard]] constexpr std::array<std::uint64_t, 2> halves() const noexcept {
        return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
    }
    [[nodiscard]] constexpr std::array<Be32, 4> words() const noexcept {
        return std::bit_cast<std::array<Be32, 4>>(bytes);
    }

    friend constexpr bool operator==(const Ipv6Address& a, const Ipv6Address& b) noexcept {
        const auto x = a.halves();
        const auto y = b.halves();
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
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
        const auto octets = std::bit_cast<std::array<std::uint8_t, 4>>(address);
        for (unsigned i = 0; i < 4; ++i) result.bytes[i] = octets[i];
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
        return std::bit_cast<Ipv4Address>(
            std::array<std::uint8_t, 4>{bytes[0], bytes[1], bytes[2], bytes[3]});
    }
    // All sixteen bytes. Precondition for use as an address: is_v6().
    [[nodiscard]] constexpr Ipv6Address v6() const noexcept { return {bytes}; }

    // All zero bytes of either family, or no family.
    [[nodiscard]] constexpr bool is_unspecified() const noexcept { return v6() == Ipv6Address{}; }
    [[nodiscard]] bool is_multicast() const noexcept;
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] bool is_link_local() const noexcept;

    // RFC 5952 text for IPv6; "" for no family.
    [[nodiscard]] std::string to_string() const;

    friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) noexcept {
        return a.v6() == b.v6() && a.family == b.family;
    }
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
