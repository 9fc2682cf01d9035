// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/bench_profile.h"

#include <algorithm>
#include <charconv>

#include "dataplane/net/endpoint.h"

namespace pollux::cli {
namespace {

using control::Config;
using control::PortConfig;
using control::VirtualServerConfig;

// Address space for benchmarks: RFC 2544 appendix C.2.2 (RFC 6815), RFC 5180 section 8.
constexpr const char* kClientsV4 = "198.18.0.0/16";
constexpr const char* kClientsV6 = "2001:2::/112";

bool read_address(net::IpAddress& target, const std::string& text) {
    const auto address = net::IpAddress::parse(text);
    if (address) target = *address;
    return address.has_value();
}

bool read_flows(std::uint32_t& target, const std::string& text) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, target);
    return error == std::errc{} && stop == end && target >= 1 && target <= 16'777'216;
}

bool read_tool(ProfileTool& target, const std::string& text) {
    constexpr std::pair<std::string_view, ProfileTool> kTools[] = {
        {"pktgen", ProfileTool::Pktgen},
        {"trex", ProfileTool::Trex},
        {"dperf", ProfileTool::Dperf},
        {"pollux-pktgen", ProfileTool::PolluxPktgen}};
    for (const auto& [name, tool] : kTools) {
        if (name != text) continue;
        target = tool;
        return true;
    }
    return false;
}

struct ProfileOption {
    std::string_view name;
    std::string_view value;
    bool (*read)(ProfileOptions& options, const std::string& text);
};

constexpr ProfileOption kProfileOptions[] = {
    {"--tool", "pktgen, trex, dperf or pollux-pktgen",
     [](ProfileOptions& o, const std::string& text) { return read_tool(o.tool, text); }},
    {"--node", "a node's name",
     [](ProfileOptions& o, const std::string& text) { return !(o.node = text).empty(); }},
    {"--service", "ADDRESS:PORT",
     [](ProfileOptions& o, const std::string& text) { return !(o.service = text).empty(); }},
    {"--role", "client or server",
     [](ProfileOptions& o, const std::string& text) {
         o.role = text;
         return text == "client" || text == "server";
     }},
    {"--clients", "a prefix",
     [](ProfileOptions& o, const std::string& text) {
         return (o.clients = net::IpPrefix::parse(text)).has_value();
     }},
    {"--flows", "1 to 16777216",
     [](ProfileOptions& o, const std::string& text) { return read_flows(o.flows, text); }},
    {"--balancer-mac", "a MAC",
     [](ProfileOptions& o, const std::string& text) {
         return (o.balancer_mac = net::MacAddress::parse(text)).has_value();
     }},
    {"--address", "an address",
     [](ProfileOptions& o, const std::string& text) { return read_address(o.address, text); }},
    {"--server-address", "an address",
     [](ProfileOptions& o, const std::string& text) {
         return read_address(o.server_address, text);
     }},
    {"--pci", "a PCI address",
     [](ProfileOptions& o, const std::string& text) { return !(o.pci = text).empty(); }},
    {"--server-pci", "a PCI address",
     [](ProfileOptions& o, const std::string& text) { return !(o.server_pci = text).empty(); }},
};

std::string endpoint(const VirtualServerConfig& service) {
    return net::endpoint(service.address, service.port);
}

bool is_usable(const VirtualServerConfig& service) {
    return service.address.family != net::Family::None && service.port != 0;
}

Result<VirtualServerConfig> find_service(const Config& config, const std::string& wanted) {
    std::string known;
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (!is_usable(service)) continue;
        if (wanted.empty() || endpoint(service) == wanted) return service;
        known += (known.empty() ? "" : ", ") + endpoint(service);
    }
    if (wanted.empty()) {
        return Error{"the file has no virtual_server with address and port",
                     "profiles are not made for marks, groups and services on every port"};
    }
    return Error{"the file has no virtual_server " + wanted, "it has " + known};
}

// The balancer's port whose network has the address; nullptr: behind a router.
const PortConfig* find_port(const Config& config, const net::IpAddress& address) {
    const PortConfig* best = nullptr;
    std::uint8_t longest = 0;
    for (const PortConfig& port : config.ports) {
        for (const net::IpPrefix& own : port.address) {
            const bool host_route = own.length == (own.address.is_v4() ? 32 : 128);
            if (host_route || !own.contains(address) || own.length < longest) continue;
            best = &port;
            longest = own.length;
        }
    }
    return best;
}

const PortConfig& named_port(const Config& config, const std::string& name) {
    const auto found = std::find_if(config.ports.begin(), config.ports.end(),
                                    [&name](const PortConfig& port) { return port.name == name; });
    return found == config.ports.end() ? config.ports.front() : *found;
}

// The port that owns the virtual address: by VRRP, by its networks, or the first one.
const PortConfig& port_of_service(const Config& config, const net::IpAddress& address) {
    for (const control::VrrpInstanceConfig& instance : config.vrrp_instances) {
        for (const auto* list :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (const control::VirtualIpConfig& vip : *list) {
                if (vip.address.address == address) return named_port(config, instance.interface);
            }
        }
    }
    const PortConfig* port = find_port(config, address);
    return port != nullptr ? *port : config.ports.front();
}

