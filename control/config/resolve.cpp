// SPDX-License-Identifier: Apache-2.0
#include "control/config/resolve.h"

#include <algorithm>
#include <utility>

namespace pollux::control {

namespace {

using std::chrono::seconds;

unsigned default_retry(CheckType type) {
    if (type == CheckType::Dns) return 3;
    return type == CheckType::Misc ? 0 : 1;
}

Duration default_delay_before_retry(CheckType type, Duration delay_loop) {
    if (type == CheckType::Http || type == CheckType::Ssl) return seconds(3);
    return type == CheckType::Dns ? delay_loop : seconds(1);
}

// What is set in `own` stays, the rest comes from `from`.
CheckDefaults inherited(CheckDefaults own, const CheckDefaults& from) {
    const auto fill = [](auto& target, const auto& source) {
        if (!target) target = source;
    };
    fill(own.delay_loop, from.delay_loop);
    fill(own.warmup, from.warmup);
    fill(own.connect_timeout, from.connect_timeout);
    fill(own.delay_before_retry, from.delay_before_retry);
    fill(own.retry, from.retry);
    fill(own.alpha, from.alpha);
    fill(own.log_all_failures, from.log_all_failures);
    if (own.virtualhost.empty()) own.virtualhost = from.virtualhost;
    return own;
}

class Resolver {
  public:
    Resolver(const std::string& host_name, const SecretOptions& secrets, Reporter& reporter)
        : host_name_(host_name), secrets_(secrets), reporter_(reporter) {}

    Config run(Draft draft) {
        Config config;
        config.global = global(std::move(draft.global));
        config.log = std::move(draft.log);
        config.api = std::move(draft.api);
        config.dpdk = std::move(draft.dpdk);
        config.ports = std::move(draft.ports);
        for (PortConfig& port : config.ports) {
            if (port.exception.name.empty()) port.exception.name = port.name;
        }
        config.routes = std::move(draft.routes);
        config.neighbours = std::move(draft.neighbours);
        config.marks = std::move(draft.marks);
        config.local_addresses = std::move(draft.local_addresses);
        config.conntrack = draft.conntrack;
        config.vrrp_scripts = std::move(draft.scripts);
        for (VrrpScriptConfig& script : config.vrrp_scripts) {
            if (!sources().written(script.origin, "timeout")) script.timeout = script.interval;
        }
        config.vrrp_track_processes = std::move(draft.processes);
        for (VrrpTrackProcessConfig& process : config.vrrp_track_processes) {
            if (!sources().written(process.origin, "fork_delay")) {
                process.fork_delay = process.delay;
            }
            if (!sources().written(process.origin, "terminate_delay")) {
                process.terminate_delay = process.delay;
            }
        }
        config.vrrp_track_files = std::move(draft.files);
        config.vrrp_sync_groups = std::move(draft.groups);
        for (InstanceDraft& instance : draft.instances) {
            config.vrrp_instances.push_back(this->instance(std::move(instance)));
        }
        config.virtual_server_groups = std::move(draft.server_groups);
        for (ServiceDraft& service : draft.services) {
            config.virtual_servers.push_back(
                this->service(std::move(service), config.global, config.virtual_server_groups));
        }
        return config;
    }

  private:
    [[nodiscard]] const Sources& sources() const { return reporter_.sources(); }

    GlobalConfig global(GlobalDraft draft) {
        GlobalConfig global = std::move(draft.config);
        if (global.router_id.empty()) global.router_id = host_name_;
        if (global.email.from.empty()) global.email.from = "pollux@" + global.router_id;
        if (global.email.helo_name.empty()) global.email.helo_name = global.router_id;
        global.email.password = read_secret(draft.email_secret, global.email.origin,
                                            "the password of [global.email]", secrets_, reporter_);
        return global;
    }

