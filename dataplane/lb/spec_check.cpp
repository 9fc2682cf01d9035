// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/spec_check.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "dataplane/lb/scheduler.h"
#include "dataplane/lb/service_lookup.h"
#include "dataplane/net/endpoint.h"

namespace pollux::lb {
namespace {

constexpr std::size_t kMaxPorts = 64;
constexpr std::size_t kMaxRoutes = 1U << 20;
constexpr std::size_t kMaxMarkRules = 1024;

Status fail(std::string message, std::string remedy) {
    return Error{std::move(message), std::move(remedy)};
}

unsigned bits(const net::IpAddress& address) {
    return address.is_v4() ? 32 : 128;
}

bool has_local_address(const DataPlaneSpec& spec, net::Family family) {
    return std::any_of(
        spec.local_addresses.begin(), spec.local_addresses.end(),
        [family](const LocalAddressSpec& local) { return local.address.family == family; });
}

Status check_server(const RealServerSpec& server, const ServiceSpec& service,
                    const DataPlaneSpec& spec) {
    // Only for messages: there may be tens of thousands of servers.
    const auto fail_server = [&server, &service](const std::string& what, std::string remedy) {
        return fail("real server " + net::endpoint(server.address, server.port) + " of " +
                        describe(service) + what,
                    std::move(remedy));
    };
    if (server.address.is_unspecified()) {
        return fail_server(" has no address", "give an IPv4 or IPv6 address");
    }
    const bool crosses = server.address.family != service.address.family;
    if (crosses && server.method != ForwardingMethod::Tunnel &&
        server.method != ForwardingMethod::FullNat) {
        return fail_server(" is of another address family",
                           "use TUN or FNAT for a server of the other family");
    }
    if (server.method == ForwardingMethod::FullNat &&
        !has_local_address(spec, server.address.family)) {
        return fail_server(" uses FNAT, but there is no local address for it",
                           "add a local address of the server's family");
    }
    if (server.upper_threshold != 0 && server.lower_threshold > server.upper_threshold) {
        return fail_server(" has a lower threshold above the upper one",
                           "make the lower threshold at most the upper one");
    }
    return ok_status();
}

Status check_service(const ServiceSpec& service, const DataPlaneSpec& spec) {
    const std::string name = "service " + describe(service);
    if (service.address.family == net::Family::None) {
        return fail(name + " has no address family", "give an IPv4 or IPv6 address");
    }
    if (service.fwmark == 0) {
        if (service.protocol == Protocol::None) return fail(name + " has no protocol", "");
        if (service.port == 0 && !service.persistence) {
            return fail(name + " has port 0 but no persistence",
                        "give it a persistence timeout or a port");
        }
        if (service.one_packet && service.protocol != Protocol::Udp) {
            return fail(name + " asks for one-packet scheduling, which is for UDP", "");
        }
    }
    if (service.persistence) {
        const PersistenceSpec& persistence = *service.persistence;
        if (persistence.timeout <= Duration::zero()) {
            return fail(name + " has a persistence timeout of zero", "make it at least 1s");
        }
        if (persistence.prefix > bits(service.address)) {
            return fail(name + " has an impossible persistence granularity",
                        "use at most 32 for IPv4 and 128 for IPv6");
        }
    }
    if (service.servers.size() > kMaxServersPerService) {
        return fail(name + " has too many real servers",
                    "use at most " + std::to_string(kMaxServersPerService));
    }
    std::set<std::pair<net::IpAddress, std::uint16_t>> seen;
    for (const RealServerSpec& server : service.servers) {
        if (!seen.emplace(server.address, server.port).second) {
            return fail("real server " + net::endpoint(server.address, server.port) +
                            " appears twice in " + describe(service),
                        "remove one of them");
        }
        if (Status status = check_server(server, service, spec); !status) return status;
    }
    return ok_status();
}

Status check_services(const DataPlaneSpec& spec, const DataPlaneLimits& limits) {
    if (spec.services.size() > limits.max_services) {
        return fail("more services than max_services = " + std::to_string(limits.max_services),
                    "raise the limit and restart");
    }
    std::set<ServiceKey> seen;
    for (const ServiceSpec& service : spec.services) {
        if (!seen.insert(ServiceKey::of(service)).second) {
            return fail("service " + describe(service) + " appears twice", "remove one of them");
        }
        if (Status status = check_service(service, spec); !status) return status;
    }
    return ok_status();
}

Status check_network(const DataPlaneSpec& spec) {
    if (spec.ports.size() > kMaxPorts) return fail("more than 64 ports", "use fewer ports");
    if (spec.routes.size() > kMaxRoutes) {
        return fail("more than " + std::to_string(kMaxRoutes) + " routes", "use fewer routes");
    }
    for (const RouteSpec& route : spec.routes) {
        if (route.port != kNoPort && static_cast<std::size_t>(route.port) >= spec.ports.size()) {
            return fail("route " + route.destination.to_string() + " names no port", "");
        }
    }
    for (const LocalAddressSpec& local : spec.local_addresses) {
        if (local.address.is_unspecified() || local.port_first == 0 ||
            local.port_first > local.port_last) {
            return fail("local address " + local.address.to_string() + " offers no ports",
                        "give a first port above 0 and a last port not below it");
        }
    }
    if (spec.marks.size() > kMaxMarkRules) {
        return fail("more than 1024 mark rules", "use fewer rules");
    }
    return ok_status();
}

}  // namespace

std::string describe(const ServiceSpec& service) {
    if (service.fwmark != 0) return "fwmark " + std::to_string(service.fwmark);
    std::string text;
    switch (service.protocol) {
        case Protocol::Tcp:
            text = "tcp ";
            break;
        case Protocol::Udp:
            text = "udp ";
            break;
        case Protocol::Sctp:
            text = "sctp ";
            break;
        case Protocol::None:
            break;
    }
    return text + net::endpoint(service.address, service.port);
}

Status check_limits(const DataPlaneLimits& limits) {
    if (limits.workers < 1 || limits.workers > 64) {
        return fail("the number of workers must be 1 to 64", "");
    }
    if (limits.max_services == 0 || limits.max_servers == 0) {
        return fail("max_services and max_servers must be above 0", "");
    }
    if (limits.embryonic_share <= 0.0 || limits.embryonic_share > 1.0) {
        return fail("the embryonic share must be above 0 and at most 1", "");
    }
    return ok_status();
}

Status check_spec(const DataPlaneSpec& spec, const DataPlaneLimits& limits) {
    if (Status status = check_network(spec); !status) return status;
    return check_services(spec, limits);
}

}  // namespace pollux::lb
