// SPDX-License-Identifier: Apache-2.0
// Rules of [[vrrp_instance]] and [[vrrp_sync_group]].

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <tuple>

#include "control/config/rules.h"
#include "control/config/rules_address.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const PortConfig* find_port(const Config& config, const std::string& name) {
    const auto found = std::ranges::find(config.ports, name, &PortConfig::name);
    return found == config.ports.end() ? nullptr : &*found;
}

// One instance at a time.
class InstanceRules {
  public:
    InstanceRules(const Config& config, const VrrpInstanceConfig& instance, Reporter& reporter)
        : config_(config),
          instance_(instance),
          reporter_(reporter),
          sources_(reporter.sources()),
          title_(titled("vrrp_instance", instance.name)) {}

    void run() {
        interval();
        authentication();
        preemption();
        addresses();
        owner();
        unicast();
        source_address();
        if (instance_.tuning.strict) strict();
        routes();
    }

  private:
    [[nodiscard]] bool written(std::string_view key) const {
        return sources_.written(instance_.origin, key);
    }
    [[nodiscard]] Place value(std::string_view key) const {
        return sources_.value(instance_.origin, key);
    }
    [[nodiscard]] Place key(std::string_view key) const {
        return sources_.key(instance_.origin, key);
    }
    [[nodiscard]] Place header() const { return sources_.header(instance_.origin); }

    void interval() {
        const Duration interval = instance_.advert_int;
        if (instance_.tuning.version == 2) {
            if (interval % seconds(1) == Duration::zero()) return;
            const auto nearest = (interval + milliseconds(500)) / seconds(1);
            reporter_.report("E0302", "VRRP version 2 counts `advert_int` in whole seconds")
                .at(value("advert_int"), "\"" + format_duration(interval) + "\" needs version 3")
                .note("all nodes of the instance must speak the same version")
                .help("version = 3, or advert_int = \"" + std::to_string(std::max(nearest, 1L)) +
                      "s\"");
            return;
        }
        if (interval > milliseconds(40950)) {
            reporter_.report("E0302", "VRRP version 3 has no `advert_int` above 40.95 s")
                .at(value("advert_int"), "at most \"40.95s\"");
        } else if (interval % milliseconds(10) != Duration::zero()) {
            reporter_.report("E0302", "VRRP version 3 counts `advert_int` in steps of 10 ms")
                .at(value("advert_int"), "not a multiple of \"10ms\"");
        }
    }

    void authentication() {
        const VrrpAuthentication& auth = instance_.authentication;
        if (auth.origin.line == 0 || sources_.broken(auth.origin)) return;
        const Place type = sources_.value(auth.origin, "type");
        const bool literal = sources_.written(auth.origin, "password");
        const bool secret = literal || sources_.written(auth.origin, "password_file");
        if (auth.type == AuthType::None) {
            if (secret) {
                reporter_.report("E0109", title_ + " has a password but no authentication type")
                    .at(type, "`type` is \"none\"")
                    .help("type = \"PASS\"");
            }
            return;
        }
        if (instance_.tuning.version == 3) {
            auto message = reporter_.report("E0305", "VRRP version 3 has no authentication");
            message.at(type, "PASS is part of version 2 only");
            if (instance_.family == net::Family::V6) {
                message.note("IPv6 instances always speak version 3");
            }
            message.help("remove `authentication`, or write version = 2");
        } else if (!secret) {
            reporter_.report("E0109", title_ + " has authentication without a password")
                .at(type, "`password_file` is missing")
                .help("password_file = \"${CREDENTIALS_DIRECTORY}/vrrp\"");
        }
        const Place place = sources_.value(auth.origin, literal ? "password" : "password_file");
        if (auth.password.size() > 8) {
            reporter_.report("E0313", "the password of " + title_ + " is longer than 8 characters")
                .at(place, "has " + std::to_string(auth.password.size()))
                .note("keepalived cuts such a password to 8 without a word to its peer's operator")
                .help("use its first 8 characters on all nodes");
        } else if (auth.password == "1111") {
            reporter_.report("W0314", "the password of " + title_ + " is that of every tutorial")
                .at(place, "it keeps nobody out")
                .note("PASS is sent in clear text: it guards against mistakes, not against people");
        }
    }

