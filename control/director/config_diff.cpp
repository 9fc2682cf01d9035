// SPDX-License-Identifier: Apache-2.0
#include "control/director/config_diff.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "control/spec/server_states.h"

namespace pollux::control {
namespace {

using Lines = std::vector<std::string>;

// Restart-only keys of a table by name: a row per key, compared as values.
template <typename Table>
struct Key {
    std::string_view name;
    bool (*same)(const Table&, const Table&);
};

#define POLLUX_KEY(Table, field)                                                  \
    Key<Table> {                                                                  \
#field, [](const Table& a, const Table& b) { return a.field == b.field; } \
    }

constexpr Key<DpdkConfig> kDpdkKeys[] = {
    POLLUX_KEY(DpdkConfig, control_lcore),  POLLUX_KEY(DpdkConfig, worker_lcores),
    POLLUX_KEY(DpdkConfig, idle),           POLLUX_KEY(DpdkConfig, in_memory),
    POLLUX_KEY(DpdkConfig, hugepages),      POLLUX_KEY(DpdkConfig, hugepage_mem),
    POLLUX_KEY(DpdkConfig, iova_mode),      POLLUX_KEY(DpdkConfig, file_prefix),
    POLLUX_KEY(DpdkConfig, mbufs_per_port), POLLUX_KEY(DpdkConfig, burst),
    POLLUX_KEY(DpdkConfig, extra_eal_args),
};

constexpr Key<PortConfig> kPortKeys[] = {
    POLLUX_KEY(PortConfig, name),      POLLUX_KEY(PortConfig, pci),
    POLLUX_KEY(PortConfig, vdev),      POLLUX_KEY(PortConfig, rx_desc),
    POLLUX_KEY(PortConfig, tx_desc),   POLLUX_KEY(PortConfig, mtu),
    POLLUX_KEY(PortConfig, rss),       POLLUX_KEY(PortConfig, promiscuous),
    POLLUX_KEY(PortConfig, exception),
};

constexpr Key<ConntrackConfig> kConntrackKeys[] = {
    POLLUX_KEY(ConntrackConfig, max_connections), POLLUX_KEY(ConntrackConfig, max_templates),
    POLLUX_KEY(ConntrackConfig, max_services),    POLLUX_KEY(ConntrackConfig, max_servers),
    POLLUX_KEY(ConntrackConfig, max_fragments),   POLLUX_KEY(ConntrackConfig, on_full),
    POLLUX_KEY(ConntrackConfig, embryonic_share),
};

constexpr Key<LogConfig> kLogKeys[] = {
    POLLUX_KEY(LogConfig, target),
    POLLUX_KEY(LogConfig, format),
    POLLUX_KEY(LogConfig, file),
};

constexpr Key<ApiConfig> kApiKeys[] = {
    POLLUX_KEY(ApiConfig, control_socket), POLLUX_KEY(ApiConfig, admin_group),
    POLLUX_KEY(ApiConfig, read_group),     POLLUX_KEY(ApiConfig, metrics_address),
    POLLUX_KEY(ApiConfig, metrics_port),   POLLUX_KEY(ApiConfig, metrics_servers),
    POLLUX_KEY(ApiConfig, status_page),
};

#undef POLLUX_KEY

template <typename Table, std::size_t Count>
void compare_keys(const Key<Table> (&keys)[Count], const Table& before, const Table& after,
                  const std::string& prefix, Lines& lines) {
    for (const Key<Table>& key : keys) {
        if (!key.same(before, after)) lines.push_back(prefix + std::string(key.name));
    }
}

void find_restart_only(const Config& before, const Config& after, Lines& lines) {
    compare_keys(kDpdkKeys, before.dpdk, after.dpdk, "dpdk.", lines);
    if (before.ports.size() != after.ports.size()) {
        lines.push_back("dpdk.port (number of ports)");
    } else {
        for (std::size_t i = 0; i < before.ports.size(); ++i) {
            compare_keys(kPortKeys, before.ports[i], after.ports[i],
                         "dpdk.port \"" + before.ports[i].name + "\" ", lines);
        }
    }
    compare_keys(kConntrackKeys, before.conntrack, after.conntrack, "conntrack.", lines);
    compare_keys(kLogKeys, before.log, after.log, "log.", lines);
    compare_keys(kApiKeys, before.api, after.api, "api.", lines);
    if (before.global.scripts.user != after.global.scripts.user) {
        lines.push_back("global.scripts.user");
    }
    if (before.global.stand_in_ipv4 != after.global.stand_in_ipv4) {
        lines.push_back("global.stand_in_ipv4");
    }
    if (before.global.stand_in_ipv6 != after.global.stand_in_ipv6) {
        lines.push_back("global.stand_in_ipv6");
    }
}

// Elements of an array of tables, matched by name; the first of equal names counts. Linear: there
// may be tens of thousands of services and servers.
template <typename Item, typename Name, typename Changed>
void diff_items(const std::vector<Item>& before, const std::vector<Item>& after, Name name_of,
                Changed on_changed, Lines& lines) {
    const auto index = [&name_of](const std::vector<Item>& items) {
        std::unordered_map<std::string, const Item*> by_name;
        by_name.reserve(items.size());
        for (const Item& item : items) by_name.try_emplace(name_of(item), &item);
        return by_name;
    };
    // Nearly always everything keeps its place: then no index is needed.
    const bool same_places = before.size() == after.size() &&
                             std::equal(before.begin(), before.end(), after.begin(),
                                        [](const Item& a, const Item& b) { return a == b; });
    if (same_places) return;
    const auto old_items = index(before);
    const auto new_items = index(after);
    for (const Item& item : before) {
        const std::string name = name_of(item);
        if (!new_items.contains(name)) lines.push_back(name + " removed");
    }
    for (const Item& item : after) {
        const std::string name = name_of(item);
        const auto old = old_items.find(name);
        if (old == old_items.end()) {
            lines.push_back(name + " added");
        } else if (!(*old->second == item)) {
            on_changed(*old->second, item);
        }
    }
}

template <typename Item, typename Name>
void diff_items(const std::vector<Item>& before, const std::vector<Item>& after, Name name_of,
                Lines& lines) {
    diff_items(
        before, after, name_of,
        [&](const Item&, const Item& now) { lines.push_back(name_of(now) + " changed"); }, lines);
}

std::string name_of_server(const RealServerConfig& server) {
    return "real_server " + endpoint(server.address, server.port);
}

void diff_service(const VirtualServerConfig& before, const VirtualServerConfig& after,
                  Lines& lines) {
    Lines inner;
    diff_items(
        before.real_server, after.real_server, name_of_server,
        [&](const RealServerConfig& old, const RealServerConfig& now) {
            if (old.weight != now.weight) {
                inner.push_back(name_of_server(now) + " weight " + std::to_string(old.weight) +
                                " -> " + std::to_string(now.weight));
            }
            RealServerConfig same_weight = old;
            same_weight.weight = now.weight;
            if (!(same_weight == now)) inner.push_back(name_of_server(now) + " changed");
        },
        inner);
    VirtualServerConfig same_servers = before;
    same_servers.real_server = after.real_server;
    if (!(same_servers == after)) inner.push_back("settings changed");
    if (inner.empty()) inner.push_back("order of real servers changed");
    const std::string name = "virtual_server " + to_string(VirtualServerKey::of(after));
    for (const std::string& line : inner) lines.push_back(name + ": " + line);
}

void diff_services(const Config& before, const Config& after, Lines& lines) {
    diff_items(
        before.virtual_servers, after.virtual_servers,
        [](const VirtualServerConfig& server) {
            return "virtual_server " + to_string(VirtualServerKey::of(server));
        },
        [&](const VirtualServerConfig& old, const VirtualServerConfig& now) {
            diff_service(old, now, lines);
        },
        lines);
    diff_items(
        before.virtual_server_groups, after.virtual_server_groups,
        [](const auto& group) { return "virtual_server_group " + group.name; }, lines);
}

void diff_vrrp(const Config& before, const Config& after, Lines& lines) {
    const auto named = [](std::string_view noun) {
        return [noun](const auto& item) { return std::string(noun) + " " + item.name; };
    };
    diff_items(before.vrrp_instances, after.vrrp_instances, named("vrrp_instance"), lines);
    diff_items(before.vrrp_sync_groups, after.vrrp_sync_groups, named("vrrp_sync_group"), lines);
    diff_items(before.vrrp_scripts, after.vrrp_scripts, named("vrrp_script"), lines);
    diff_items(before.vrrp_track_processes, after.vrrp_track_processes, named("vrrp_track_process"),
               lines);
    diff_items(before.vrrp_track_files, after.vrrp_track_files, named("vrrp_track_file"), lines);
}

void diff_network(const Config& before, const Config& after, Lines& lines) {
    for (std::size_t i = 0; i < std::min(before.ports.size(), after.ports.size()); ++i) {
        if (before.ports[i].address != after.ports[i].address) {
            lines.push_back("dpdk.port \"" + after.ports[i].name + "\" address changed");
        }
    }
    diff_items(
        before.routes, after.routes,
        [](const RouteConfig& route) {
            return "route " + route.to.to_string() +
                   (route.metric == 0 ? "" : " metric " + std::to_string(route.metric));
        },
        lines);
    diff_items(
        before.neighbours, after.neighbours,
        [](const NeighbourConfig& neighbour) {
            return "neighbour " + neighbour.address.to_string() + " dev " + neighbour.dev;
        },
        lines);
    if (before.marks != after.marks) lines.push_back("mark rules changed");
    if (before.local_addresses != after.local_addresses) {
        lines.push_back("local_address pool changed");
    }
}

}  // namespace

ConfigDiff diff_configs(const Config& before, const Config& after) {
    ConfigDiff diff;
    find_restart_only(before, after, diff.restart_only);
    diff_network(before, after, diff.changes);
    diff_services(before, after, diff.changes);
    diff_vrrp(before, after, diff.changes);
    if (before.conntrack.sysctl != after.conntrack.sysctl) {
        diff.changes.push_back("conntrack sysctls changed");
    }
    if (before.conntrack.timeout != after.conntrack.timeout) {
        diff.changes.push_back("conntrack timeouts changed");
    }
    if (before.log.level != after.log.level) diff.changes.push_back("log level changed");
    if (before.global != after.global) diff.changes.push_back("global settings changed");
    return diff;
}

}  // namespace pollux::control
