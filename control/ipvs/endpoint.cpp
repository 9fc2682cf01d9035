// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/endpoint.h"

#include <bit>
#include <cerrno>
#include <cstdlib>

#include <arpa/inet.h>

namespace pollux::control::ipvs {

namespace {

// inet_aton, because ipvsadm also takes "10.1" and "0x0a000001".
std::optional<net::IpAddress> parse_v4(const std::string& text) {
    in_addr raw{};
    if (inet_aton(text.c_str(), &raw) == 0) return std::nullopt;
    return net::IpAddress::from_v4(net::Ipv4Address::from_wire(raw.s_addr));
}

}  // namespace

std::optional<std::int64_t> parse_number(const std::string& text, std::int64_t min,
                                         std::int64_t max) {
    char* end = nullptr;
    errno = 0;
    const long value = std::strtol(text.c_str(), &end, 10);
    if (end == text.c_str() || *end != '\0' || errno == ERANGE) return std::nullopt;
    if (value < min || value > max) return std::nullopt;
    return value;
}

std::optional<Endpoint> parse_endpoint(const std::string& text, lb::Protocol protocol,
                                       const NameResolver& resolver) {
    if (text.find_first_not_of("0123456789") == std::string::npos) return std::nullopt;
    std::string host = text;
    std::optional<std::string> port;
    if (text.front() == '[') {
        const std::size_t end = text.find(']');
        if (end == std::string::npos || end + 1 >= text.size() || text[end + 1] != ':') {
            return std::nullopt;
        }
        host = text.substr(1, end - 1);
        port = text.substr(end + 2);
    }
    Endpoint endpoint;
    const auto parsed = net::IpAddress::parse(host);
    if (parsed && parsed->is_v6()) {
        endpoint.address = *parsed;
    } else {
        const std::size_t colon = host.rfind(':');
        if (colon != std::string::npos) {
            port = host.substr(colon + 1);
            host.resize(colon);
        }
        auto v4 = parse_v4(host);
        if (!v4 && resolver.host != nullptr) v4 = resolver.host(host);
        if (!v4) return std::nullopt;
        endpoint.address = *v4;
    }
    if (!port) return endpoint;
    if (const auto number = parse_number(*port, 0, 65535)) {
        endpoint.port = static_cast<std::uint16_t>(*number);
    } else if (resolver.port != nullptr) {
        endpoint.port = resolver.port(*port, protocol);
    }
    return endpoint.port ? std::optional(endpoint) : std::nullopt;
}

std::optional<std::uint8_t> parse_netmask(const std::string& text) {
    const auto mask = parse_v4(text);
    if (!mask) return std::nullopt;
    const std::uint32_t inverted = ~mask->v4().host();
    if ((inverted & (inverted + 1)) != 0) return std::nullopt;
    return static_cast<std::uint8_t>(32 - std::popcount(inverted));
}

}  // namespace pollux::control::ipvs