    void preemption() {
        if (instance_.state == InitialState::Master) {
            for (const std::string_view word : {"nopreempt", "preempt_delay"}) {
                const bool set = word == "nopreempt" ? instance_.nopreempt
                                                     : instance_.preempt_delay > Duration::zero();
                if (!set) continue;
                reporter_.report("E0306", "`" + std::string(word) + "` needs state = \"BACKUP\"")
                    .at(key(word), "has no effect on a node that starts as MASTER")
                    .at(value("state"), "starts as MASTER")
                    .help("state = \"BACKUP\" on all nodes: the priority elects the first MASTER");
            }
        }
        if (instance_.nopreempt && instance_.preempt_delay > Duration::zero()) {
            reporter_.report("W0307", "`preempt_delay` has no effect with nopreempt")
                .at(key("preempt_delay"), "the instance never preempts");
        }
    }

    void addresses() {
        if (instance_.virtual_ipaddress.empty()) {
            reporter_.report("E0311", title_ + " has no virtual address")
                .at(header(), "nothing would move between the nodes")
                .help("[[vrrp_instance.virtual_ipaddress]] with address = \"198.51.100.10/24\"");
        }
        for (const VirtualIpConfig& ip : instance_.virtual_ipaddress) {
            if (sources_.broken(ip.origin) || ip.address.address.family == instance_.family) {
                continue;
            }
            reporter_.report("E0316", title_ + " has addresses of both families")
                .at(sources_.value(ip.origin, "address"), "one family")
                .at(sources_.value(instance_.virtual_ipaddress.front().origin, "address"),
                    "the other one")
                .help("use a second instance, or virtual_ipaddress_excluded");
        }
        for (const auto* list :
             {&instance_.virtual_ipaddress, &instance_.virtual_ipaddress_excluded}) {
            for (const VirtualIpConfig& ip : *list) address(ip);
        }
        // RFC 9568 section 5.2.5: the count of addresses has 8 bits; the frame must fit the MTU.
        const std::size_t size = instance_.family == net::Family::V6 ? 16 : 4;
        const PortConfig* port = find_port(config_, instance_.interface);
        const std::size_t room = (port == nullptr ? 1500 : port->mtu) - 60;
        const std::size_t limit = std::min<std::size_t>(255, room / size);
        if (instance_.virtual_ipaddress.size() > limit) {
            reporter_.report("E0320", title_ + " has more addresses than an advertisement holds")
                .at(sources_.header(instance_.virtual_ipaddress[limit].origin),
                    "at most " + std::to_string(limit) + ", there are " +
                        std::to_string(instance_.virtual_ipaddress.size()))
                .help("put the others into virtual_ipaddress_excluded");
        }
    }

    void address(const VirtualIpConfig& ip) {
        if (sources_.broken(ip.origin)) return;
        const net::IpAddress& address = ip.address.address;
        if (const auto kind = unusable(address); !kind.empty()) {
            reporter_.report("E0321", address.to_string() + " cannot be a virtual address")
                .at(sources_.value(ip.origin, "address"), std::string(kind))
                .help(address.is_v6() ? "for example address = \"2001:db8::10/64\""
                                      : "for example address = \"198.51.100.10/24\"");
        }
        scope(ip);
        if (!ip.label.empty() && address.is_v6()) {
            reporter_.report("E0321", "IPv6 addresses have no label")
                .at(sources_.key(ip.origin, "label"), "belongs to IPv4 addresses only");
        }
        if (ip.broadcast.family != net::Family::None && !ip.broadcast.is_v4()) {
            reporter_.report("E0321", "IPv6 has no broadcast address")
                .at(sources_.value(ip.origin, "broadcast"), "belongs to IPv4 addresses only");
        }
    }

    // Linux has one scope for all addresses of a network on an interface.
    void scope(const VirtualIpConfig& ip) {
        const PortConfig* port = find_port(config_, ip.dev);
        if (ip.scope == 0 || port == nullptr) return;
        for (const net::IpPrefix& own : port->address) {
            if (own.length != ip.address.length || own.network() != ip.address.network()) continue;
            reporter_
                .report("E0321", ip.address.to_string() + " cannot have another scope than " +
                                     own.to_string() + " of the same network")
                .at(sources_.value(ip.origin, "scope"), "the kernel would refuse the address")
                .help("remove `scope`, or write the address with /" +
                      std::string(ip.address.address.is_v6() ? "128" : "32"));
            return;
        }
    }

