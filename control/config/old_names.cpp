// SPDX-License-Identifier: Apache-2.0
#include "control/config/old_names.h"

#include <array>

namespace pollux::control {

namespace {

constexpr std::string_view kCheck = "virtual_server.real_server.check";
constexpr std::string_view kServer = "virtual_server.real_server";
constexpr std::string_view kService = "virtual_server";
constexpr std::string_view kInstance = "vrrp_instance";
constexpr std::string_view kAuth = "vrrp_instance.authentication";
constexpr std::string_view kTuning = "goes to [global.vrrp]";

constexpr OldName kOldNames[] = {
    {"", "lb_algo", "lvs_sched", "`lb_algo` is the old keepalived name of `lvs_sched`"},
    {"", "lvs_scheduler", "lvs_sched", "keepalived's word is `lvs_sched`"},
    {"", "scheduler", "lvs_sched", "keepalived's word is `lvs_sched`"},
    {"", "lb_kind", "lvs_method", "`lb_kind` is the old keepalived name of `lvs_method`"},
    {"", "nb_get_retry", "retry", "`nb_get_retry` is the old keepalived name of `retry`"},
    {"", "nb_sock_retry", "retry", "`nb_sock_retry` is the old keepalived name of `retry`"},
    {"", "nat_mask", "", "gone from keepalived too, and without effect: remove it"},
    {"", "lvs_id", "router_id", "`lvs_id` is the old keepalived name of `router_id`"},
    {"", "notification_email", "to", "in [global.email]: to = [\"ops@example.com\"]"},
    {"", "notification_email_from", "from", "in [global.email]"},
    {"", "smtp_server", "server", "in [global.email]"},
    {"", "smtp_connect_timeout", "connect_timeout", "in [global.email]"},
    {"", "smtp_helo_name", "helo_name", "in [global.email]"},
    {"", "script_user", "user", "in [global.scripts]"},
    {"", "vrrp_version", "version", kTuning},
    {"", "vrrp_strict", "strict", kTuning},
    {"", "vrrp_skip_check_adv_addr", "skip_check_adv_addr", kTuning},
    {"", "vrrp_check_unicast_src", "check_unicast_src", kTuning},
    {"", "vrrp_lower_prio_no_advert", "lower_prio_no_advert", kTuning},
    {"", "vrrp_higher_prio_send_advert", "higher_prio_send_advert", kTuning},
    {"", "vrrp_down_timer_adverts", "down_timer_adverts", kTuning},
    {"", "vrrp_garp_interval", "garp_interval", kTuning},
    {"", "vrrp_gna_interval", "gna_interval", kTuning},
    {"", "vrrp_garp_master_delay", "garp_master_delay", kTuning},
    {"", "vrrp_garp_master_repeat", "garp_master_repeat", kTuning},
    {"", "vrrp_garp_master_refresh", "garp_master_refresh", kTuning},
    {"", "vrrp_garp_master_refresh_repeat", "garp_master_refresh_repeat", kTuning},
    {"", "vrrp_garp_lower_prio_delay", "garp_lower_prio_delay", kTuning},
    {"", "vrrp_garp_lower_prio_repeat", "garp_lower_prio_repeat", kTuning},
    {"", "vrrp_mcast_group4", "mcast_group4", kTuning},
    {"", "vrrp_mcast_group6", "mcast_group6", kTuning},
    {"", "vrrp_startup_delay", "startup_delay", kTuning},
    {"", "global_defs", "global", "global_defs { } is the table [global]"},
    {"", "static_routes", "route", "[[route]]"},
    {kInstance, "strict_mode", "strict", "keepalived's `strict_mode`"},
    {kInstance, "no_accept", "accept", "write accept = false"},
    {kInstance, "preempt", "",
     "instances preempt unless nopreempt = true; preempt_delay makes them wait"},
    {kInstance, "unicast_src_ip", "mcast_src_ip", "one key for multicast and unicast"},
    {kInstance, "virtual_routes", "virtual_route", "[[vrrp_instance.virtual_route]]"},
    {kInstance, "virtual_rules", "virtual_rule", "[[vrrp_instance.virtual_rule]]"},
    {kInstance, "auth_type", "authentication",
     "authentication = { type = \"PASS\", "
     "password_file = \"/etc/pollux/vrrp\" }"},
    {kInstance, "auth_pass", "authentication",
     "authentication = { type = \"PASS\", "
     "password_file = \"/etc/pollux/vrrp\" }"},
    {kInstance, "vmac", "use_vmac", "keepalived's word is `use_vmac`"},
    {kInstance, "notify_master_rx_lower_pri", "fence",
     "`fence` runs when the other MASTER does not yield; the FIFO tells each conflict"},
    {kInstance, "vrid", "virtual_router_id", "keepalived's word is `virtual_router_id`"},
    {kInstance, "advert_interval", "advert_int", "keepalived's word is `advert_int`"},
    {kInstance, "native_ipv6", "", "the family is that of the addresses: remove it"},
    {kInstance, "garp_extra_if", "garp_master_refresh", "refreshes go to every port of a VIP"},
    {kAuth, "auth_type", "type", "in authentication"},
    {kAuth, "auth_pass", "password_file", "a file that holds it; or password in a 0600 file"},
    {kCheck, "misc_user", "user", "keepalived's word is `user`"},
    {kCheck, "name", "dns_name", "DNS_CHECK's name"},
    {kCheck, "weight", "file_weight", "FILE_CHECK's weight"},
    {kCheck, "status_code", "url", "in url = [{ path = \"/\", status_code = 200 }]"},
    {kCheck, "digest", "url", "in url = [{ path = \"/\", digest = \"...\" }]"},
    {kCheck, "path", "url", "in url = [{ path = \"/\" }]"},
    {kServer, "TCP_CHECK", "check", "[[virtual_server.real_server.check]] type = \"TCP_CHECK\""},
    {kServer, "HTTP_GET", "check", "[[virtual_server.real_server.check]] type = \"HTTP_GET\""},
    {kServer, "SSL_GET", "check", "[[virtual_server.real_server.check]] type = \"SSL_GET\""},
    {kServer, "SMTP_CHECK", "check", "[[virtual_server.real_server.check]] type = \"SMTP_CHECK\""},
    {kServer, "MISC_CHECK", "check", "[[virtual_server.real_server.check]] type = \"MISC_CHECK\""},
    {kServer, "DNS_CHECK", "check", "[[virtual_server.real_server.check]] type = \"DNS_CHECK\""},
    {kServer, "UDP_CHECK", "check", "[[virtual_server.real_server.check]] type = \"UDP_CHECK\""},
    {kServer, "PING_CHECK", "check", "[[virtual_server.real_server.check]] type = \"PING_CHECK\""},
    {kServer, "FILE_CHECK", "check", "[[virtual_server.real_server.check]] type = \"FILE_CHECK\""},
    {kService, "sorry_server_lvs_method", "sorry_server",
     "sorry_server = { address = \"10.0.0.200\", lvs_method = \"NAT\" }"},
    {kService, "sorry_server_inhibit", "sorry_server",
     "sorry_server = { address = \"10.0.0.200\", inhibit_on_failure = true }"},
    {kService, "sh-port", "sched_flags", "sched_flags = [\"sh-port\"]"},
    {kService, "sh-fallback", "sched_flags", "sched_flags = [\"sh-fallback\"]"},
    {kService, "mh-port", "sched_flags", "sched_flags = [\"mh-port\"]"},
    {kService, "mh-fallback", "sched_flags", "sched_flags = [\"mh-fallback\"]"},
    {kService, "ip_family", "family", "family = \"ipv4\" or \"ipv6\""},
    {"dpdk.port", "queues", "", "there is one queue pair per worker and port: remove it"},
    {"dpdk.port", "rx_queues", "", "there is one queue pair per worker and port: remove it"},
    {"dpdk.port", "tx_queues", "", "there is one queue pair per worker and port: remove it"},
    {"dpdk.port", "vrrp_queue", "", "VRRP has its own way wherever the port can: remove it"},
    {"dpdk", "rx_burst", "burst", "one key for both directions"},
    {"dpdk", "tx_burst", "burst", "one key for both directions"},
};

}  // namespace

std::span<const OldName> old_names() {
    return kOldNames;
}

const OldName* find_old_name(std::string_view table, std::string_view name) {
    for (const OldName& row : kOldNames) {
        if (row.name == name && (row.table.empty() || row.table == table)) return &row;
    }
    return nullptr;
}

}  // namespace pollux::control
