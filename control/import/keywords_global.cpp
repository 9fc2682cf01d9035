// SPDX-License-Identifier: Apache-2.0
// The top level and global_defs.
#include "control/import/convert.h"
#include "control/import/keyword_rows.h"

namespace pollux::control {

namespace {

constexpr Block kTop = Block::Top;
constexpr Block kDefs = Block::GlobalDefs;

constexpr std::string_view kOneProcess = "Pollux is one process";
constexpr std::string_view kOwnCores =
    "the control core and the workers have CPUs of their own: [dpdk]";
constexpr std::string_view kUserSpace =
    "the data plane is in user space: there is no kernel to set up";
constexpr std::string_view kMetricsForSnmp = "there is no SNMP; metrics: [api] metrics_listen";
constexpr std::string_view kNoDbus = "there is no D-Bus: `pollux --json` answers questions";
constexpr std::string_view kUnit = "the service unit's task";
constexpr std::string_view kReload = "reloads are always checked first, see `pollux reload`";
constexpr std::string_view kOneTable = "in [global.vrrp]";
constexpr std::string_view kMail = "in [global.email]";
constexpr std::string_view kSpread = "in each [[virtual_server]]";

constexpr Keyword kGlobalKeywords[] = {
    kept(kTop, "global_defs", convert_global_defs),
    kept(kTop, "vrrp_script", convert_vrrp_script),
    kept(kTop, "vrrp_instance", convert_instance),
    kept(kTop, "vrrp_sync_group", convert_sync_group),
    changed(kTop, "track_file", convert_track_file, "[[vrrp_track_file]]"),
    kept(kTop, "vrrp_track_file", convert_track_file),
    kept(kTop, "vrrp_track_process", convert_track_process),
    kept(kTop, "virtual_server", convert_virtual_server),
    kept(kTop, "virtual_server_group", convert_virtual_server_group),
    changed(kTop, "SSL", convert_ssl, "ca_file, certificate_file and key_file of each SSL_GET"),
    changed(kTop, "static_ipaddress", convert_static_addresses, "`address` of [[dpdk.port]]"),
    changed(kTop, "static_routes", convert_static_routes, "[[route]]"),
    dropped(kTop, "static_rules", "routing rules belong to a [[vrrp_instance]] or to the kernel"),
    changed(kTop, "garp_group", convert_garp_group, "one pace for all ports, in [global.vrrp]"),
    dropped(kTop, "bfd_instance", kNoBfd),
    dropped(kTop, "track_group", "static addresses and routes are not tracked"),
    dropped(kTop, "interface_up_down_delays", "links are not debounced"),
    dropped(kTop, "linkbeat_interfaces", "the port's driver reports its link"),
    dropped(kTop, "linkbeat_use_polling", "the port's driver reports its link"),
    dropped(kTop, "net_namespace", "start polluxd in the namespace"),
    dropped(kTop, "net_namespace_ipvs", kUserSpace),
    dropped(kTop, "namespace_with_ipsets", kUserSpace),
    dropped(kTop, "instance", "give each polluxd its own file_prefix and control_socket"),
    dropped(kTop, "use_pid_dir", kUnit),
    dropped(kTop, "child_wait_time", kOneProcess),

    kept(kDefs, "router_id", kText),
    changed(kDefs, "lvs_id", kText, "router_id", "the old name of router_id"),
    changed(kDefs, "notification_email", convert_notification_email, "`to` in [global.email]"),
    changed(kDefs, "notification_email_from", kText, "email.from", kMail),
    changed(kDefs, "smtp_server", convert_smtp_server, "`server` in [global.email]"),
    changed(kDefs, "smtp_helo_name", kText, "email.helo_name", kMail),
    changed(kDefs, "smtp_connect_timeout", kSeconds, "email.connect_timeout", kMail),
    changed(kDefs, "smtp_alert", convert_smtp_alert, kMail),
    changed(kDefs, "smtp_alert_vrrp", convert_smtp_alert, "in each [[vrrp_instance]]"),
    changed(kDefs, "smtp_alert_checker", convert_smtp_alert, kSpread),
    changed(kDefs, "no_email_faults", Reading::Flag, "email.no_email_faults", kMail),
    dropped(kDefs, "no_checker_emails", "mail is off unless smtp_alert asks for it"),
    changed(kDefs, "checker_log_all_failures", convert_service_default,
            "log_all_failures in each [[virtual_server]]"),
    changed(kDefs, "rs_init_notifies", convert_service_default, kSpread),
    changed(kDefs, "script_user", Reading::User, "scripts.user", "`user` in [global.scripts]"),
    changed(kDefs, "enable_script_security", kBool, "scripts.enable_script_security",
            "in [global.scripts], and on by default"),
    kept(kDefs, "notify_fifo", convert_fifo),
    kept(kDefs, "vrrp_notify_fifo", convert_fifo),
    kept(kDefs, "lvs_notify_fifo", convert_fifo),
    kept(kDefs, "notify_fifo_script", Reading::Command),
    kept(kDefs, "vrrp_notify_fifo_script", Reading::Command),
    kept(kDefs, "lvs_notify_fifo_script", Reading::Command),
    kept(kDefs, "vrrp_notify_priority_changes", kBool),
    dropped(kDefs, "fifo_write_vrrp_states_on_reload", "a reload changes no state"),

    changed(kDefs, "vrrp_mcast_group4", Reading::Ip, "vrrp.mcast_group4", kOneTable),
    changed(kDefs, "vrrp_mcast_group6", Reading::Ip, "vrrp.mcast_group6", kOneTable),
    changed(kDefs, "vrrp_version", convert_vrrp_version, kOneTable),
    changed(kDefs, "vrrp_strict", kBool, "vrrp.strict", kOneTable),
    changed(kDefs, "vrrp_skip_check_adv_addr", kBool, "vrrp.skip_check_adv_addr", kOneTable),
    changed(kDefs, "vrrp_check_unicast_src", kBool, "vrrp.check_unicast_src", kOneTable),
    changed(kDefs, "vrrp_startup_delay", kSeconds, "vrrp.startup_delay", kOneTable),
    changed(kDefs, "vrrp_down_timer_adverts", Reading::Integer, "vrrp.down_timer_adverts",
            kOneTable),
    changed(kDefs, "vrrp_garp_interval", kSeconds, "vrrp.garp_interval", kOneTable),
    changed(kDefs, "vrrp_gna_interval", kSeconds, "vrrp.gna_interval", kOneTable),
    changed(kDefs, "vrrp_garp_master_delay", kSeconds, "vrrp.garp_master_delay", kOneTable),
    changed(kDefs, "vrrp_garp_master_repeat", Reading::Integer, "vrrp.garp_master_repeat",
            kOneTable),
    changed(kDefs, "vrrp_garp_master_refresh", kSeconds, "vrrp.garp_master_refresh", kOneTable),
    changed(kDefs, "vrrp_garp_master_refresh_repeat", Reading::Integer,
            "vrrp.garp_master_refresh_repeat", kOneTable),
    changed(kDefs, "vrrp_garp_lower_prio_delay", kSeconds, "vrrp.garp_lower_prio_delay", kOneTable),
    changed(kDefs, "vrrp_garp_lower_prio_repeat", Reading::Integer, "vrrp.garp_lower_prio_repeat",
            kOneTable),
    changed(kDefs, "vrrp_lower_prio_no_advert", kBool, "vrrp.lower_prio_no_advert", kOneTable),
    changed(kDefs, "vrrp_higher_prio_send_advert", kBool, "vrrp.higher_prio_send_advert",
            kOneTable),
    changed(kDefs, "vrrp_min_garp", convert_min_garp, "garp_master_repeat 1, no second block"),
    dropped(kDefs, "vrrp_garp_extra_if", "refreshes go to every port of a VIP"),
    dropped(kDefs, "vrrp_vmac_garp_intvl", "refreshes go to every port of a VIP"),
    changed(kDefs, "lvs_timeouts", convert_lvs_timeouts, "[conntrack.timeout]"),
    dropped(kDefs, "lvs_sync_daemon", "connections are not synchronised between nodes yet"),
    dropped(kDefs, "lvs_flush", kUserSpace),
    dropped(kDefs, "lvs_flush_on_stop", kUserSpace),
    dropped(kDefs, "lvs_flush_onstop", kUserSpace),
    dropped(kDefs, "default_interface", "each address names its port, or is on its instance's"),

    dropped(kDefs, "startup_script", kUnit),
    dropped(kDefs, "startup_script_timeout", kUnit),
    dropped(kDefs, "shutdown_script", kUnit),
    dropped(kDefs, "shutdown_script_timeout", kUnit),
    dropped(kDefs, "umask", kUnit),
    dropped(kDefs, "process_names", kOneProcess),
    dropped(kDefs, "process_name", kOneProcess),
    dropped(kDefs, "vrrp_process_name", kOneProcess),
    dropped(kDefs, "checker_process_name", kOneProcess),
    dropped(kDefs, "lvs_process_name", kOneProcess),
    dropped(kDefs, "bfd_process_name", kOneProcess),
    dropped(kDefs, "tmp_config_directory", kOneProcess),
    dropped(kDefs, "data_use_instance", kOneProcess),
    dropped(kDefs, "max_auto_priority", kOwnCores),
    dropped(kDefs, "min_auto_priority_delay", kOwnCores),
    dropped(kDefs, "vrrp_priority", kOwnCores),
    dropped(kDefs, "checker_priority", kOwnCores),
    dropped(kDefs, "bfd_priority", kOwnCores),
    dropped(kDefs, "vrrp_no_swap", kOwnCores),
    dropped(kDefs, "checker_no_swap", kOwnCores),
    dropped(kDefs, "bfd_no_swap", kOwnCores),
    dropped(kDefs, "vrrp_cpu_affinity", kOwnCores),
    dropped(kDefs, "checker_cpu_affinity", kOwnCores),
    dropped(kDefs, "bfd_cpu_affinity", kOwnCores),
    dropped(kDefs, "vrrp_rt_priority", kOwnCores),
    dropped(kDefs, "checker_rt_priority", kOwnCores),
    dropped(kDefs, "bfd_rt_priority", kOwnCores),
    dropped(kDefs, "vrrp_rlimit_rttime", kOwnCores),
    dropped(kDefs, "vrrp_rlimit_rtime", kOwnCores),
    dropped(kDefs, "checker_rlimit_rttime", kOwnCores),
    dropped(kDefs, "checker_rlimit_rtime", kOwnCores),
    dropped(kDefs, "bfd_rlimit_rttime", kOwnCores),
    dropped(kDefs, "bfd_rlimit_rtime", kOwnCores),

    dropped(kDefs, "nftables", kUserSpace),
    dropped(kDefs, "nftables_priority", kUserSpace),
    dropped(kDefs, "nftables_counters", kUserSpace),
    dropped(kDefs, "nftables_ifindex", kUserSpace),
    dropped(kDefs, "nftables_ipvs", kUserSpace),
    dropped(kDefs, "nftables_ipvs_priority", kUserSpace),
    dropped(kDefs, "nftables_ipvs_start_fwmark", kUserSpace),
    dropped(kDefs, "vrrp_iptables", kUserSpace),
    dropped(kDefs, "vrrp_ipsets", kUserSpace),
    dropped(kDefs, "disable_local_igmp", kUserSpace),
    dropped(kDefs, "vmac_prefix", kUserSpace),
    dropped(kDefs, "vmac_addr_prefix", kUserSpace),
    dropped(kDefs, "vrrp_rx_bufs_policy", kUserSpace),
    dropped(kDefs, "vrrp_rx_bufs_multiplier", kUserSpace),
    dropped(kDefs, "vrrp_netlink_cmd_rcv_bufs", kUserSpace),
    dropped(kDefs, "vrrp_netlink_cmd_rcv_bufs_force", kUserSpace),
    dropped(kDefs, "vrrp_netlink_monitor_rcv_bufs", kUserSpace),
    dropped(kDefs, "vrrp_netlink_monitor_rcv_bufs_force", kUserSpace),
    dropped(kDefs, "lvs_netlink_cmd_rcv_bufs", kUserSpace),
    dropped(kDefs, "lvs_netlink_cmd_rcv_bufs_force", kUserSpace),
    dropped(kDefs, "lvs_netlink_monitor_rcv_bufs", kUserSpace),
    dropped(kDefs, "lvs_netlink_monitor_rcv_bufs_force", kUserSpace),
    dropped(kDefs, "process_monitor_rcv_bufs", kUserSpace),
    dropped(kDefs, "process_monitor_rcv_bufs_force", kUserSpace),
    dropped(kDefs, "dynamic_interfaces", "ports exist from the start"),
    dropped(kDefs, "log_unknown_vrids", "`pollux show vrrp` counts them"),
    dropped(kDefs, "random_seed", "nothing is drawn that an operator would want to repeat"),

    dropped(kDefs, "snmp_socket", kMetricsForSnmp),
    dropped(kDefs, "enable_traps", kMetricsForSnmp),
    dropped(kDefs, "enable_snmp_keepalived", kMetricsForSnmp),
    dropped(kDefs, "enable_snmp_checker", kMetricsForSnmp),
    dropped(kDefs, "enable_snmp_vrrp", kMetricsForSnmp),
    dropped(kDefs, "enable_snmp_rfc", kMetricsForSnmp),
    dropped(kDefs, "enable_snmp_rfcv2", kMetricsForSnmp),
    dropped(kDefs, "enable_snmp_rfcv3", kMetricsForSnmp),
    dropped(kDefs, "enable_dbus", kNoDbus),
    dropped(kDefs, "dbus_service_name", kNoDbus),
    dropped(kDefs, "config_save_dir", kReload),
    dropped(kDefs, "reload_check_config", kReload),
    dropped(kDefs, "reload_file", kReload),
    dropped(kDefs, "reload_repeat", kReload),
    dropped(kDefs, "reload_time_file", kReload),
    dropped(kDefs, "include_check", "an include without a file is always an error"),
};

}  // namespace

std::span<const Keyword> global_keywords() {
    return kGlobalKeywords;
}

}  // namespace pollux::control
