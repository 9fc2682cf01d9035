// SPDX-License-Identifier: Apache-2.0
// Rules of [[virtual_server]], its servers and [[virtual_server_group]].

#include "control/config/rules_service.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "control/config/rules.h"
#include "control/config/rules_address.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

using lb::ForwardingMethod;
using lb::SchedulerKind;

bool covered(const std::vector<net::IpPrefix>& prefixes, const net::IpAddress& address) {
    return std::ranges::any_of(
        prefixes, [&address](const net::IpPrefix& prefix) { return prefix.contains(address); });
}

// What is on the link of some port: its networks, on-link routes and static neighbours.
std::vector<net::IpPrefix> on_link_prefixes(const Config& config) {
    std::vector<net::IpPrefix> prefixes;
    for (const PortConfig& port : config.ports) {
        prefixes.insert(prefixes.end(), port.address.begin(), port.address.end());
    }
    for (const RouteConfig& route : config.routes) {
        if (route.via.family == net::Family::None) prefixes.push_back(route.to);
    }
    for (const NeighbourConfig& neighbour : config.neighbours) {
        const bool v6 = neighbour.address.is_v6();
        prefixes.push_back({neighbour.address, static_cast<std::uint8_t>(v6 ? 128 : 32)});
    }
    return prefixes;
}

bool has_family(const std::vector<net::IpPrefix>& prefixes, net::Family family) {
    return std::ranges::any_of(prefixes, [family](const net::IpPrefix& prefix) {
        return prefix.address.family == family;
    });
}

std::string_view family_name(net::Family family) {
    return family == net::Family::V6 ? "IPv6" : "IPv4";
}

// What is common to a real server and a sorry server.
struct Target {
    const Origin& origin;
    const net::IpAddress& address;
    std::uint16_t port;
    ForwardingMethod method;
    std::string what;  // "real server", "sorry server"
};

// What all services have around them.
struct Surroundings {
    std::vector<net::IpPrefix> on_link;
    OwnAddresses own;
};

class ServiceRules {
  public:
    ServiceRules(const Config& config, const VirtualServerConfig& service,
                 const Surroundings& around, Reporter& reporter)
        : config_(config),
          service_(service),
          on_link_(around.on_link),
          own_(around.own),
          reporter_(reporter),
          sources_(reporter.sources()),
          title_(title_of(service)) {}

    void run() {
        if (!identity()) return;
        scheduling();
        persistence();
        servers();
        check_quorum(service_, reporter_);
        reachability();
        behaviour();
    }

  private:
    [[nodiscard]] bool written(std::string_view key) const {
        return sources_.written(service_.origin, key);
    }
    [[nodiscard]] Place key(std::string_view key) const {
        return sources_.key(service_.origin, key);
    }
    [[nodiscard]] Place value(std::string_view key) const {
        return sources_.value(service_.origin, key);
    }
    [[nodiscard]] Place header() const { return sources_.header(service_.origin); }

    bool identity() {
        std::vector<std::string_view> given;
        for (const std::string_view word : {"address", "fwmark", "group"}) {
            if (written(word)) given.push_back(word);
        }
        if (given.empty()) {
            reporter_.report("E0201", "a [[virtual_server]] has no address")
                .at(header(), "`address` with `port`, or `fwmark`, or `group` is missing")
                .help("address = \"198.51.100.10\" and port = 80");
            return false;
        }
        if (given.size() > 1) {
            reporter_.report("E0111", title_ + " is named in two ways")
                .at(key(given[1]), "either this")
                .at(key(given[0]), "or this")
                .help("keep one of `address`, `fwmark` and `group`");
            return false;
        }
        if (given[0] == "address" && !written("port")) {
            reporter_.report("E0109", title_ + " has no `port`")
                .at(value("address"), "`port` is missing")
                .help("port = 80; port = 0 means every port and needs persistence_timeout");
            return false;
        }
        for (const std::string_view word : {"port", "family"}) {
            if (!written(word) || (given[0] == (word == "port" ? "address" : "fwmark"))) continue;
            reporter_
                .report("E0111", "`" + std::string(word) + "` does not go with `" +
                                     std::string(given[0]) + "`")
                .at(key(word), word == "port" ? "belongs to `address`" : "belongs to `fwmark`");
        }
        if (given[0] != "fwmark" && service_.protocol == lb::Protocol::None) {
            reporter_.report("E0202", title_ + " has no `protocol`")
                .at(header(), "`protocol` is missing: TCP, UDP or SCTP")
                .note("keepalived would take UDP without a word")
                .help("protocol = \"TCP\"");
        }
        return true;
    }

