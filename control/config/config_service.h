// SPDX-License-Identifier: Apache-2.0
#pragma once

// [[virtual_server]], [[virtual_server_group]], real servers and their checks. All keys: reload.
// After loading, what a check or server inherits (virtual_server -> real_server -> check -> default
// of the check's type) is filled in: every field holds the value that counts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config_common.h"
#include "dataplane/lb/spec.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

enum class CheckType : std::uint8_t { Tcp, Http, Ssl, Smtp, Misc, Dns, Udp, Ping, File };

// Direct: to the server's own address. Service: through the forwarding method itself.
enum class CheckVia : std::uint8_t { Direct, Service };

enum class HttpProtocol : std::uint8_t { Http10, Http10Close, Http11 };

// What happens to connections of a server that its checks declare dead.
enum class OnServerDown : std::uint8_t { Keep, Reset, Reschedule };

// One page that HTTP_GET or SSL_GET fetches; all conditions given must hold.
struct UrlConfig {
    Origin origin;
    std::string path = "/";
    std::string digest;                      // MD5 of the body, 32 hex digits; empty: not compared
    std::vector<NumberRange> status_code;    // empty in the file: 200..299
    std::string regex;                       // PCRE2; must match the body; empty: none
    std::vector<std::string> regex_options;  // keepalived's names, for example "caseless"
    bool regex_no_match = false;             // the regex must not match
    std::uint32_t regex_min_offset = 0;      // bytes of the body
    std::uint32_t regex_max_offset = 0;      // bytes of the body; 0 = no limit
    std::string virtualhost;                 // Host header; resolved: url, server, service

    bool operator==(const UrlConfig&) const = default;
};

// How a packet to a virtual address reaches a real server that has the address itself.
struct ServiceWay {
    net::IpAddress server;
    lb::ForwardingMethod method = lb::ForwardingMethod::DirectRouting;  // or Tunnel
    TunnelConfig tunnel;

    bool operator==(const ServiceWay&) const = default;
};

struct CheckConfig {
    Origin origin;
    CheckType type = CheckType::Tcp;
    net::IpAddress connect_ip;  // resolved: the real server's address; with `via` the service's
    std::uint16_t connect_port = 0;  // resolved: the real server's port
    net::IpAddress bindto;           // source address; family None: chosen by the kernel
    std::uint16_t bind_port = 0;     // source port; 0: chosen by the kernel
    Duration delay_loop = std::chrono::seconds(60);      // period
    Duration warmup = std::chrono::seconds(60);          // first try within 0..warmup
    Duration connect_timeout = std::chrono::seconds(5);  // limit of one try
    unsigned retry = 1;                                  // further tries before DOWN
    Duration delay_before_retry = std::chrono::seconds(1);
    bool alpha = false;  // DOWN until the first success
    CheckVia check_via = CheckVia::Direct;
    std::optional<ServiceWay> via;  // resolved: of CheckVia::Service with DR or TUN
    bool log_all_failures = false;

    // HTTP_GET, SSL_GET
    std::vector<UrlConfig> url;  // at least one
    HttpProtocol http_protocol = HttpProtocol::Http10;
    bool fast_recovery = false;  // all pages at once when coming back
    // SSL_GET
    bool enable_sni = true;
    bool verify = true;            // chain and name
    std::string ca_file;           // PEM; empty: the system's
    std::string certificate_file;  // client certificate, PEM
    std::string key_file;
    std::uint32_t cert_min_days = 0;  // fail if the certificate ends earlier; 0 = not looked at
    // SMTP_CHECK
    std::string helo_name;  // resolved: the host name
    // MISC_CHECK
    Command misc_path;
    Duration misc_timeout{};    // resolved: delay_loop
    bool misc_dynamic = false;  // exit status 2..255 sets the weight to status - 2
    std::string user;           // "user" or "user:group"; empty: global.scripts.user
    // DNS_CHECK
    std::string dns_type = "SOA";
    std::string dns_name = ".";
    // UDP_CHECK
    std::vector<std::uint8_t> payload;  // written as hex digits
    bool require_reply = false;
    std::uint16_t min_reply_length = 0;
    std::uint16_t max_reply_length = 65535;
    // FILE_CHECK
    std::string track_file;  // name of a [[vrrp_track_file]]
    int file_weight = 0;     // -253..253; 0 = a number other than 0 is a failure

