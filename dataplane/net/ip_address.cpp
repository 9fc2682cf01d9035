// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/ip_address.h"

#include <charconv>

#include <arpa/inet.h>

namespace pollux::net {
namespace {

std::uint8_t host_prefix_length(const IpAddress& address) {
    return address.is_v4() ? std::uint8_t{32} : std::uint8_t{128};
}

// The bits of octet `index` that a prefix of `length` bits covers.
std::uint8_t octet_mask(unsigned index, unsigned length) {
    if (length >= 8 * (index + 1)) return 0xff;
    if (length <= 8 * index) return 0;
    return static_cast<std::uint8_t>(0xff00U >> (length - 8 * index));
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char terminated[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof terminated) return std::nullopt;
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    text.copy(terminated, text.size());

    IpAddress result;
    if (inet_pton(AF_INET, terminated, result.bytes.data()) == 1) {
        result.family = Family::V4;
        return result;
    }
    if (inet_pton(AF_INET6, terminated, result.bytes.data()) == 1) {
        result.family = Family::V6;
        return result;
    }
    return std::nullopt;
}

bool IpAddress::is_multicast() const noexcept {
    if (is_v4()) return (bytes[0] & 0xf0U) == 0xe0U;  // 224.0.0.0/4, RFC 5771
    return is_v6() && bytes[0] == 0xff;               // ff00::/8, RFC 4291 section 2.7
}

bool IpAddress::is_loopback() const noexcept {
    if (is_v4()) return bytes[0] == 127;  // RFC 1122 section 3.2.1.3 (g)
    return *this == IpAddress{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Family::V6};
}

bool IpAddress::is_link_local() const noexcept {
    if (is_v4()) return bytes[0] == 169 && bytes[1] == 254;            // RFC 3927
    return is_v6() && bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;  // fe80::/10
}

std::string IpAddress::to_string() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (is_v4()) inet_ntop(AF_INET, bytes.data(), text, sizeof text);
    if (is_v6()) inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
    return text;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const std::uint8_t maximum = host_prefix_length(*address);
    if (slash == std::string_view::npos) return IpPrefix{*address, maximum};

    const std::string_view digits = text.substr(slash + 1);
    const char* const end = digits.data() + digits.size();
    std::uint8_t length = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, length);
    if (error != std::errc{} || stop != end || length > maximum) return std::nullopt;
    return IpPrefix{*address, length};
}

bool IpPrefix::contains(const IpAddress& other) const noexcept {
    if (other.family != address.family || address.family == Family::None) return false;
    for (unsigned i = 0; i < address.bytes.size(); ++i) {
        if (((address.bytes[i] ^ other.bytes[i]) & octet_mask(i, length)) != 0) return false;
    }
    return true;
}

IpPrefix IpPrefix::network() const noexcept {
    IpPrefix result = *this;
    for (unsigned i = 0; i < result.address.bytes.size(); ++i) {
        result.address.bytes[i] &= octet_mask(i, length);
    }
    return result;
}

std::string IpPrefix::to_string() const {
    if (address.family == Family::None) return {};
    return address.to_string() + '/' + std::to_string(length);
}

}  // namespace pollux::net