    void scheduling() {
        struct Flag {
            bool set;
            const char* suffix;
        };
        const SchedulerKind kind = service_.lvs_sched;
        if (written("sched_flags") && kind != SchedulerKind::Sh && kind != SchedulerKind::Mh) {
            reporter_.report("E0209", "`sched_flags` belongs to the schedulers sh and mh")
                .at(key("sched_flags"), "has no effect with this scheduler")
                .at(value("lvs_sched"), "the scheduler");
        }
        if (service_.ops && service_.protocol != lb::Protocol::Udp && service_.fwmark == 0) {
            reporter_.report("E0208", "one-packet scheduling is for UDP only")
                .at(key("ops"), "each packet would go to another server")
                .at(value("protocol"), "the protocol");
        }
        static constexpr std::array kUnweighted = {SchedulerKind::Rr, SchedulerKind::Lc,
                                                   SchedulerKind::Fo, SchedulerKind::Ovf};
        if (service_.slow_start > Duration::zero() && std::ranges::count(kUnweighted, kind) > 0) {
            reporter_.report("W0223", "`slow_start` has no effect with this scheduler")
                .at(key("slow_start"), "ramps the weight")
                .at(value("lvs_sched"), "does not share by weight");
        }
    }

    void persistence() {
        const bool persistent = service_.persistence_timeout > Duration::zero();
        const bool any_port = service_.fwmark == 0 && service_.group.empty() && service_.port == 0;
        if (any_port && !persistent) {
            reporter_.report("E0207", "a service on every port needs persistence")
                .at(value("port"), "0 means every port")
                .note("a client's connections to several ports must reach the same server")
                .help("persistence_timeout = \"360s\"");
        }
        if (written("persistence_granularity") && !persistent) {
            reporter_.report("E0227", "`persistence_granularity` has no effect without persistence")
                .at(key("persistence_granularity"), "`persistence_timeout` is missing")
                .help("persistence_timeout = \"360s\"");
        }
        const Place granularity = value("persistence_granularity");
        if (service_.family == net::Family::V4 && service_.persistence_granularity > 32) {
            reporter_.report("E0104", "`persistence_granularity` is out of range")
                .at(granularity, "at most 32 for IPv4");
        }
        if (persistent &&
            (service_.lvs_sched == SchedulerKind::Sh || service_.lvs_sched == SchedulerKind::Mh)) {
            reporter_.report("W0215", "persistence with a hashing scheduler is pointless")
                .at(key("persistence_timeout"), "costs a table entry per client")
                .at(value("lvs_sched"), "already gives a client the same server");
        }
        if (persistent && service_.ops) {
            reporter_.report("E0208", "one-packet scheduling excludes persistence")
                .at(key("ops"), "no connection is kept")
                .at(key("persistence_timeout"), "keeps a client's server");
        }
    }

    void servers() {
        if (service_.real_server.empty()) {
            reporter_.report("W0211", title_ + " has no real server")
                .at(header(), "every connection would be refused");
        }
        std::map<std::pair<net::IpAddress, unsigned>, const RealServerConfig*> seen;
        for (const RealServerConfig& server : service_.real_server) {
            if (sources_.broken(server.origin)) continue;
            target({server.origin, server.address, server.port, server.lvs_method, "real server"});
            tunnel(server.tunnel, server.lvs_method);
            thresholds(server);
            const auto [other, fresh] = seen.try_emplace({server.address, server.port}, &server);
            if (fresh) continue;
            reporter_
                .report("E0204", "real server " + server.address.to_string() + ":" +
                                     std::to_string(server.port) + " is twice in " + title_)
                .at(sources_.value(server.origin, "address"), "again here")
                .at(sources_.value(other->second->origin, "address"), "first here");
        }
        if (service_.sorry_server && !sources_.broken(service_.sorry_server->origin)) {
            const SorryServerConfig& sorry = *service_.sorry_server;
            target({sorry.origin, sorry.address, sorry.port, sorry.lvs_method, "sorry server"});
            tunnel(sorry.tunnel, sorry.lvs_method);
        }
        tunnel(service_.tunnel, service_.lvs_method);
    }

    void target(const Target& target) {
        port(target);
        family(target);
        if (!host(target)) return;
        if (target.method == ForwardingMethod::DirectRouting) on_link(target);
        if (target.method == ForwardingMethod::FullNat) local_address(target);
    }