// RFC 9568 section 7.3: the virtual MAC belongs to the router, whoever is MASTER.
std::optional<net::MacAddress> virtual_mac(const Config& config, const net::IpAddress& address) {
    for (const control::VrrpInstanceConfig& instance : config.vrrp_instances) {
        if (!instance.use_vmac) continue;
        for (const control::VirtualIpConfig& vip : instance.virtual_ipaddress) {
            if (vip.address.address != address) continue;
            const std::uint8_t family = address.is_v4() ? 1 : 2;
            return net::MacAddress{{0, 0, 0x5e, 0, family, instance.virtual_router_id}};
        }
    }
    return std::nullopt;
}

// A route with a gateway on the port, but no default route: the clients it was written for.
const control::RouteConfig* route_to_clients(const Config& config, const PortConfig& port,
                                             net::Family family) {
    for (const control::RouteConfig& route : config.routes) {
        const bool fits =
            route.to.address.family == family && route.to.length > 0 && route.via.family == family;
        const PortConfig* out = fits ? find_port(config, route.via) : nullptr;
        const bool leaves_here = out != nullptr && out->name == port.name;
        if (leaves_here || (fits && route.dev == port.name)) return &route;
    }
    return nullptr;
}

net::IpAddress own_address(const PortConfig& port, net::Family family) {
    for (const net::IpPrefix& own : port.address) {
        const bool host_route = own.length == (own.address.is_v4() ? 32 : 128);
        if (own.address.family == family && !host_route) return own.address;
    }
    return {};
}

}  // namespace

Result<ProfileOptions> parse_bench_profile(const std::vector<std::string>& args) {
    ProfileOptions options;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const std::string& word = args[i];
        if (!word.starts_with("--")) {
            if (!options.file.empty()) return Error{"only one file can be read", ""};
            options.file = word;
            continue;
        }
        const auto* row =
            std::find_if(std::begin(kProfileOptions), std::end(kProfileOptions),
                         [&word](const ProfileOption& each) { return each.name == word; });
        if (row == std::end(kProfileOptions)) {
            return Error{"unknown option " + word, "see: pollux help bench-profile"};
        }
        if (++i == args.size()) return Error{word + " needs " + std::string(row->value), ""};
        if (!row->read(options, args[i])) {
            return Error{word + " cannot be '" + args[i] + "'", "give " + std::string(row->value)};
        }
    }
    if (options.file.empty()) {
        return Error{"which configuration file?", "see: pollux help bench-profile"};
    }
    return options;
}

Result<Profile> make_profile(const Config& config, const ProfileOptions& options) {
    const Result<VirtualServerConfig> service = find_service(config, options.service);
    if (!service) return service.error();
    if (config.ports.empty()) return Error{"the file has no [[dpdk.port]]", ""};
    if (service->real_server.empty()) return Error{"the virtual_server has no real_server", ""};
    const net::Family family = service->address.family;
    Profile profile;
    profile.service = *service;
    profile.flows = options.flows;
    profile.client_port = port_of_service(config, service->address);
    const PortConfig* behind = find_port(config, service->real_server.front().address);
    profile.server_port = behind != nullptr ? *behind : profile.client_port;
    profile.one_network = profile.server_port.name == profile.client_port.name;
    profile.balancer_mac = options.balancer_mac;
    if (!profile.balancer_mac) profile.balancer_mac = virtual_mac(config, service->address);
    profile.address = options.address;
    profile.server_address = options.server_address;
    profile.server_next_hop = own_address(profile.server_port, family);
    const control::RouteConfig* route = route_to_clients(config, profile.client_port, family);
    if (options.clients) {
        profile.clients = *options.clients;
    } else if (route != nullptr) {
        profile.clients = route->to;
    } else {
        profile.clients =
            net::IpPrefix::parse(family == net::Family::V4 ? kClientsV4 : kClientsV6).value();
    }
    if (profile.clients.address.family != family) {
        return Error{"--clients is of another family than the virtual_server",
                     "give another prefix"};
    }
    // The generator is the router that the balancer was told of.
    const bool routed = route != nullptr && route->to == profile.clients;
    if (profile.address.family == net::Family::None && routed) profile.address = route->via;
    for (const VirtualServerConfig& other : config.virtual_servers) {
        if (is_usable(other) && endpoint(other) != endpoint(*service)) {
            profile.others.push_back(endpoint(other));
        }
    }
    return profile;
}

ClientRange client_range(const net::IpPrefix& clients) {
    const bool is_v4 = clients.address.is_v4();
    const unsigned bits = (is_v4 ? 32U : 128U) - clients.length;
    const std::uint64_t all = std::uint64_t{1} << std::min(bits, 24U);
    const std::uint64_t skipped = bits < 2 ? 0 : 1;  // network and broadcast address
    const auto at = [&](std::uint64_t number) {
        net::IpAddress address = clients.network().address;
        const unsigned last = is_v4 ? 3 : 15;
        for (unsigned i = 0; i < 3; ++i) {
            address.bytes[last - i] |= static_cast<std::uint8_t>(number >> (8 * i));
        }
        return address;
    };
    const std::uint64_t count = all - 2 * skipped;
    return {at(skipped), at(skipped + count - 1), static_cast<std::uint32_t>(count)};
}

}  // namespace pollux::cli
