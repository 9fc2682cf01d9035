// SPDX-License-Identifier: Apache-2.0
#include "control/import/import_ipvsadm.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "control/config/values.h"
#include "control/import/convert.h"
#include "control/ipvs/command.h"
#include "dataplane/lb/method_name.h"

namespace pollux::control {

namespace {

using ipvs::Command;
using ipvs::Verb;

constexpr std::string_view kSchedulers[] = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",
                                            "sh", "sed", "nq", "fo",  "ovf",  "mh",    "twos"};

struct Server {
    lb::RealServerSpec spec;
    std::uint32_t line = 0;
};

struct Service {
    lb::ServiceSpec spec;
    std::string scheduler;
    std::uint32_t line = 0;
    std::vector<Server> servers;
};

bool same_service(const lb::ServiceSpec& a, const lb::ServiceSpec& b) {
    return a.fwmark == b.fwmark && a.protocol == b.protocol && a.port == b.port &&
           a.address == b.address;
}

bool same_server(const lb::RealServerSpec& a, const lb::RealServerSpec& b) {
    return a.address == b.address && a.port == b.port;
}

bool keeps_port(lb::ForwardingMethod method) {
    return method == lb::ForwardingMethod::DirectRouting || method == lb::ForwardingMethod::Tunnel;
}

std::string_view protocol_name(lb::Protocol protocol) {
    switch (protocol) {
        case lb::Protocol::Udp:
            return "UDP";
        case lb::Protocol::Sctp:
            return "SCTP";
        case lb::Protocol::Tcp:
        case lb::Protocol::None:
            break;
    }
    return "TCP";
}

// What the commands leave behind, as the kernel's table would hold it.
class SavedRules {
  public:
    SavedRules(ImportLog& log, TomlTable& root, const ImportOptions& options)
        : log_(log), root_(root) {
        for (const PortSetting& setting : options.addresses) own_.add(setting.value, true);
    }

    void line(std::string_view text, std::uint32_t number) {
        line_ = number;
        std::vector<std::string> words = ipvs::split_line(text.substr(0, text.find('#')));
        if (!words.empty() && (words.front() == "ipvsadm" || words.front().ends_with("/ipvsadm"))) {
            words.erase(words.begin());
        }
        if (words.empty()) return;
        const auto parsed = ipvs::parse_command(words, "ipvsadm");
        if (const auto* refusal = std::get_if<ipvs::Refusal>(&parsed)) {
            const std::string& message = refusal->message;
            return log_.error(place(), "ipvsadm refuses this line: " +
                                           escaped(message.substr(0, message.find('\n'))));
        }
        apply(std::get<Command>(parsed), words.front());
    }

    void write() {
        for (const Service& service : services_) write_service(service);
    }

  private:
    [[nodiscard]] SourcePlace place() const { return {0, line_}; }

    void apply(const Command& command, const std::string& word) {
        switch (command.verb) {
            case Verb::AddService:
                return add_service(command);
            case Verb::EditService:
                if (Service* service = found(command)) {
                    service->spec = command.service;
                    service->scheduler = command.scheduler;
                }
                return;
            case Verb::DeleteService:
                if (const Service* service = found(command)) {
                    services_.erase(services_.begin() + (service - services_.data()));
                }
                return;
            case Verb::Clear:
                return services_.clear();
            case Verb::AddServer:
            case Verb::EditServer:
            case Verb::DeleteServer:
                if (Service* service = found(command)) server(command, *service);
                return;
            case Verb::SetTimeouts:
                return timeouts(command);
            case Verb::StartDaemon:
            case Verb::StopDaemon:
                return log_.dropped(place(), word, "connections are not synchronised yet");
            case Verb::List:
            case Verb::Restore:
            case Verb::Save:
            case Verb::Zero:
            case Verb::Help:
            case Verb::Version:
                return log_.dropped(place(), word, "changes no rule");
        }
    }

    void add_service(const Command& command) {
        const auto twice = std::ranges::find_if(services_, [&command](const Service& service) {
            return same_service(service.spec, command.service);
        });
        if (twice != services_.end()) {
            return log_.error(
                place(), "the service is there already, from line " + std::to_string(twice->line),
                "ipvsadm refuses it: -E edits a service");
        }
        if (std::ranges::find(kSchedulers, command.scheduler) == std::end(kSchedulers)) {
            return log_.error(place(), "there is no scheduler `" + escaped(command.scheduler) + "`",
                              "see `lvs_sched` in configs/reference.toml");
        }
        if (!command.persistence_engine.empty()) {
            log_.dropped(place(), "--pe", "persistence is by the client's address");
        }
        services_.push_back({command.service, command.scheduler, line_, {}});
    }

    Service* found(const Command& command) {
        const auto service = std::ranges::find_if(services_, [&command](const Service& candidate) {
            return same_service(candidate.spec, command.service);
        });
        if (service != services_.end()) return &*service;
        log_.error(place(), "no -A before this line adds the service", "ipvsadm refuses it");
        return nullptr;
    }

