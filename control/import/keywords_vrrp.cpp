// SPDX-License-Identifier: Apache-2.0
// VRRP: scripts, tracking, groups, instances.
#include "control/import/convert.h"
#include "control/import/keyword_rows.h"

namespace pollux::control {

namespace {

constexpr Block kScript = Block::VrrpScript;
constexpr Block kFile = Block::TrackFile;
constexpr Block kProcess = Block::TrackProcess;
constexpr Block kGroup = Block::SyncGroup;
constexpr Block kGarp = Block::GarpGroup;
constexpr Block kBfd = Block::BfdInstance;
constexpr Block kVrrp = Block::Instance;
constexpr Block kAuth = Block::Authentication;

constexpr std::string_view kVmac = "the virtual MAC is made in user space, without an interface";
constexpr std::string_view kLink = "the port's driver reports its link";
constexpr std::string_view kRxLower = "the FIFO and `fence` tell about another MASTER";

constexpr Keyword kVrrpKeywords[] = {
    kept(kScript, "script", convert_script_line),
    kept(kScript, "interval", kSeconds),
    kept(kScript, "timeout", kSeconds),
    kept(kScript, "weight", convert_weight),
    kept(kScript, "rise", {1, kAnyNumber}),
    kept(kScript, "fall", {1, kAnyNumber}),
    kept(kScript, "user", Reading::User),
    kept(kScript, "init_fail", kFlag),

    kept(kFile, "file", Reading::Text),
    kept(kFile, "weight", convert_weight),
    dropped(kFile, "init_file", "the file is the operator's: write it before the start"),

    kept(kProcess, "process", convert_process),
    dropped(kProcess, "param_match", "with full_command the whole command line is compared"),
    kept(kProcess, "weight", convert_weight),
    kept(kProcess, "quorum", {1, 65535}),
    kept(kProcess, "quorum_max", {0, 65535}),
    kept(kProcess, "fork_delay", kSeconds),
    kept(kProcess, "terminate_delay", kSeconds),
    kept(kProcess, "delay", kSeconds),
    kept(kProcess, "full_command", kFlag),

    kept(kGroup, "group", convert_group),
    kept(kGroup, "track_interface", convert_tracked),
    kept(kGroup, "track_script", convert_tracked),
    kept(kGroup, "track_file", convert_tracked),
    kept(kGroup, "track_process", convert_tracked),
    dropped(kGroup, "track_bfd", kNoBfd),
    kept(kGroup, "notify_master", kCommand),
    kept(kGroup, "notify_backup", kCommand),
    kept(kGroup, "notify_fault", kCommand),
    kept(kGroup, "notify_stop", kCommand),
    kept(kGroup, "notify_deleted", kCommand),
    kept(kGroup, "notify", kCommand),
    dropped(kGroup, "notify_priority_changes", "vrrp_notify_priority_changes in [global]"),
    kept(kGroup, "smtp_alert", kBool),
    dropped(kGroup, "global_tracking", "members share what the group tracks"),
    kept(kGroup, "sync_group_tracking_weight", kFlag),

    changed(kGarp, "garp_interval", kSeconds, "garp_interval", "in [global.vrrp]"),
    changed(kGarp, "gna_interval", kSeconds, "gna_interval", "in [global.vrrp]"),
    dropped(kGarp, "interface", "one pace for all ports"),
    dropped(kGarp, "interfaces", "one pace for all ports"),

    dropped(kBfd, "neighbor_ip", kNoBfd),
    dropped(kBfd, "neighbour_ip", kNoBfd),
    dropped(kBfd, "source_ip", kNoBfd),
    dropped(kBfd, "min_rx", kNoBfd),
    dropped(kBfd, "min_tx", kNoBfd),
    dropped(kBfd, "idle_tx", kNoBfd),
    dropped(kBfd, "multiplier", kNoBfd),
    dropped(kBfd, "passive", kNoBfd),
    dropped(kBfd, "ttl", kNoBfd),
    dropped(kBfd, "hoplimit", kNoBfd),
    dropped(kBfd, "max_hops", kNoBfd),
    dropped(kBfd, "weight", kNoBfd),
    dropped(kBfd, "vrrp", kNoBfd),
    dropped(kBfd, "checker", kNoBfd),

    kept(kVrrp, "state", convert_state),
    kept(kVrrp, "interface", convert_interface),
    kept(kVrrp, "virtual_router_id", {1, 255}),
    kept(kVrrp, "priority", {1, 255}),
    kept(kVrrp, "advert_int", convert_advert_int),
    kept(kVrrp, "version", {2, 3}),
    kept(kVrrp, "authentication", convert_authentication),
    kept(kVrrp, "virtual_ipaddress", convert_addresses),
    kept(kVrrp, "virtual_ipaddress_excluded", convert_addresses),
    changed(kVrrp, "virtual_routes", convert_routes, "[[vrrp_instance.virtual_route]]"),
    changed(kVrrp, "virtual_rules", convert_rules, "[[vrrp_instance.virtual_rule]]"),
    kept(kVrrp, "nopreempt", convert_preempt),
    kept(kVrrp, "preempt", convert_preempt),
    kept(kVrrp, "preempt_delay", convert_preempt),
    kept(kVrrp, "mcast_src_ip", Reading::Ip),
    changed(kVrrp, "unicast_src_ip", Reading::Ip, "mcast_src_ip",
            "one key for multicast and unicast"),
    kept(kVrrp, "unicast_peer", convert_unicast_peer),
    kept(kVrrp, "unicast_ttl", {0, 255}),
    kept(kVrrp, "check_unicast_src", kBool),
    dropped(kVrrp, "unicast_fault_no_peer", "an instance without a peer is an instance alone"),
    dropped(kVrrp, "old_unicast_checksum", "of keepalived before 1.3.6; see checksum_v3_ipv4"),
    dropped(kVrrp, "mcast_dst_ip", "one group for all instances: [global.vrrp] mcast_group4"),
    dropped(kVrrp, "track_src_ip", "the source is an address of the port"),
    kept(kVrrp, "use_vmac", convert_vmac),
    dropped(kVrrp, "use_vmac_addr", kVmac),
    dropped(kVrrp, "vmac_xmit_base", kVmac),
    dropped(kVrrp, "use_ipvlan", kVmac),
    dropped(kVrrp, "vrf", "there are no VRFs"),
    changed(kVrrp, "accept", kFlag, "accept", "the default"),
    changed(kVrrp, "no_accept", Reading::NegatedFlag, "accept", "accept = false"),
    dropped(kVrrp, "native_ipv6", "the family is that of the addresses"),
    kept(kVrrp, "dont_track_primary", kFlag),
    kept(kVrrp, "track_interface", convert_tracked),
    kept(kVrrp, "track_script", convert_tracked),
    kept(kVrrp, "track_file", convert_tracked),
    kept(kVrrp, "track_process", convert_tracked),
    dropped(kVrrp, "track_bfd", kNoBfd),
    kept(kVrrp, "garp_master_delay", kSeconds),
    kept(kVrrp, "garp_master_repeat", {1, kAnyNumber}),
    kept(kVrrp, "garp_master_refresh", kSeconds),
    kept(kVrrp, "garp_master_refresh_repeat", {1, kAnyNumber}),
    kept(kVrrp, "garp_lower_prio_delay", kSeconds),
    kept(kVrrp, "garp_lower_prio_repeat", {0, kAnyNumber}),
    dropped(kVrrp, "garp_extra_if", "refreshes go to every port of a VIP"),
    dropped(kVrrp, "vmac_garp_intvl", "refreshes go to every port of a VIP"),
    kept(kVrrp, "lower_prio_no_advert", kBool),
    kept(kVrrp, "higher_prio_send_advert", kBool),
    kept(kVrrp, "down_timer_adverts", {1, 100}),
    kept(kVrrp, "skip_check_adv_addr", kBool),
    changed(kVrrp, "strict_mode", kBool, "strict", "`strict`"),
    kept(kVrrp, "notify_master", kCommand),
    kept(kVrrp, "notify_backup", kCommand),
    kept(kVrrp, "notify_fault", kCommand),
    kept(kVrrp, "notify_stop", kCommand),
    kept(kVrrp, "notify_deleted", kCommand),
    kept(kVrrp, "notify", kCommand),
    dropped(kVrrp, "notify_master_rx_lower_pri", kRxLower),
    dropped(kVrrp, "notify_priority_changes", "vrrp_notify_priority_changes in [global]"),
    kept(kVrrp, "smtp_alert", kBool),
    dropped(kVrrp, "promote_secondaries", "secondary addresses are kept in user space"),
    dropped(kVrrp, "lvs_sync_daemon_interface", "connections are not synchronised yet"),
    dropped(kVrrp, "kernel_rx_buf_size", "the data plane is in user space"),
    dropped(kVrrp, "linkbeat_use_polling", kLink),
    dropped(kVrrp, "debug", "[log] level"),

    changed(kAuth, "auth_type", Reading::Text, "type", "`type`"),
    changed(kAuth, "auth_pass", Reading::Text, "password", "`password`, or better password_file"),
};

}  // namespace

std::span<const Keyword> vrrp_keywords() {
    return kVrrpKeywords;
}

}  // namespace pollux::control
