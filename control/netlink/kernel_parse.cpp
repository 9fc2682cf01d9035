// SPDX-License-Identifier: Apache-2.0
#include "control/netlink/kernel_parse.h"

#include <array>
#include <cstring>

#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

namespace pollux::control {
namespace {

template <std::size_t Count>
using Attributes = std::array<nlattr*, Count>;

template <std::size_t Count>
bool parse_attributes(nlmsghdr* message, std::size_t header, Attributes<Count>& attributes) {
    return nlmsg_parse(message, static_cast<int>(header), attributes.data(),
                       static_cast<int>(Count) - 1, nullptr) >= 0;
}

net::IpAddress read_address(int family, const nlattr* attribute) {
    net::IpAddress address;
    if (attribute == nullptr) return address;
    const std::size_t length = family == AF_INET ? 4 : 16;
    if ((family != AF_INET && family != AF_INET6) ||
        static_cast<std::size_t>(nla_len(attribute)) < length) {
        return address;
    }
    address.family = family == AF_INET ? net::Family::V4 : net::Family::V6;
    std::memcpy(address.bytes.data(), nla_data(attribute), length);
    return address;
}

// RTA_VIA: a family, then the address.
net::IpAddress read_via(const nlattr* attribute) {
    if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(rtvia))) return {};
    const auto* via = static_cast<const rtvia*>(nla_data(attribute));
    const auto* bytes = static_cast<const std::uint8_t*>(nla_data(attribute)) + sizeof(rtvia);
    const std::size_t length = via->rtvia_family == AF_INET ? 4 : 16;
    if (static_cast<std::size_t>(nla_len(attribute)) < sizeof(rtvia) + length) return {};
    net::IpAddress address;
    if (via->rtvia_family != AF_INET && via->rtvia_family != AF_INET6) return {};
    address.family = via->rtvia_family == AF_INET ? net::Family::V4 : net::Family::V6;
    std::memcpy(address.bytes.data(), bytes, length);
    return address;
}

std::uint32_t read_u32(const nlattr* attribute, std::uint32_t otherwise = 0) {
    if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(std::uint32_t))) {
        return otherwise;
    }
    return nla_get_u32(attribute);
}

net::MacAddress read_mac(const nlattr* attribute) {
    net::MacAddress mac;
    if (attribute != nullptr && nla_len(attribute) == static_cast<int>(mac.bytes.size())) {
        std::memcpy(mac.bytes.data(), nla_data(attribute), mac.bytes.size());
    }
    return mac;
}

bool hop_alive(unsigned flags) {
    return (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0;
}

net::IpAddress read_gateway(int family, const nlattr* gateway, const nlattr* via) {
    return gateway != nullptr ? read_address(family, gateway) : read_via(via);
}

// RTA_MULTIPATH: rtnexthop records, each followed by its attributes.
std::vector<RouteHop> read_multipath(int family, const nlattr* attribute) {
    std::vector<RouteHop> hops;
    auto* next = static_cast<rtnexthop*>(nla_data(attribute));
    int left = nla_len(attribute);
    while (left >= static_cast<int>(sizeof(rtnexthop)) && next->rtnh_len <= left &&
           next->rtnh_len >= sizeof(rtnexthop)) {
        Attributes<RTA_MAX + 1> inner{};
        const int inner_length = next->rtnh_len - static_cast<int>(sizeof(rtnexthop));
        if (nla_parse(inner.data(), RTA_MAX, reinterpret_cast<nlattr*>(RTNH_DATA(next)),
                      inner_length, nullptr) < 0) {
            break;
        }
        hops.push_back({static_cast<InterfaceIndex>(next->rtnh_ifindex),
                        read_gateway(family, inner[RTA_GATEWAY], inner[RTA_VIA]),
                        hop_alive(next->rtnh_flags)});
        left -= static_cast<int>(RTNH_ALIGN(next->rtnh_len));
        next = RTNH_NEXT(next);
    }
    return hops;
}

std::uint16_t read_route_mtu(nlattr* metrics) {
    if (metrics == nullptr) return 0;
    Attributes<RTAX_MAX + 1> inner{};
    if (nla_parse_nested(inner.data(), RTAX_MAX, metrics, nullptr) < 0) return 0;
    return static_cast<std::uint16_t>(read_u32(inner[RTAX_MTU]));
}

std::optional<NeighbourState> read_state(unsigned state) {
    switch (state) {
        case NUD_NONE:
        case NUD_INCOMPLETE:
            return NeighbourState::Incomplete;
        case NUD_REACHABLE:
            return NeighbourState::Reachable;
        case NUD_STALE:
            return NeighbourState::Stale;
        case NUD_DELAY:
            return NeighbourState::Delay;
        case NUD_PROBE:
            return NeighbourState::Probe;
        case NUD_FAILED:
            return NeighbourState::Failed;
        case NUD_PERMANENT:
            return NeighbourState::Permanent;
        default:
            return std::nullopt;  // NUD_NOARP
    }
}

}  // namespace