    void owner() {
        if (instance_.priority != 255) return;
        const auto is_own = [this](const VirtualIpConfig& ip) {
            const PortConfig* port = find_port(config_, ip.dev);
            return port != nullptr &&
                   std::ranges::any_of(port->address, [&ip](const net::IpPrefix& own) {
                       return own.address == ip.address.address;
                   });
        };
        for (const VirtualIpConfig& ip : instance_.virtual_ipaddress) {
            if (sources_.broken(ip.origin) || is_own(ip)) continue;
            reporter_.report("E0303", "priority 255 is for the owner of the addresses only")
                .at(value("priority"), "from 1 to 254 for others")
                .at(sources_.value(ip.origin, "address"),
                    "is no address of port \"" + escaped(ip.dev) + "\"")
                .help("priority = 254");
            return;
        }
    }

    void unicast() {
        const PortConfig* port = find_port(config_, instance_.interface);
        for (const net::IpAddress& peer : instance_.unicast_peer) {
            if (peer.family != instance_.family) {
                reporter_
                    .report("E0322", "peer " + peer.to_string() + " is of the other address family")
                    .at(value("unicast_peer"), "the virtual addresses are another family");
            }
            const bool own_source = peer == instance_.mcast_src_ip;
            const bool own_port =
                port != nullptr && std::ranges::any_of(port->address, [&peer](const auto& prefix) {
                    return prefix.address == peer;
                });
            if (own_source || own_port) {
                reporter_.report("E0322", "`unicast_peer` names this node itself")
                    .at(value("unicast_peer"), peer.to_string() + " is this node's address")
                    .help("list the other nodes only; with one file for all, use `when`");
            }
            virtual_peer(peer);
        }
        if (written("unicast_ttl") && instance_.unicast_peer.empty()) {
            reporter_.report("W0323", "`unicast_ttl` has no effect without `unicast_peer`")
                .at(key("unicast_ttl"), "multicast advertisements always have 255");
        }
    }

    // A virtual address is at one of the nodes, perhaps at this one.
    void virtual_peer(const net::IpAddress& peer) {
        for (const VrrpInstanceConfig& other : config_.vrrp_instances) {
            for (const auto* list : {&other.virtual_ipaddress, &other.virtual_ipaddress_excluded}) {
                for (const VirtualIpConfig& ip : *list) {
                    if (sources_.broken(ip.origin) || ip.address.address != peer) continue;
                    reporter_.report("E0322", "`unicast_peer` names a virtual address")
                        .at(value("unicast_peer"), peer.to_string() + " moves between the nodes")
                        .at(sources_.value(ip.origin, "address"), "virtual here")
                        .help("list the addresses that the other nodes always have");
                    return;
                }
            }
        }
    }

    void source_address() {
        const net::IpAddress& source = instance_.mcast_src_ip;
        if (source.family == net::Family::None) return;
        if (source.family != instance_.family) {
            reporter_.report("E0322", "`mcast_src_ip` is of the other address family")
                .at(value("mcast_src_ip"), "the virtual addresses are another family");
            return;
        }
        const PortConfig* port = find_port(config_, instance_.interface);
        if (port == nullptr || port->address.empty()) return;
        const bool own = std::ranges::any_of(port->address, [&source](const net::IpPrefix& prefix) {
            return prefix.address == source;
        });
        if (!own) {
            reporter_
                .report("W0324",
                        "`mcast_src_ip` is no address of port \"" + escaped(port->name) + "\"")
                .at(value("mcast_src_ip"), "sent all the same; the tie-break goes by it");
        }
    }

    // vrrp_strict of keepalived, without its firewall.
    void strict() {
        const auto refuse = [this](const std::string& what, const Place& place) {
            reporter_.report("E0319", what + " is not possible with strict")
                .at(place, "not in RFC 9568")
                .help("remove it, or write strict = false");
        };
        if (!instance_.unicast_peer.empty()) refuse("unicast_peer", key("unicast_peer"));
        if (instance_.authentication.type != AuthType::None && instance_.tuning.version == 2) {
            refuse("authentication", sources_.key(instance_.authentication.origin, "type"));
        }
        if (instance_.preempt_delay > Duration::zero()) {
            refuse("preempt_delay", key("preempt_delay"));
        }
        if ((instance_.state == InitialState::Master) != (instance_.priority == 255)) {
            reporter_.report("E0319", "with strict, state MASTER and priority 255 go together")
                .at(value("state"), instance_.state == InitialState::Master ? "MASTER" : "BACKUP")
                .at(value("priority"), std::to_string(instance_.priority))
                .help("state = \"BACKUP\" with a priority below 255");
        }
        if (instance_.tuning.down_timer_adverts != 3) {
            refuse("down_timer_adverts other than 3", key("down_timer_adverts"));
        }
        if (instance_.tuning.version == 2 && instance_.family == net::Family::V6) {
            refuse("IPv6 with version 2", key("version"));
        }
    }

