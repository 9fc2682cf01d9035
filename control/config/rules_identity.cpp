// SPDX-License-Identifier: Apache-2.0
// Quorum, groups, and that a service occurs once.

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "control/config/rules.h"
#include "control/config/rules_address.h"
#include "control/config/rules_service.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

using ServiceKey =
    std::tuple<net::Family, lb::Protocol, net::IpAddress, std::uint16_t, std::uint32_t>;

struct Use {
    ServiceKey key;
    const VirtualServerConfig* service;
    Place place;
};

// The next address; wraps at the end of the family.
net::IpAddress next(net::IpAddress address) {
    for (std::size_t i = address.is_v4() ? 4 : 16; i-- > 0;) {
        if (++address.bytes[i] != 0) break;
    }
    return address;
}

constexpr std::size_t kMaxRange = 4096;

std::vector<ServiceKey> keys_of(const GroupMemberConfig& member, lb::Protocol protocol) {
    std::vector<ServiceKey> keys;
    if (member.fwmark != 0) {
        keys.emplace_back(member.family, lb::Protocol::None, net::IpAddress{}, 0, member.fwmark);
        return keys;
    }
    net::IpAddress address = member.address;
    for (std::size_t i = 0; i < kMaxRange; ++i, address = next(address)) {
        keys.emplace_back(address.family, protocol, address, member.port, 0);
        if (address == member.address_last) break;
    }
    return keys;
}

std::vector<Use> uses_of(const Config& config, const VirtualServerConfig& service,
                         const Sources& sources) {
    if (service.group.empty()) {
        const bool mark = service.fwmark != 0;
        const ServiceKey key{service.family, mark ? lb::Protocol::None : service.protocol,
                             mark ? net::IpAddress{} : service.address, mark ? 0 : service.port,
                             service.fwmark};
        return {{key, &service, sources.value(service.origin, mark ? "fwmark" : "address")}};
    }
    std::vector<Use> uses;
    for (const VirtualServerGroupConfig& group : config.virtual_server_groups) {
        if (group.name != service.group) continue;
        for (const GroupMemberConfig& member : group.member) {
            if (sources.broken(member.origin)) continue;
            for (const ServiceKey& key : keys_of(member, service.protocol)) {
                uses.push_back({key, &service, sources.header(member.origin)});
            }
        }
    }
    return uses;
}

std::string text_of(const ServiceKey& key) {
    const auto& [family, protocol, address, port, fwmark] = key;
    if (fwmark != 0) return "fwmark " + std::to_string(fwmark);
    const bool v6 = family == net::Family::V6;
    return (v6 ? "[" : "") + address.to_string() + (v6 ? "]" : "") + ":" + std::to_string(port);
}

void check_member(const VirtualServerGroupConfig& group, const GroupMemberConfig& member,
                  Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const std::string title = titled("virtual_server_group", group.name);
    const bool address = sources.written(member.origin, "address");
    if (address == (member.fwmark != 0)) {
        reporter
            .report(address ? "E0111" : "E0109",
                    "a member of " + title +
                        (address ? " has an address and a mark" : " has no address"))
            .at(sources.header(member.origin), "`address` with `port`, or `fwmark`")
            .help("member = [{ address = \"198.51.100.10\", port = 80 }]");
        return;
    }
    if (address && !sources.written(member.origin, "port")) {
        reporter.report("E0109", "a member of " + title + " has no `port`")
            .at(sources.value(member.origin, "address"), "`port` is missing")
            .help("port = 80; port = 0 means every port and needs persistence_timeout");
    }
    for (const net::IpAddress& end : {member.address, member.address_last}) {
        const std::string_view kind = address ? unusable(end) : "";
        if (kind.empty()) continue;
        reporter.report("E0240", end.to_string() + " cannot be the address of a service")
            .at(sources.value(member.origin, "address"), std::string(kind))
            .help("the address that clients ask, or `fwmark` for what a [[mark]] matches");
        return;
    }
    std::size_t count = 0;
    for (net::IpAddress at = member.address; at != member.address_last && count <= kMaxRange;
         at = next(at)) {
        ++count;
    }
    if (count >= kMaxRange) {
        reporter.report("E0104", "a range of " + title + " is too long")
            .at(sources.value(member.origin, "address"),
                "at most " + std::to_string(kMaxRange) + " addresses");
    }
}

