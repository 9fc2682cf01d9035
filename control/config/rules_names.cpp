// SPDX-License-Identifier: Apache-2.0
// Names: each defined once, each used name defined, each tracked thing used.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/rules.h"
#include "control/config/suggest.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

// The names of one table.
class Names {
  public:
    explicit Names(std::string_view table) : table_(table) {}

    template <typename Elements>
    void define(const Elements& elements, Reporter& reporter) {
        for (const auto& element : elements) {
            const auto [first, fresh] = names_.try_emplace(element.name, element.origin);
            if (fresh || element.name.empty()) continue;
            const Sources& sources = reporter.sources();
            reporter
                .report("E0122", "two " + title() + " are called \"" + escaped(element.name) + "\"")
                .at(sources.value(element.origin, "name"), "the second one")
                .at(sources.value(first->second, "name"), "the first one");
        }
    }

    // Reports `name`, used at `place`, if it is not defined.
    void use(const std::string& name, const Place& place, const std::string& user,
             Reporter& reporter) {
        used_.insert(name);
        if (names_.contains(name)) return;
        std::vector<std::string_view> candidates;
        for (const auto& [known, origin] : names_) candidates.push_back(known);
        const std::string_view near = nearest(name, candidates);
        std::string label = "no " + title() + " has this name";
        if (!near.empty()) label = "did you mean \"" + std::string(near) + "\"?";
        auto message = reporter.report(
            "E0601", user + " names an unknown " + title() + " \"" + escaped(name) + "\"");
        message.at(place, std::move(label));
        if (near.empty() && !names_.empty()) {
            std::string known;
            for (const std::string_view candidate : candidates) {
                known += (known.empty() ? "\"" : ", \"") + escaped(candidate) + "\"";
            }
            message.help("defined are " + known);
        } else if (names_.empty()) {
            message.help("define it: " + title() + " with name = \"" + escaped(name) + "\"");
        }
        const auto dot = name.find('.');
        if (dot != std::string::npos && names_.contains(name.substr(0, dot))) {
            message.note("VLAN interfaces of a port are not supported: make it a port of its own");
        }
    }

    void report_unused(std::string_view how, Reporter& reporter) const {
        for (const auto& [name, origin] : names_) {
            if (used_.contains(name) || name.empty()) continue;
            reporter.report("E0602", title() + " \"" + escaped(name) + "\" is not used by anything")
                .at(reporter.sources().value(origin, "name"), "without a user it does nothing")
                .help(std::string(how) + ", or remove it");
        }
    }

  private:
    [[nodiscard]] std::string title() const { return "[[" + table_ + "]]"; }

    std::string table_;
    std::map<std::string, Origin> names_;
    std::set<std::string> used_;
};

struct AllNames {
    Names ports{"dpdk.port"};
    Names scripts{"vrrp_script"};
    Names processes{"vrrp_track_process"};
    Names files{"vrrp_track_file"};
    Names instances{"vrrp_instance"};
    Names groups{"vrrp_sync_group"};
    Names server_groups{"virtual_server_group"};
};

void use_tracks(const TrackLists& track, const std::string& user, AllNames& names,
                Reporter& reporter) {
    const auto use = [&](const std::vector<TrackConfig>& entries, Names& table) {
        for (const TrackConfig& entry : entries) {
            if (reporter.sources().broken(entry.origin)) continue;
            table.use(entry.name, reporter.sources().value(entry.origin, "name"), user, reporter);
        }
    };
    use(track.track_interface, names.ports);
    use(track.track_script, names.scripts);
    use(track.track_process, names.processes);
    use(track.track_file, names.files);
}