    void routes() {
        for (const RouteConfig& route : instance_.virtual_route) {
            if (sources_.broken(route.origin)) continue;
            if (route.via.family == net::Family::None && route.dev.empty()) {
                reporter_
                    .report("E0406", "virtual_route " + route.to.to_string() + " leads nowhere")
                    .at(sources_.header(route.origin), "`via` or `dev` is missing");
            }
        }
        if (instance_.tuning.version == 2 && instance_.family == net::Family::V6) {
            reporter_.report("E0325", "IPv6 needs VRRP version 3")
                .at(value("version"), "version 2 carries IPv4 addresses only")
                .help("remove `version`");
        }
    }

    const Config& config_;
    const VrrpInstanceConfig& instance_;
    Reporter& reporter_;
    const Sources& sources_;
    std::string title_;
};

// Two instances of one virtual router on a port would answer each other. Different unicast peers
// keep them apart.
void check_router_ids(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    using Key = std::tuple<std::string, net::Family, unsigned, bool>;
    std::map<Key, const VrrpInstanceConfig*> seen;
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        if (sources.broken(instance.origin)) continue;
        const bool unicast = !instance.unicast_peer.empty();
        const Key key{instance.interface, instance.family, instance.virtual_router_id, unicast};
        const auto [entry, fresh] = seen.try_emplace(key, &instance);
        if (fresh) continue;
        const VrrpInstanceConfig& other = *entry->second;
        const bool apart =
            unicast && std::ranges::none_of(instance.unicast_peer, [&](const net::IpAddress& peer) {
                return std::ranges::count(other.unicast_peer, peer) > 0;
            });
        if (apart) continue;
        reporter
            .report("E0301", "\"" + escaped(other.name) + "\" and \"" + escaped(instance.name) +
                                 "\" both have virtual_router_id " +
                                 std::to_string(instance.virtual_router_id) + " with " +
                                 (instance.family == net::Family::V6 ? "IPv6" : "IPv4") +
                                 " on port \"" + escaped(instance.interface) + "\"")
            .at(sources.value(instance.origin, "virtual_router_id"), "must be another number")
            .at(sources.value(other.origin, "virtual_router_id"), "taken here")
            .note("they would take each other's advertisements for their own");
    }
}

void check_addresses_once(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    struct Seen {
        const VrrpInstanceConfig* instance;
        Origin origin;
    };
    std::map<net::IpAddress, Seen> seen;
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        for (const auto* list :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (const VirtualIpConfig& ip : *list) {
                if (sources.broken(ip.origin)) continue;
                const auto [other, fresh] =
                    seen.try_emplace(ip.address.address, Seen{&instance, ip.origin});
                if (fresh) continue;
                const bool same = other->second.instance == &instance;
                reporter
                    .report("E0304",
                            ip.address.address.to_string() +
                                (same ? " is twice in one instance" : " is in two instances"))
                    .at(sources.value(ip.origin, "address"), "again here")
                    .at(sources.value(other->second.origin, "address"),
                        same
                            ? "first here"
                            : "already in " + titled("vrrp_instance", other->second.instance->name))
                    .note("two masters could own it at the same time");
            }
        }
    }
}

void check_groups(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    std::map<std::string, const VrrpSyncGroupConfig*> member_of;
    for (const VrrpSyncGroupConfig& group : config.vrrp_sync_groups) {
        if (sources.broken(group.origin)) continue;
        const std::string title = titled("vrrp_sync_group", group.name);
        if (group.group.size() < 2) {
            reporter.report("E0317", title + " has fewer than two members")
                .at(sources.value(group.origin, "group"), "nothing to keep in step");
        }
        for (const std::string& name : group.group) {
            const auto [other, fresh] = member_of.try_emplace(name, &group);
            if (fresh) continue;
            const bool same = other->second == &group;
            reporter
                .report("E0317", "instance \"" + escaped(name) + "\" is in " +
                                     (same ? title + " twice" : "two sync groups"))
                .at(sources.value(group.origin, "group"), "again here")
                .at(sources.value(other->second->origin, "group"), "first here");
        }
    }
}

}  // namespace

void check_vrrp(const Config& config, Reporter& reporter) {
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        if (reporter.sources().broken(instance.origin)) continue;
        InstanceRules(config, instance, reporter).run();
    }
    check_router_ids(config, reporter);
    check_addresses_once(config, reporter);
    check_groups(config, reporter);
}

}  // namespace pollux::control