    // Whether the address can be that of another machine.
    bool host(const Target& target) {
        const Place place = sources_.value(target.origin, "address");
        const std::string text = target.address.to_string();
        const OwnAddresses::Own* own = own_.find(target.address);
        if (own != nullptr || target.address.is_loopback() || is_service(target.address)) {
            auto message = reporter_.report("E0239", target.what + " " + text + " is this node");
            message.at(place, own != nullptr                 ? own->what
                              : target.address.is_loopback() ? "a loopback address"
                                                             : "the address of the service");
            if (own != nullptr) message.at(own->place, "here");
            message.note(
                "LVS hands such packets to a program of its own host; behind Pollux there is "
                "none, and they would be lost");
            message.help("write the address of another machine");
            return false;
        }
        std::string kind(unusable(target.address));
        for (const PortConfig& port : config_.ports) {
            for (const net::IpPrefix& network : port.address) {
                const std::string_view edge = edge_of(network, target.address);
                if (edge.empty() || !kind.empty() || sources_.broken(port.origin)) continue;
                kind = std::string(edge) + " of " + network.network().to_string() + " on port \"" +
                       escaped(port.name) + "\"";
            }
        }
        if (kind.empty()) return true;
        reporter_.report("E0228", text + " cannot be a " + target.what)
            .at(place, kind)
            .help("write the address of another machine");
        return false;
    }

    [[nodiscard]] bool is_service(const net::IpAddress& address) const {
        if (service_.group.empty()) return service_.fwmark == 0 && service_.address == address;
        for (const VirtualServerGroupConfig& group : config_.virtual_server_groups) {
            if (group.name != service_.group) continue;
            for (const GroupMemberConfig& member : group.member) {
                if (member.address.family == address.family && member.address <= address &&
                    address <= member.address_last) {
                    return true;
                }
            }
        }
        return false;
    }

    void port(const Target& target) {
        const bool rewrites =
            target.method == ForwardingMethod::Nat || target.method == ForwardingMethod::FullNat;
        if (rewrites || service_.fwmark != 0 || target.port == service_.port) return;
        if (!service_.group.empty() && target.port == 0) return;  // the packet's own port
        const std::string wanted = std::to_string(service_.port);
        const std::string method = target.method == ForwardingMethod::DirectRouting ? "DR" : "TUN";
        auto message =
            reporter_.report("E0213", target.what +
                                          " port differs from the service port, not possible with "
                                          "lvs_method = \"" +
                                          method + "\"");
        message.at(sources_.value(target.origin, "port"), "must be " + wanted + " for DR and TUN");
        if (written("port")) message.at(value("port"), "the service listens here");
        message.help("use lvs_method = \"NAT\", or set port = " + wanted);
    }

    void family(const Target& target) {
        const bool any =
            target.method == ForwardingMethod::Tunnel || target.method == ForwardingMethod::FullNat;
        if (any || target.address.family == service_.family) return;
        reporter_
            .report("E0205", "an " + std::string(family_name(target.address.family)) + " " +
                                 target.what + " cannot serve an " +
                                 std::string(family_name(service_.family)) + " service with " +
                                 (target.method == ForwardingMethod::Nat ? "NAT" : "DR"))
            .at(sources_.value(target.origin, "address"),
                std::string(family_name(target.address.family)))
            .at(written("address") ? value("address") : header(),
                std::string(family_name(service_.family)))
            .help("use lvs_method = \"TUN\" or \"FNAT\"");
    }

    void on_link(const Target& target) {
        if (!has_family(on_link_, target.address.family)) return;
        if (covered(on_link_, target.address)) return;
        reporter_.report("E0226", "DR needs the " + target.what + " on the link of a port")
            .at(sources_.value(target.origin, "address"), "in the network of no port")
            .note("DR changes the destination MAC only: no router may be in between")
            .help("use lvs_method = \"TUN\", or give a port an address of that network");
    }

    void local_address(const Target& target) {
        const bool found = std::ranges::any_of(
            config_.local_addresses, [&target](const LocalAddressConfig& local) {
                return local.address.family == target.address.family;
            });
        if (found || local_address_reported_) return;
        local_address_reported_ = true;
        reporter_.report("E0206", "FNAT needs a [[local_address]] of the server's family")
            .at(sources_.value(target.origin, "address"),
                "no " + std::string(family_name(target.address.family)) +
                    " address to hide clients "
                    "behind")
            .help("[[local_address]] with address = \"" +
                  std::string(target.address.is_v6() ? "fd00::100" : "10.0.0.100") + "\"");
    }