    bool operator==(const CheckConfig&) const = default;
};

struct RealServerConfig {
    Origin origin;
    net::IpAddress address;
    std::uint16_t port = 0;    // 0 = the packet's port (services on every port, by mark)
    std::uint16_t weight = 1;  // 0..65535; 0 = quiesced
    lb::ForwardingMethod lvs_method = lb::ForwardingMethod::Nat;  // resolved: the service's
    TunnelConfig tunnel;                                          // only for Tunnel
    std::uint32_t uthreshold = 0;                                 // connections; 0 = none
    std::uint32_t lthreshold = 0;
    bool inhibit_on_failure = false;
    bool alpha = false;
    Command notify_up;
    Command notify_down;
    bool smtp_alert = false;
    std::vector<CheckConfig> check;  // all must succeed; empty: always up

    bool operator==(const RealServerConfig&) const = default;
};

// Serves while the quorum is lost.
struct SorryServerConfig {
    Origin origin;
    net::IpAddress address;
    std::uint16_t port = 0;
    std::uint16_t weight = 1;
    lb::ForwardingMethod lvs_method = lb::ForwardingMethod::Nat;  // resolved: the service's
    TunnelConfig tunnel;
    bool inhibit_on_failure = false;  // dead servers stay with weight 0 beside it

    bool operator==(const SorryServerConfig&) const = default;
};

// One address of a [[virtual_server_group]]: an address or range with a port, or a mark.
struct GroupMemberConfig {
    Origin origin;
    net::IpAddress address;       // family None with fwmark
    net::IpAddress address_last;  // == address unless a range "10.0.0.1-20" was written
    std::uint16_t port = 0;
    std::uint32_t fwmark = 0;
    net::Family family = net::Family::V4;  // of a mark

    bool operator==(const GroupMemberConfig&) const = default;
};

struct VirtualServerGroupConfig {
    Origin origin;
    std::string name;
    std::vector<GroupMemberConfig> member;

    bool operator==(const VirtualServerGroupConfig&) const = default;
};

struct VirtualServerConfig {
    Origin origin;
    // Exactly one of: address (with port), fwmark (with family), group.
    net::IpAddress address;
    std::uint16_t port = 0;  // 0 = every port, needs persistence
    std::uint32_t fwmark = 0;
    net::Family family = net::Family::V4;  // of `address`, or written beside fwmark
    std::string group;                     // name of a [[virtual_server_group]]

    lb::Protocol protocol = lb::Protocol::None;  // must be written, but for fwmark
    lb::SchedulerKind lvs_sched = lb::SchedulerKind::Wlc;
    lb::SchedulerFlags sched_flags;
    lb::ForwardingMethod lvs_method = lb::ForwardingMethod::Nat;
    TunnelConfig tunnel;
    Duration persistence_timeout{};            // 0 = no persistence
    std::uint8_t persistence_granularity = 0;  // prefix length; resolved: 32 or 128
    bool ops = false;                          // one-packet scheduling, UDP only

    unsigned quorum = 1;      // weight that must be alive
    unsigned hysteresis = 0;  // up at quorum + hysteresis, down below quorum - hysteresis
    Command quorum_up;
    Command quorum_down;
    bool alpha = false;       // servers are DOWN until their first success
    bool omega = false;       // run the down commands at shutdown
    bool ha_suspend = false;  // no checks while the address is not here
    bool rs_init_notifies = false;
    bool smtp_alert = false;
    Duration slow_start{};  // a server that comes up ramps its weight so long; 0 = at once
    // A server that goes down `flap_limit` times within `flap_window` comes back only after
    // `flap_hold` without a failure. flap_limit 0: at once, as always.
    unsigned flap_limit = 5;
    Duration flap_window = std::chrono::minutes(5);
    Duration flap_hold = std::chrono::seconds(60);
    OnServerDown on_server_down = OnServerDown::Keep;
    std::optional<SorryServerConfig> sorry_server;
    std::vector<RealServerConfig> real_server;

    bool operator==(const VirtualServerConfig&) const = default;
};

}  // namespace pollux::control
