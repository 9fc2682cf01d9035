// SPDX-License-Identifier: Apache-2.0
// Rules of [global], [log] and [api].

#include <map>
#include <string>

#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

void check_email(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const EmailConfig& email = config.global.email;
    if (sources.broken(email.origin)) return;
    if (!email.to.empty() && email.server.empty()) {
        reporter.report("E0503", "[global.email] has recipients but no server")
            .at(sources.key(email.origin, "to"), "mail could not be sent to them")
            .help("server = \"smtp.example.com:25\"");
    }
    for (const std::string& address : email.to) {
        if (address.find('@') != std::string::npos) continue;
        reporter
            .report("E0112", "`to` has \"" + escaped(address) + "\", which is not a mail address")
            .at(sources.value(email.origin, "to"), "no @ in it");
    }
    const bool secret =
        sources.written(email.origin, "password") || sources.written(email.origin, "password_file");
    if (secret && email.user.empty()) {
        reporter.report("E0109", "[global.email] has a password but no `user`")
            .at(sources.header(email.origin), "`user` is missing: the account")
            .help("user = \"lb01\"");
    }
    if (secret && email.tls == SmtpTls::None) {
        reporter.report("W0504", "the mail password crosses the network in clear text")
            .at(sources.header(email.origin), "no encryption in this table")
            .help("tls = \"starttls\", or \"tls\" for port 465");
    }
}

void check_fifos(const GlobalConfig& global, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    struct Fifo {
        std::string_view key;
        const std::string& path;
        std::string_view script_key;
        const Command& script;
    };
    const Fifo fifos[] = {
        {"notify_fifo", global.notify_fifo, "notify_fifo_script", global.notify_fifo_script},
        {"vrrp_notify_fifo", global.vrrp_notify_fifo, "vrrp_notify_fifo_script",
         global.vrrp_notify_fifo_script},
        {"lvs_notify_fifo", global.lvs_notify_fifo, "lvs_notify_fifo_script",
         global.lvs_notify_fifo_script},
    };
    std::map<std::string, std::string_view> seen;
    for (const Fifo& fifo : fifos) {
        if (fifo.path.empty() && !fifo.script.empty()) {
            reporter
                .report("E0109", "`" + std::string(fifo.script_key) + "` has no FIFO to read from")
                .at(sources.key(global.origin, fifo.script_key),
                    "`" + std::string(fifo.key) + "` is missing");
        }
        if (fifo.path.empty()) continue;
        const auto [other, fresh] = seen.try_emplace(fifo.path, fifo.key);
        if (fresh) continue;
        reporter.report("E0505", "two FIFOs have the same name")
            .at(sources.value(global.origin, fifo.key), "the names must differ")
            .at(sources.value(global.origin, other->second), "first used here");
    }
}

bool overlap(const net::IpPrefix& a, const net::IpPrefix& b) {
    return a.address.family == b.address.family &&
           (a.contains(b.network().address) || b.contains(a.network().address));
}

// Stand-in addresses are this host's alone: nobody else may have them.
void check_stand_ins(const Config& config, Reporter& reporter, std::string_view key,
                     const net::IpPrefix& range) {
    const Sources& sources = reporter.sources();
    const Place place = sources.value(config.global.origin, key);
    const bool v6 = key == "stand_in_ipv6";
    const unsigned least = v6 ? 32 : 8, most = v6 ? 120 : 28;
    if (range.address.is_v6() != v6 || range.length < least || range.length > most) {
        reporter.report("E0507", "`" + std::string(key) + "` is no range for stand-in addresses")
            .at(place, std::string("expected an IPv") + (v6 ? "6" : "4") + " prefix of length " +
                           std::to_string(least) + " to " + std::to_string(most));
        return;
    }
    const auto refuse = [&](const net::IpPrefix& other, const Place& where) {
        if (!overlap(range, other)) return;
        reporter.report("E0508", "`" + std::string(key) + "` overlaps an address in use")
            .at(place, "stand-in addresses are for checks of this host alone")
            .at(where, other.to_string());
    };
    const auto host = [](const net::IpAddress& address) {
        return net::IpPrefix{address, static_cast<std::uint8_t>(address.is_v6() ? 128 : 32)};
    };
    for (const PortConfig& port : config.ports) {
        for (const net::IpPrefix& own : port.address) {
            if (own.length != 0) refuse(own, sources.value(port.origin, "address"));  // E0411
        }
    }
    for (const VirtualServerConfig& service : config.virtual_servers) {
        refuse(host(service.address), sources.value(service.origin, "address"));
        for (const RealServerConfig& server : service.real_server) {
            refuse(host(server.address), sources.value(server.origin, "address"));
        }
    }
}

}  // namespace

void check_general(const Config& config, Reporter& reporter) {
    const Sources& sources = reporter.sources();
    const GlobalConfig& global = config.global;
    check_email(config, reporter);
    check_fifos(global, reporter);
    check_stand_ins(config, reporter, "stand_in_ipv4", global.stand_in_ipv4);
    check_stand_ins(config, reporter, "stand_in_ipv6", global.stand_in_ipv6);
    if (global.router_id == "LVS_DEVEL") {
        reporter.report("W0506", "`router_id` is the sample value of keepalived's documentation")
            .at(sources.value(global.origin, "router_id"), "alerts of all nodes look alike")
            .help("leave it out: the host name is used");
    }
    if (config.log.target == LogTarget::File && config.log.file.empty()) {
        reporter.report("E0109", "[log] has target = \"file\" but no `file`")
            .at(sources.value(config.log.origin, "target"), "`file` is missing: the log file")
            .help("file = \"/var/log/pollux.log\"");
    }
    if (config.api.status_page && config.api.metrics_port == 0) {
        reporter.report("E0109", "[api] has a status page but no `metrics_listen`")
            .at(sources.key(config.api.origin, "status_page"), "it is served beside /metrics")
            .help("metrics_listen = \"127.0.0.1:9165\"");
    }
    const GlobalVrrpConfig& vrrp = global.vrrp;
    if (!vrrp.mcast_group4.is_v4() || !vrrp.mcast_group4.is_multicast()) {
        reporter.report("E0112", "`mcast_group4` is not an IPv4 multicast address")
            .at(sources.value(vrrp.origin, "mcast_group4"), "expected 224.0.0.0 to 239.255.255.255")
            .help("mcast_group4 = \"224.0.0.18\" is the group of VRRP");
    }
    if (!vrrp.mcast_group6.is_v6() || !vrrp.mcast_group6.is_multicast()) {
        reporter.report("E0112", "`mcast_group6` is not an IPv6 multicast address")
            .at(sources.value(vrrp.origin, "mcast_group6"), "expected ff00::/8")
            .help("mcast_group6 = \"ff02::12\" is the group of VRRP");
    }
}

}  // namespace pollux::control
