// SPDX-License-Identifier: Apache-2.0
#pragma once

// Config: one loaded and validated configuration, in plain values. load_config (load.h) makes it;
// it is never changed afterwards. Control thread; may be copied and compared (==) freely.
//
// Names are those of the file (reference: configs/reference.toml). Where a value is inherited or
// derived ("resolved"), the field holds the final value.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/config/config_common.h"
#include "control/config/config_dpdk.h"
#include "control/config/config_service.h"
#include "control/config/config_vrrp.h"

namespace pollux::control {

class Sources;  // texts of the files and places of the keys, see sources.h

// Where things were written is not part of what they mean: always equal.
struct SourcesHandle {
    std::shared_ptr<const Sources> get;

    friend bool operator==(const SourcesHandle&, const SourcesHandle&) noexcept { return true; }
};

enum class SmtpTls : std::uint8_t { None, StartTls, Tls };

// [global.email]: reload.
struct EmailConfig {
    Origin origin;
    std::vector<std::string> to;  // empty: no mail
    std::string from;             // resolved: pollux@<router_id>
    std::string server;           // host name or address
    std::uint16_t port = 25;      // written as server = "host:port"
    Duration connect_timeout = std::chrono::seconds(30);
    std::string helo_name;  // resolved: router_id
    SmtpTls tls = SmtpTls::None;
    bool verify = true;           // the server's certificate
    std::string user;             // empty: no authentication
    std::string password;         // from password_file or password
    Duration digest_interval{};   // events of so long in one mail; 0 = what waits when one is sent
    unsigned queue_limit = 1000;  // events kept while the server is away
    Duration retry_interval = std::chrono::seconds(60);
    bool smtp_alert = false;  // default of all smtp_alert keys
    bool no_email_faults = false;

    bool operator==(const EmailConfig&) const = default;
};

// [global.scripts]: restart for `user`, else reload.
struct ScriptsConfig {
    Origin origin;
    std::string user = "nobody";  // "user" or "user:group"
    bool enable_script_security = true;
    unsigned max_concurrent = 32;  // 1..1024

    bool operator==(const ScriptsConfig&) const = default;
};

struct GlobalConfig {
    Origin origin;
    std::string router_id;  // resolved: host name
    // FIFOs that get one line per event, absolute paths; empty: none.
    std::string notify_fifo;
    std::string vrrp_notify_fifo;
    std::string lvs_notify_fifo;
    Command notify_fifo_script;
    Command vrrp_notify_fifo_script;
    Command lvs_notify_fifo_script;
    bool vrrp_notify_priority_changes = false;
    // Stand-in addresses of checks with check_via = "service": restart.
    net::IpPrefix stand_in_ipv4 = *net::IpPrefix::parse("240.112.0.0/16");
    net::IpPrefix stand_in_ipv6 = *net::IpPrefix::parse("fd70:6f6c:6c75:7801::/64");
    EmailConfig email;
    ScriptsConfig scripts;
    GlobalVrrpConfig vrrp;

    bool operator==(const GlobalConfig&) const = default;
};

enum class LogTarget : std::uint8_t { Stderr, Syslog, Journald, File };
enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };
enum class LogFormat : std::uint8_t { Logfmt, Json };

// [log]: `level` is reload, the others restart.
struct LogConfig {
    Origin origin;
    LogTarget target = LogTarget::Stderr;
    LogLevel level = LogLevel::Info;
    LogFormat format = LogFormat::Logfmt;
    std::string file;  // target = "file": absolute path

    bool operator==(const LogConfig&) const = default;
};

// [api]: restart.
struct ApiConfig {
    Origin origin;
    std::string control_socket = "/run/pollux/control.sock";
    std::string admin_group;         // may change things; empty: root only
    std::string read_group;          // may only look; empty: none
    net::IpAddress metrics_address;  // metrics_listen = "127.0.0.1:9165"; family None: off
    std::uint16_t metrics_port = 0;
    bool metrics_servers = true;  // series for each server, not only for each service
    bool status_page = false;     // HTML page beside /metrics

    bool operator==(const ApiConfig&) const = default;
};

struct Config {
    GlobalConfig global;
    LogConfig log;
    ApiConfig api;
    DpdkConfig dpdk;
    std::vector<PortConfig> ports;    // [[dpdk.port]]; position = lb::PortId
    std::vector<RouteConfig> routes;  // [[route]]
    std::vector<NeighbourConfig> neighbours;
    std::vector<MarkConfig> marks;
    std::vector<LocalAddressConfig> local_addresses;
    ConntrackConfig conntrack;
    std::vector<VrrpScriptConfig> vrrp_scripts;
    std::vector<VrrpTrackProcessConfig> vrrp_track_processes;
    std::vector<VrrpTrackFileConfig> vrrp_track_files;
    std::vector<VrrpSyncGroupConfig> vrrp_sync_groups;
    std::vector<VrrpInstanceConfig> vrrp_instances;
    std::vector<VirtualServerGroupConfig> virtual_server_groups;
    std::vector<VirtualServerConfig> virtual_servers;

    SourcesHandle sources;

    bool operator==(const Config&) const = default;
};

}  // namespace pollux::control