std::optional<ParsedLink> parse_link(nlmsghdr* message) {
    Attributes<IFLA_MAX + 1> attributes{};
    if (!parse_attributes(message, sizeof(ifinfomsg), attributes)) return std::nullopt;
    const auto* info = static_cast<const ifinfomsg*>(nlmsg_data(message));
    if (info->ifi_family != AF_UNSPEC) return std::nullopt;
    KernelLink link;
    if (attributes[IFLA_IFNAME] != nullptr) link.name = nla_get_string(attributes[IFLA_IFNAME]);
    link.mac = read_mac(attributes[IFLA_ADDRESS]);
    link.mtu = read_u32(attributes[IFLA_MTU]);
    link.up = (info->ifi_flags & IFF_UP) != 0;
    link.carrier = (info->ifi_flags & IFF_LOWER_UP) != 0;
    return ParsedLink{static_cast<InterfaceIndex>(info->ifi_index), link};
}

std::optional<ParsedAddress> parse_address(nlmsghdr* message) {
    Attributes<IFA_MAX + 1> attributes{};
    if (!parse_attributes(message, sizeof(ifaddrmsg), attributes)) return std::nullopt;
    const auto* info = static_cast<const ifaddrmsg*>(nlmsg_data(message));
    const nlattr* local =
        attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
    const net::IpAddress address = read_address(info->ifa_family, local);
    if (address.family == net::Family::None) return std::nullopt;
    return ParsedAddress{static_cast<InterfaceIndex>(info->ifa_index),
                         net::IpPrefix{address, info->ifa_prefixlen}};
}

std::optional<KernelRoute> parse_route(nlmsghdr* message) {
    Attributes<RTA_MAX + 1> attributes{};
    if (!parse_attributes(message, sizeof(rtmsg), attributes)) return std::nullopt;
    const auto* info = static_cast<const rtmsg*>(nlmsg_data(message));
    const int family = info->rtm_family;
    if (family != AF_INET && family != AF_INET6) return std::nullopt;
    if (read_u32(attributes[RTA_TABLE], info->rtm_table) != RT_TABLE_MAIN) return std::nullopt;
    if ((info->rtm_flags & RTM_F_CLONED) != 0 || info->rtm_tos != 0) return std::nullopt;

    KernelRoute route;
    switch (info->rtm_type) {
        case RTN_UNICAST:
            break;
        case RTN_BLACKHOLE:
        case RTN_UNREACHABLE:
        case RTN_PROHIBIT:
            route.unreachable = true;
            break;
        default:
            return std::nullopt;
    }
    route.destination.address = read_address(family, attributes[RTA_DST]);
    route.destination.address.family = family == AF_INET ? net::Family::V4 : net::Family::V6;
    route.destination.length = info->rtm_dst_len;
    route.metric = read_u32(attributes[RTA_PRIORITY]);
    route.preferred_source = read_address(family, attributes[RTA_PREFSRC]);
    route.mtu = read_route_mtu(attributes[RTA_METRICS]);
    if (attributes[RTA_MULTIPATH] != nullptr) {
        route.hops = read_multipath(family, attributes[RTA_MULTIPATH]);
    } else if (attributes[RTA_OIF] != nullptr) {
        route.hops = {{static_cast<InterfaceIndex>(read_u32(attributes[RTA_OIF])),
                       read_gateway(family, attributes[RTA_GATEWAY], attributes[RTA_VIA]),
                       hop_alive(info->rtm_flags)}};
    }
    if (route.hops.empty() && !route.unreachable) return std::nullopt;
    return route;
}

std::optional<ParsedNeighbour> parse_neighbour(nlmsghdr* message) {
    Attributes<NDA_MAX + 1> attributes{};
    if (!parse_attributes(message, sizeof(ndmsg), attributes)) return std::nullopt;
    const auto* info = static_cast<const ndmsg*>(nlmsg_data(message));
    const auto state = read_state(info->ndm_state);
    const net::IpAddress address = read_address(info->ndm_family, attributes[NDA_DST]);
    if (!state || address.family == net::Family::None) return std::nullopt;
    if ((info->ndm_flags & NTF_PROXY) != 0) return std::nullopt;
    const NeighbourKey key{static_cast<InterfaceIndex>(info->ndm_ifindex), address};
    return ParsedNeighbour{key, Neighbour{*state, read_mac(attributes[NDA_LLADDR])}};
}

}  // namespace pollux::control