// As the data plane counts: each member of a group is a service with servers of its own.
struct Totals {
    std::uint64_t services = 0;
    std::uint64_t servers = 0;
};

void check_room(const Config& config, const Totals& totals, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const ConntrackConfig& sizes = config.conntrack;
    if (config.virtual_servers.empty() || sources.broken(sizes.origin)) return;
    const auto judge = [&](const std::string& what, std::string_view key, std::uint64_t count,
                           std::uint64_t limit) {
        if (count <= limit) return;
        const bool written = sources.written(sizes.origin, key);
        reporter.report("E0241", "the file has more " + what + " than `" + std::string(key) + "`")
            .at(written ? sources.value(sizes.origin, key)
                        : sources.header(config.virtual_servers.front().origin),
                std::to_string(count) + " are more than " + std::to_string(limit))
            .note("each address of a [[virtual_server_group]] counts, with servers of its own")
            .help("[conntrack] " + std::string(key) + " = " + std::to_string(count + count / 2));
    };
    judge("services", "max_services", totals.services, sizes.max_services);
    judge("real servers", "max_servers", totals.servers, sizes.max_servers);
}

}  // namespace

void check_quorum(const VirtualServerConfig& service, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    std::uint64_t total = 0;
    for (const RealServerConfig& server : service.real_server) {
        if (sources.broken(server.origin)) return;
        total += server.weight;
    }
    if (service.real_server.empty()) return;
    if (service.quorum > total) {
        reporter.report("E0210", "the quorum of " + title_of(service) + " can never be reached")
            .at(sources.written(service.origin, "quorum") ? sources.value(service.origin, "quorum")
                                                          : sources.header(service.origin),
                "needs weight " + std::to_string(service.quorum) + ", all servers together have " +
                    std::to_string(total))
            .help(total == 0 ? "weight = 1 for a server; 0 takes no new connections"
                             : "quorum = " + std::to_string(total) + " at most");
        return;
    }
    if (service.hysteresis >= service.quorum && service.hysteresis > 0) {
        reporter.report("E0212", "`hysteresis` must be below `quorum`")
            .at(sources.value(service.origin, "hysteresis"), "the service would never go down")
            .help("hysteresis = " + std::to_string(service.quorum - 1) + " at most");
    } else if (service.quorum + service.hysteresis > total) {
        reporter.report("E0210", "the service " + title_of(service) + " can never come up")
            .at(sources.value(service.origin, "hysteresis"),
                "needs weight " + std::to_string(service.quorum + service.hysteresis) +
                    ", all servers together have " + std::to_string(total));
    }
}

void check_service_groups(const Config& config, Reporter& reporter) {
    for (const VirtualServerGroupConfig& group : config.virtual_server_groups) {
        const Sources& sources = reporter.sources();
        if (group.member.empty()) {
            reporter.report("E0230", titled("virtual_server_group", group.name) + " is empty")
                .at(sources.header(group.origin), "no member")
                .help("member = [{ address = \"198.51.100.10\", port = 80 }]");
        }
        for (const GroupMemberConfig& member : group.member) {
            if (!sources.broken(member.origin)) check_member(group, member, reporter);
        }
    }
}

void check_services_once(const Config& config, Reporter& reporter) {
    std::map<ServiceKey, Use> seen;
    Totals totals;
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (reporter.sources().broken(service.origin)) continue;
        const std::vector<Use> uses = uses_of(config, service, reporter.sources());
        totals.services += uses.size();
        totals.servers += uses.size() * service.real_server.size();
        for (const Use& use : uses) {
            const auto [other, fresh] = seen.try_emplace(use.key, use);
            if (fresh) continue;
            reporter.report("E0203", "two services have " + text_of(use.key))
                .at(use.place, "again here")
                .at(other->second.place, "first here");
        }
    }
    check_room(config, totals, reporter);
}

}  // namespace pollux::control
