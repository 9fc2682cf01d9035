// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/names.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pollux::cli {
namespace {

// The name of a protocol in /etc/services; nullptr: none.
const char* protocol_name(lb::Protocol protocol) {
    switch (protocol) {
        case lb::Protocol::Tcp:
            return "tcp";
        case lb::Protocol::Udp:
            return "udp";
        case lb::Protocol::Sctp:
            return "sctp";
        case lb::Protocol::None:
            break;
    }
    return nullptr;
}

std::optional<std::uint16_t> port_by_name(std::string_view name, lb::Protocol protocol) {
    const char* protocol_text = protocol_name(protocol);
    if (protocol_text == nullptr) return std::nullopt;
    const servent* service = getservbyname(std::string(name).c_str(), protocol_text);
    if (service == nullptr) return std::nullopt;
    return ntohs(static_cast<std::uint16_t>(service->s_port));
}

std::optional<net::IpAddress> host_by_name(std::string_view name) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(std::string(name).c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    const auto* address = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
    return net::IpAddress::from_v4(net::Ipv4Address::from_wire(address->sin_addr.s_addr));
}

std::string name_of_port(std::uint16_t port, lb::Protocol protocol) {
    const char* protocol_text = protocol_name(protocol);
    if (protocol_text == nullptr) return "";
    const servent* service = getservbyport(htons(port), protocol_text);
    return service == nullptr ? "" : service->s_name;
}

std::string name_of_host(const net::IpAddress& address) {
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_in);
    if (address.is_v6()) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
        v6->sin6_family = AF_INET6;
        inet_pton(AF_INET6, address.to_string().c_str(), &v6->sin6_addr);
        length = sizeof(sockaddr_in6);
    } else {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
        v4->sin_family = AF_INET;
        inet_pton(AF_INET, address.to_string().c_str(), &v4->sin_addr);
    }
    std::array<char, NI_MAXHOST> name{};
    const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&storage), length, name.data(),
                                   name.size(), nullptr, 0, NI_NAMEREQD);
    return failed != 0 ? "" : name.data();
}

// Remembers what a function told for each of its arguments.
template <typename Key, typename Function>
auto remembering(Function function) {
    return [known = std::make_shared<std::map<Key, std::string>>(),
            function](const auto&... arguments) {
        const auto [entry, fresh] = known->try_emplace(Key{arguments...});
        if (fresh) entry->second = function(arguments...);
        return entry->second;
    };
}

}  // namespace

control::ipvs::NameResolver system_resolver() {
    return {port_by_name, host_by_name};
}

control::ipvs::Names system_names() {
    return {remembering<net::IpAddress>(name_of_host),
            remembering<std::pair<std::uint16_t, lb::Protocol>>(name_of_port)};
}

}  // namespace pollux::cli
