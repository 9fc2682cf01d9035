// SPDX-License-Identifier: Apache-2.0
// virtual_server, real_server, checks, SSL.
#include "control/import/convert.h"
#include "control/import/keyword_rows.h"

namespace pollux::control {

namespace {

constexpr Block kService = Block::VirtualServer;
constexpr Block kServer = Block::RealServer;
constexpr Block kCheck = Block::NetworkCheck;
constexpr Block kHttp = Block::HttpGet;
constexpr Block kUrl = Block::Url;

constexpr std::string_view kNoSnmp = "there is no SNMP";
constexpr std::string_view kOldRetry = "the old name of retry";

constexpr Keyword kServiceKeywords[] = {
    kept(kService, "lvs_sched", convert_scheduler),
    changed(kService, "lb_algo", convert_scheduler, "the old name of lvs_sched"),
    kept(kService, "lvs_method", convert_method),
    changed(kService, "lb_kind", convert_method, "the old name of lvs_method"),
    kept(kService, "protocol", convert_protocol),
    changed(kService, "hashed", convert_scheduler_flag, "sched_flags"),
    changed(kService, "flag-1", convert_scheduler_flag, "sched_flags"),
    changed(kService, "flag-2", convert_scheduler_flag, "sched_flags"),
    changed(kService, "flag-3", convert_scheduler_flag, "sched_flags"),
    changed(kService, "sh-port", convert_scheduler_flag, "sched_flags"),
    changed(kService, "sh-fallback", convert_scheduler_flag, "sched_flags"),
    changed(kService, "mh-port", convert_scheduler_flag, "sched_flags"),
    changed(kService, "mh-fallback", convert_scheduler_flag, "sched_flags"),
    kept(kService, "ops", kFlag),
    kept(kService, "persistence_timeout", convert_persistence),
    kept(kService, "persistence_granularity", convert_granularity),
    dropped(kService, "persistence_engine", "persistence is by the client's address"),
    changed(kService, "ip_family", convert_family, "`family`"),
    kept(kService, "ha_suspend", kFlag),
    kept(kService, "alpha", kBool),
    kept(kService, "omega", kBool),
    kept(kService, "quorum", {1, 1000000}),
    kept(kService, "hysteresis", {0, 1000000}),
    kept(kService, "quorum_up", kCommand),
    kept(kService, "quorum_down", kCommand),
    kept(kService, "smtp_alert", kBool),
    kept(kService, "virtualhost", kText),
    dropped(kService, "snmp_name", kNoSnmp),
    kept(kService, "nat_mask", convert_gone),
    kept(kService, "weight", {0, 65535}),
    kept(kService, "inhibit_on_failure", kBool),
    kept(kService, "delay_loop", kSeconds),
    kept(kService, "warmup", kSeconds),
    kept(kService, "connect_timeout", kSeconds),
    kept(kService, "retry", {1, kAnyNumber}),
    changed(kService, "nb_get_retry", Reading::Integer, "retry", kOldRetry),
    changed(kService, "nb_sock_retry", Reading::Integer, "retry", kOldRetry),
    kept(kService, "delay_before_retry", kSeconds),
    kept(kService, "sorry_server", convert_sorry_server),
    changed(kService, "sorry_server_inhibit", convert_sorry_inhibit,
            "inhibit_on_failure of [virtual_server.sorry_server]"),
    changed(kService, "sorry_server_lvs_method", convert_sorry_method,
            "lvs_method of [virtual_server.sorry_server]"),
    kept(kService, "real_server", convert_real_server),

    kept(kServer, "weight", {0, 65535}),
    kept(kServer, "lvs_method", convert_method),
    kept(kServer, "notify_up", kCommand),
    kept(kServer, "notify_down", kCommand),
    kept(kServer, "uthreshold", {0, kAnyNumber}),
    kept(kServer, "lthreshold", {0, kAnyNumber}),
    kept(kServer, "smtp_alert", kBool),
    kept(kServer, "virtualhost", kText),
    dropped(kServer, "snmp_name", kNoSnmp),
    kept(kServer, "alpha", kBool),
    kept(kServer, "inhibit_on_failure", kBool),
    kept(kServer, "delay_loop", kSeconds),
    kept(kServer, "warmup", kSeconds),
    kept(kServer, "connect_timeout", kSeconds),
    kept(kServer, "retry", {1, kAnyNumber}),
    kept(kServer, "delay_before_retry", kSeconds),
    kept(kServer, "TCP_CHECK", convert_check),
    kept(kServer, "HTTP_GET", convert_check),
    kept(kServer, "SSL_GET", convert_check),
    kept(kServer, "SMTP_CHECK", convert_check),
    kept(kServer, "DNS_CHECK", convert_check),
    kept(kServer, "MISC_CHECK", convert_check),
    dropped(kServer, "BFD_CHECK", "there is no BFD yet: the server is not checked by it"),
    kept(kServer, "PING_CHECK", convert_check),
    kept(kServer, "UDP_CHECK", convert_check),
    kept(kServer, "FILE_CHECK", convert_check),

    kept(kCheck, "connect_ip", Reading::Ip),
    kept(kCheck, "connect_port", {1, 65535}),
    kept(kCheck, "bindto", Reading::Ip),
    kept(kCheck, "bind_port", {1, 65535}),
    dropped(kCheck, "bind_if", "the route to the server chooses the port"),
    dropped(kCheck, "fwmark", "checks carry no firewall mark"),
    kept(kCheck, "connect_timeout", kSeconds),
    kept(kCheck, "delay_loop", kSeconds),
    kept(kCheck, "warmup", kSeconds),
    kept(kCheck, "retry", {1, kAnyNumber}),
    kept(kCheck, "delay_before_retry", kSeconds),
    kept(kCheck, "alpha", kBool),
    kept(kCheck, "log_all_failures", kBool),

    kept(kHttp, "url", convert_url),
    kept(kHttp, "virtualhost", kText),
    kept(kHttp, "http_protocol", convert_http_protocol),
    kept(kHttp, "fast_recovery", kBool),
    kept(kHttp, "enable_sni", kFlag),
    changed(kHttp, "nb_get_retry", Reading::Integer, "retry", kOldRetry),
    changed(kHttp, "nb_sock_retry", Reading::Integer, "retry", kOldRetry),

    kept(kUrl, "path", kText),
    kept(kUrl, "digest", convert_digest),
    kept(kUrl, "status_code", convert_status_code),
    kept(kUrl, "virtualhost", kText),
    kept(kUrl, "regex", kText),
    kept(kUrl, "regex_no_match", kFlag),
    kept(kUrl, "regex_options", convert_regex_options),
    dropped(kUrl, "regex_stack", "bounds of time and memory are fixed"),
    kept(kUrl, "regex_min_offset", {0, kAnyNumber}),
    kept(kUrl, "regex_max_offset", {0, kAnyNumber}),

    kept(Block::SmtpCheck, "helo_name", kText),
    changed(Block::SmtpCheck, "host", convert_smtp_host, "a check of its own"),

    changed(Block::DnsCheck, "type", convert_dns_type, "dns_type"),
    changed(Block::DnsCheck, "name", kText, "dns_name", "dns_name"),

    kept(Block::MiscCheck, "misc_path", convert_script_line),
    kept(Block::MiscCheck, "misc_timeout", kSeconds),
    kept(Block::MiscCheck, "misc_dynamic", kFlag),
    kept(Block::MiscCheck, "user", Reading::User),
    kept(Block::MiscCheck, "delay_loop", kSeconds),
    kept(Block::MiscCheck, "warmup", kSeconds),
    kept(Block::MiscCheck, "retry", {0, kAnyNumber}),
    kept(Block::MiscCheck, "delay_before_retry", kSeconds),
    kept(Block::MiscCheck, "alpha", kBool),
    kept(Block::MiscCheck, "log_all_failures", kBool),

    dropped(Block::BfdCheck, "name", "there is no BFD yet"),
    dropped(Block::BfdCheck, "alpha", "there is no BFD yet"),

    kept(Block::UdpCheck, "payload", convert_payload),
    kept(Block::UdpCheck, "require_reply", convert_require_reply),
    kept(Block::UdpCheck, "min_reply_length", {0, 65535}),
    kept(Block::UdpCheck, "max_reply_length", {0, 65535}),

    kept(Block::FileCheck, "track_file", kText),
    changed(Block::FileCheck, "weight", convert_weight, "file_weight"),
    dropped(Block::FileCheck, "dynamic", "a weight other than 0 is dynamic"),

    changed(Block::Ssl, "ca", kText, "ca_file", "ca_file of each SSL_GET"),
    changed(Block::Ssl, "certificate", kText, "certificate_file",
            "certificate_file of each SSL_GET"),
    changed(Block::Ssl, "key", kText, "key_file", "key_file of each SSL_GET"),
    dropped(Block::Ssl, "password", "a key file without a passphrase is needed"),
};

}  // namespace

std::span<const Keyword> service_keywords() {
    return kServiceKeywords;
}

}  // namespace pollux::control
