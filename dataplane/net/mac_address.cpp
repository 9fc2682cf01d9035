// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/mac_address.h"

namespace pollux::net {
namespace {

constexpr std::size_t kTextLength = 17;  // "02:00:5e:10:00:00"
constexpr char kHexDigits[] = "0123456789abcdef";

std::optional<unsigned> hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
    if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
    if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A' + 10);
    return std::nullopt;
}

}  // namespace

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    if (text.size() != kTextLength) return std::nullopt;
    MacAddress result;
    for (std::size_t i = 0; i < result.bytes.size(); ++i) {
        if (i > 0 && text[3 * i - 1] != ':') return std::nullopt;
        const auto high = hex_value(text[3 * i]);
        const auto low = hex_value(text[3 * i + 1]);
        if (!high || !low) return std::nullopt;
        result.bytes[i] = static_cast<std::uint8_t>(*high * 16 + *low);
    }
    return result;
}

std::string MacAddress::to_string() const {
    std::string text;
    text.reserve(kTextLength);
    for (const std::uint8_t octet : bytes) {
        if (!text.empty()) text += ':';
        text += kHexDigits[octet >> 4U];
        text += kHexDigits[octet & 0xfU];
    }
    return text;
}

}  // namespace pollux::net