    void tunnel(const TunnelConfig& tunnel, ForwardingMethod method) {
        if (tunnel.origin.line == 0 || sources_.broken(tunnel.origin)) return;
        // A server's copy of the service's table is judged with the service.
        if (tunnels_judged_.contains(tunnel.origin.element)) return;
        tunnels_judged_.insert(tunnel.origin.element);
        const bool used = method == ForwardingMethod::Tunnel ||
                          std::ranges::any_of(service_.real_server, [](const auto& server) {
                              return server.lvs_method == ForwardingMethod::Tunnel;
                          });
        if (!used) {
            reporter_.report("E0229", "`tunnel` goes with lvs_method = \"TUN\" only")
                .at(sources_.header(tunnel.origin), "has no effect here");
            return;
        }
        if (sources_.written(tunnel.origin, "port") && tunnel.type != lb::TunnelKind::Gue) {
            reporter_.report("E0229", "only a gue tunnel has a `port`")
                .at(sources_.key(tunnel.origin, "port"), "has no effect")
                .at(sources_.value(tunnel.origin, "type"), "the type");
        }
        if (tunnel.checksum && tunnel.type == lb::TunnelKind::Ipip) {
            reporter_.report("E0229", "an ipip tunnel has no checksum")
                .at(sources_.key(tunnel.origin, "checksum"), "belongs to gue and gre")
                .at(sources_.value(tunnel.origin, "type"), "the type");
        }
    }

    void thresholds(const RealServerConfig& server) {
        if (server.lthreshold == 0 || server.lthreshold <= server.uthreshold) return;
        reporter_.report("E0214", "`lthreshold` is above `uthreshold`")
            .at(sources_.value(server.origin, "lthreshold"), "the lower limit")
            .at(sources_.value(server.origin, "uthreshold"),
                server.uthreshold == 0 ? "no upper limit" : "the upper limit");
    }

    // Somebody must answer for the address, and a mark must come from somewhere.
    void reachability() {
        if (service_.fwmark != 0) {
            const bool given = std::ranges::any_of(
                config_.marks, [this](const auto& rule) { return rule.mark == service_.fwmark; });
            if (given) return;
            reporter_
                .report("W0221",
                        "no [[mark]] gives packets the mark " + std::to_string(service_.fwmark))
                .at(value("fwmark"), "the service gets no packets")
                .help("[[mark]] with destination, destination_port and mark = " +
                      std::to_string(service_.fwmark));
            return;
        }
        if (!service_.group.empty()) return;
        if (const auto kind = unusable(service_.address); !kind.empty()) {
            reporter_
                .report("E0240",
                        service_.address.to_string() + " cannot be the address of a service")
                .at(value("address"), std::string(kind))
                .help("the address that clients ask, or `fwmark` for what a [[mark]] matches");
            return;
        }
        if (is_answered_for(config_, service_.address)) return;
        reporter_.report("W0222", "nobody answers for " + service_.address.to_string())
            .at(value("address"), "in no [[vrrp_instance]], and no port has it")
            .note("packets arrive only if a router sends them here")
            .help("add it to a [[vrrp_instance]], or to `address` of a port");
    }

    void behaviour() {
        if (service_.on_server_down == OnServerDown::Reschedule &&
            service_.protocol != lb::Protocol::Udp) {
            reporter_.report("E0220", "only UDP can be rescheduled to another server")
                .at(value("on_server_down"), "a TCP or SCTP connection has state in its server")
                .at(value("protocol"), "the protocol")
                .help("on_server_down = \"reset\" ends the connections at once");
        }
        const bool tunnelled = std::ranges::any_of(service_.real_server, [](const auto& server) {
            return server.lvs_method == ForwardingMethod::Tunnel;
        });
        if (tunnelled && !config_.conntrack.sysctl.pmtu_disc) {
            reporter_.report("W0225", "big packets of " + title_ + " will be cut into fragments")
                .at(sources_.value(config_.conntrack.origin, "pmtu_disc"),
                    "senders are not told that a tunnel makes packets bigger")
                .help("pmtu_disc = true, or a larger mtu on the ports and servers");
        }
    }

    const Config& config_;
    const VirtualServerConfig& service_;
    const std::vector<net::IpPrefix>& on_link_;
    const OwnAddresses& own_;
    Reporter& reporter_;
    const Sources& sources_;
    std::string title_;
    std::set<std::uint32_t> tunnels_judged_;
    bool local_address_reported_ = false;
};

}  // namespace

void check_services(const Config& config, Reporter& reporter) {
    const Surroundings around{on_link_prefixes(config), {config, reporter.sources()}};
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (reporter.sources().broken(service.origin)) continue;
        ServiceRules(config, service, around, reporter).run();
    }
    check_service_groups(config, reporter);
    check_services_once(config, reporter);
}

}  // namespace pollux::control