void use_in_instance(const VrrpInstanceConfig& instance, AllNames& names, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const std::string user = titled("vrrp_instance", instance.name);
    if (!instance.interface.empty()) {
        names.ports.use(instance.interface, sources.value(instance.origin, "interface"), user,
                        reporter);
    }
    const auto use_port = [&](const Origin& origin, std::string_view key, const std::string& name) {
        if (sources.written(origin, key) && !sources.broken(origin)) {
            names.ports.use(name, sources.value(origin, key), user, reporter);
        }
    };
    for (const VirtualIpConfig& address : instance.virtual_ipaddress) {
        use_port(address.origin, "dev", address.dev);
    }
    for (const VirtualIpConfig& address : instance.virtual_ipaddress_excluded) {
        use_port(address.origin, "dev", address.dev);
    }
    for (const RouteConfig& route : instance.virtual_route) {
        use_port(route.origin, "dev", route.dev);
    }
    for (const VirtualRuleConfig& rule : instance.virtual_rule) {
        use_port(rule.origin, "iif", rule.iif);
    }
    use_tracks(instance.track, user, names, reporter);
}

void use_in_services(const Config& config, AllNames& names, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for (const VirtualServerConfig& service : config.virtual_servers) {
        if (sources.written(service.origin, "group")) {
            names.server_groups.use(service.group, sources.value(service.origin, "group"),
                                    title_of(service), reporter);
        }
        for (const RealServerConfig& server : service.real_server) {
            for (const CheckConfig& check : server.check) {
                if (check.track_file.empty()) continue;
                names.files.use(check.track_file, sources.value(check.origin, "track_file"),
                                title_of(service), reporter);
            }
        }
    }
}

void use_in_network(const Config& config, AllNames& names, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    for (const RouteConfig& route : config.routes) {
        if (sources.written(route.origin, "dev")) {
            names.ports.use(route.dev, sources.value(route.origin, "dev"), "[[route]]", reporter);
        }
    }
    for (const NeighbourConfig& neighbour : config.neighbours) {
        if (sources.written(neighbour.origin, "dev")) {
            names.ports.use(neighbour.dev, sources.value(neighbour.origin, "dev"), "[[neighbour]]",
                            reporter);
        }
    }
}

}  // namespace

std::string titled(std::string_view table, std::string_view name) {
    return "[[" + std::string(table) + "]] \"" + escaped(name) + "\"";
}

std::string title_of(const VirtualServerConfig& service) {
    std::string title = "[[virtual_server]] ";
    if (!service.group.empty()) return title + "group \"" + escaped(service.group) + "\"";
    if (service.fwmark != 0) return title + "fwmark " + std::to_string(service.fwmark);
    const bool v6 = service.address.is_v6();
    return title + (v6 ? "[" : "") + service.address.to_string() + (v6 ? "]" : "") + ":" +
           std::to_string(service.port);
}

void check_names(const Config& config, Reporter& reporter) {
    AllNames names;
    names.ports.define(config.ports, reporter);
    names.scripts.define(config.vrrp_scripts, reporter);
    names.processes.define(config.vrrp_track_processes, reporter);
    names.files.define(config.vrrp_track_files, reporter);
    names.instances.define(config.vrrp_instances, reporter);
    names.groups.define(config.vrrp_sync_groups, reporter);
    names.server_groups.define(config.virtual_server_groups, reporter);
    for (const VrrpInstanceConfig& instance : config.vrrp_instances) {
        use_in_instance(instance, names, reporter);
    }
    for (const VrrpSyncGroupConfig& group : config.vrrp_sync_groups) {
        for (const std::string& member : group.group) {
            names.instances.use(member, reporter.sources().value(group.origin, "group"),
                                titled("vrrp_sync_group", group.name), reporter);
        }
        use_tracks(group.track, titled("vrrp_sync_group", group.name), names, reporter);
    }
    use_in_services(config, names, reporter);
    use_in_network(config, names, reporter);
    names.scripts.report_unused("name it in track_script of an instance or group", reporter);
    names.processes.report_unused("name it in track_process of an instance or group", reporter);
    names.files.report_unused("name it in track_file or in a FILE_CHECK", reporter);
    names.server_groups.report_unused("write group = ... in a [[virtual_server]]", reporter);
}

}  // namespace pollux::control