    VrrpInstanceConfig instance(InstanceDraft draft) {
        VrrpInstanceConfig instance = std::move(draft.config);
        if (!instance.virtual_ipaddress.empty()) {
            instance.family = instance.virtual_ipaddress.front().address.address.family;
        }
        if (draft.version != 0) instance.tuning.version = draft.version;
        if (instance.family == net::Family::V6 && draft.version == 0) instance.tuning.version = 3;
        for (auto* addresses :
             {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
            for (VirtualIpConfig& address : *addresses) {
                if (address.dev.empty()) address.dev = instance.interface;
            }
        }
        if (instance.authentication.origin.line != 0) {
            instance.authentication.password = read_secret(
                draft.secret, instance.authentication.origin,
                "the password of [[vrrp_instance]] \"" + instance.name + "\"", secrets_, reporter_);
        }
        return instance;
    }

    CheckConfig check(CheckDraft draft, const ServerDraft& server, const RealServerConfig& resolved,
                      const CheckDefaults& defaults, const GlobalConfig& global) {
        CheckConfig check = std::move(draft.config);
        const CheckDefaults own = inherited(draft.defaults, inherited(server.defaults, defaults));
        if (check.connect_ip.family == net::Family::None) check.connect_ip = resolved.address;
        if (check.connect_port == 0) check.connect_port = resolved.port;
        check.delay_loop = own.delay_loop.value_or(seconds(60));
        check.warmup = own.warmup.value_or(check.delay_loop);
        check.connect_timeout = own.connect_timeout.value_or(seconds(5));
        check.retry = own.retry.value_or(default_retry(check.type));
        check.delay_before_retry = own.delay_before_retry.value_or(
            default_delay_before_retry(check.type, check.delay_loop));
        check.alpha = own.alpha.value_or(false);
        check.log_all_failures = own.log_all_failures.value_or(false);
        if (check.misc_timeout == Duration::zero()) check.misc_timeout = check.delay_loop;
        if (check.helo_name.empty()) check.helo_name = global.router_id;
        for (UrlConfig& url : check.url) {
            if (url.virtualhost.empty()) url.virtualhost = own.virtualhost;
            if (url.status_code.empty()) url.status_code = {{200, 299}};
        }
        return check;
    }

    // NAT and FNAT send to the server's own address, which is what a direct check asks, too.
    static void lead_through(const VirtualServerConfig& service, const RealServerConfig& server,
                             bool asked_elsewhere, CheckConfig& check) {
        if (server.lvs_method != lb::ForwardingMethod::DirectRouting &&
            server.lvs_method != lb::ForwardingMethod::Tunnel) {
            return;
        }
        // A group or a mark names no address, or several: the rules ask for connect_ip.
        if (!asked_elsewhere) check.connect_ip = service.address;
        check.via = ServiceWay{server.address, server.lvs_method, {}};
        if (server.lvs_method == lb::ForwardingMethod::Tunnel) check.via->tunnel = server.tunnel;
    }

    RealServerConfig server(ServerDraft draft, const VirtualServerConfig& service,
                            const ServiceDraft& from, const GlobalConfig& global) {
        RealServerConfig server = std::move(draft.config);
        server.port = draft.own.port.value_or(service.port);
        server.weight = draft.own.weight.value_or(from.own.weight.value_or(1));
        server.lvs_method = draft.own.lvs_method.value_or(service.lvs_method);
        if (server.tunnel.origin.line == 0) server.tunnel = service.tunnel;
        server.inhibit_on_failure =
            draft.own.inhibit_on_failure.value_or(from.own.inhibit_on_failure.value_or(false));
        server.smtp_alert = draft.own.smtp_alert.value_or(service.smtp_alert);
        server.alpha = draft.defaults.alpha.value_or(service.alpha);
        for (CheckDraft& check : draft.check) {
            const bool asked_elsewhere = check.config.connect_ip.family != net::Family::None;
            server.check.push_back(
                this->check(std::move(check), draft, server, from.defaults, global));
            if (server.check.back().check_via == CheckVia::Service) {
                lead_through(service, server, asked_elsewhere, server.check.back());
            }
        }
        return server;
    }

    VirtualServerConfig service(ServiceDraft draft, const GlobalConfig& global,
                                const std::vector<VirtualServerGroupConfig>& groups) {
        VirtualServerConfig service = std::move(draft.config);
        if (service.address.family != net::Family::None) service.family = service.address.family;
        if (!service.group.empty()) take_first_member(service, groups);
        service.lvs_method = draft.own.lvs_method.value_or(lb::ForwardingMethod::Nat);
        service.alpha = draft.defaults.alpha.value_or(false);
        service.smtp_alert = draft.own.smtp_alert.value_or(global.email.smtp_alert);
        for (const std::int64_t flag : draft.sched_flags) {
            // Positions of the choices: sh-port, sh-fallback, mh-port, mh-fallback.
            (flag % 2 == 0 ? service.sched_flags.port : service.sched_flags.fallback) = true;
        }
        if (service.persistence_granularity == 0) {
            service.persistence_granularity = service.family == net::Family::V4 ? 32 : 128;
        }
        for (ServerDraft& server : draft.servers) {
            service.real_server.push_back(this->server(std::move(server), service, draft, global));
        }
        if (draft.sorry.config.origin.line != 0) {
            SorryServerConfig sorry = draft.sorry.config;
            sorry.port = draft.sorry.port.value_or(service.port);
            sorry.lvs_method = draft.sorry.lvs_method.value_or(service.lvs_method);
            if (sorry.tunnel.origin.line == 0) sorry.tunnel = service.tunnel;
            service.sorry_server = sorry;
        }
        return service;
    }

    // A group's service has the family of the group, and its port if all addresses agree.
    static void take_first_member(VirtualServerConfig& service,
                                  const std::vector<VirtualServerGroupConfig>& groups) {
        const auto group =
            std::ranges::find(groups, service.group, &VirtualServerGroupConfig::name);
        if (group == groups.end() || group->member.empty()) return;
        const GroupMemberConfig& first = group->member.front();
        service.family = first.fwmark != 0 ? first.family : first.address.family;
        std::vector<std::uint16_t> ports;
        for (const GroupMemberConfig& member : group->member) {
            if (member.fwmark == 0) ports.push_back(member.port);
        }
        std::ranges::sort(ports);
        if (!ports.empty() && ports.front() == ports.back()) service.port = ports.front();
    }

    const std::string& host_name_;
    const SecretOptions& secrets_;
    Reporter& reporter_;
};

}  // namespace

Config resolve(Draft draft, const std::string& host_name, const SecretOptions& secrets,
               Reporter& reporter) {
    return Resolver(host_name, secrets, reporter).run(std::move(draft));
}

}  // namespace pollux::control