    void server(const Command& command, Service& service) {
        lb::RealServerSpec spec = command.server;
        const bool address = service.spec.fwmark == 0;
        if (address && keeps_port(spec.method) && command.server_port_given &&
            spec.port != service.spec.port) {
            const std::string port = std::to_string(service.spec.port);
            return log_.error(place(),
                              std::string(lb::method_name(spec.method)) +
                                  " cannot change the port: ipvsadm takes " + port + ", not " +
                                  std::to_string(spec.port),
                              "either port " + port + ", or -m (NAT)");
        }
        if (!command.server_port_given) spec.port = service.spec.port;
        const auto known = std::ranges::find_if(service.servers, [&spec](const Server& candidate) {
            return same_server(candidate.spec, spec);
        });
        const bool exists = known != service.servers.end();
        if (exists == (command.verb == Verb::AddServer)) {
            return log_.error(place(),
                              exists ? "the server is there already" : "the server is not there",
                              "ipvsadm refuses it");
        }
        const std::string why =
            why_no_server(own_, spec.address, address ? service.spec.address : net::IpAddress{});
        if (!why.empty() && command.verb == Verb::AddServer) {
            return log_.error(place(), "real server " + spec.address.to_string() + " " + why,
                              std::string(no_server_remedy()));
        }
        if (command.verb == Verb::DeleteServer) {
            service.servers.erase(known);
        } else if (exists) {
            known->spec = spec;
        } else {
            service.servers.push_back({spec, line_});
        }
    }

    void timeouts(const Command& command) {
        constexpr std::string_view kKeys[] = {"tcp_established", "tcp_fin_wait", "udp"};
        for (std::size_t i = 0; i < command.timeouts.size(); ++i) {
            if (command.timeouts[i] == 0) continue;
            root_.table("conntrack")
                .table("timeout")
                .set(kKeys[i], "\"" + std::to_string(command.timeouts[i]) + "s\"", place());
        }
    }

    void write_service(const Service& service) {
        const lb::ServiceSpec& spec = service.spec;
        const SourcePlace from{0, service.line};
        TomlTable& table = root_.append("virtual_server", from);
        if (spec.fwmark != 0) {
            table.set("fwmark", std::to_string(spec.fwmark), from);
            if (spec.address.is_v6()) table.set("family", "\"ipv6\"", from);
        } else {
            table.set_text("address", spec.address.to_string(), from);
            table.set("port", std::to_string(spec.port), from);
            table.set_text("protocol", protocol_name(spec.protocol), from);
        }
        table.set_text("lvs_sched", service.scheduler, from);
        if (spec.persistence) {
            const auto seconds =
                std::chrono::duration_cast<std::chrono::seconds>(spec.persistence->timeout);
            table.set("persistence_timeout", "\"" + std::to_string(seconds.count()) + "s\"", from);
            const unsigned whole = spec.address.is_v6() ? 128 : 32;
            if (spec.persistence->prefix != whole) {
                table.set("persistence_granularity", std::to_string(spec.persistence->prefix),
                          from);
            }
        }
        if (spec.one_packet) table.set("ops", "true", from);
        write_flags(service, table);
        for (const Server& server : service.servers) write_server(server, table);
    }

    static void write_flags(const Service& service, TomlTable& table) {
        const std::string prefix = service.scheduler == "mh" ? "mh-" : "sh-";
        std::vector<std::string> flags;
        if (service.spec.scheduler_flags.port) flags.push_back(prefix + "port");
        if (service.spec.scheduler_flags.fallback) flags.push_back(prefix + "fallback");
        if (!flags.empty()) table.set("sched_flags", toml_texts(flags), {0, service.line});
    }

    static void write_server(const Server& server, TomlTable& service) {
        const lb::RealServerSpec& spec = server.spec;
        const SourcePlace from{0, server.line};
        TomlTable& table = service.append("real_server", from);
        table.set_text("address", spec.address.to_string(), from);
        table.set("port", std::to_string(spec.port), from);
        table.set_text("lvs_method", lb::method_name(spec.method), from);
        table.set("weight", std::to_string(spec.weight), from);
        if (spec.upper_threshold != 0) {
            table.set("uthreshold", std::to_string(spec.upper_threshold), from);
        }
        if (spec.lower_threshold != 0) {
            table.set("lthreshold", std::to_string(spec.lower_threshold), from);
        }
        if (spec.method != lb::ForwardingMethod::Tunnel) return;
        TomlTable& tunnel = table.table("tunnel", from);
        const bool gue = spec.tunnel.kind == lb::TunnelKind::Gue;
        tunnel.set_text("type", gue                                       ? "gue"
                                : spec.tunnel.kind == lb::TunnelKind::Gre ? "gre"
                                                                          : "ipip");
        if (gue) tunnel.set("port", std::to_string(spec.tunnel.gue_port));
        if (spec.tunnel.checksum) tunnel.set("checksum", "true");
    }

    ImportLog& log_;
    TomlTable& root_;
    ImportOwn own_;
    std::uint32_t line_ = 0;
    std::vector<Service> services_;
};

}  // namespace

ImportResult import_ipvsadm(std::string_view text, const std::string& name,
                            const ImportOptions& options) {
    ImportResult result;
    result.files.push_back(name);
    ImportLog log(options.lenient);
    TomlTable root;
    root.comment("Imported from ipvsadm's rules in " + escaped(name) +
                 "; judge it with `pollux check`.");
    TomlTable& dpdk = root.table("dpdk");
    dpdk.comment("One CPU for control, one per worker; see configs/reference.toml.");
    dpdk.set("control_lcore", "0");
    dpdk.set("worker_lcores", "\"1\"");
    ImportPorts(options).write(dpdk);
    SavedRules rules(log, root, options);
    std::uint32_t line = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        rules.line(text.substr(0, end), ++line);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    rules.write();
    result.errors = log.errors();
    result.warnings = log.warnings();
    result.notes = log.take();
    if (result.errors > 0) return result;
    for (const TomlLine& written : root.lines()) result.toml += written.text + "\n";
    return result;
}

}  // namespace pollux::control
