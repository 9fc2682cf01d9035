// SPDX-License-Identifier: Apache-2.0
#pragma once

// [global.vrrp], [[vrrp_script]], [[vrrp_track_process]], [[vrrp_track_file]],
// [[vrrp_sync_group]] and [[vrrp_instance]]. All keys: reload.
// After loading, what an instance inherits from [global.vrrp] is filled in: every field holds the
// value that counts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config_common.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

enum class InitialState : std::uint8_t { Master, Backup };
enum class AuthType : std::uint8_t { None, Pass };

// IPv4 VRRPv3 has two checksums in the field (RFC 5798 with, RFC 9568 without pseudo-header).
// Received ones are good in either form; this chooses what is sent. AcceptBoth follows the form
// last seen from a valid peer and starts with the pseudo-header, as keepalived sends.
enum class ChecksumV3Ipv4 : std::uint8_t { AcceptBoth, Rfc9568, PseudoHeader };

// Settings that [global.vrrp] gives and an instance may override under the same names.
struct VrrpTuning {
    std::uint8_t version = 2;  // 2 or 3; an IPv6 instance always speaks 3
    bool strict = false;       // RFC 9568 to the letter; never drops service traffic
    bool skip_check_adv_addr = false;
    Duration garp_interval{};  // between two gratuitous ARP frames of a port; 0 = no pacing
    Duration gna_interval{};   // the same for unsolicited neighbour advertisements
    Duration garp_master_delay = std::chrono::seconds(5);     // second block after MASTER; 0 = none
    std::uint32_t garp_master_repeat = 5;                     // frames per address and block
    Duration garp_master_refresh = std::chrono::seconds(60);  // 0 = never again
    std::uint32_t garp_master_refresh_repeat = 1;
    Duration garp_lower_prio_delay = std::chrono::seconds(5);
    std::uint32_t garp_lower_prio_repeat = 5;
    bool lower_prio_no_advert = false;
    bool higher_prio_send_advert = true;
    unsigned down_timer_adverts = 3;  // 1..100
    bool check_unicast_src = true;
    ChecksumV3Ipv4 checksum_v3_ipv4 = ChecksumV3Ipv4::AcceptBoth;

    bool operator==(const VrrpTuning&) const = default;
};

struct GlobalVrrpConfig {
    Origin origin;
    VrrpTuning tuning;
    net::IpAddress mcast_group4 = net::IpAddress::from_v4(net::Ipv4Address::from_host(0xe0000012));
    net::IpAddress mcast_group6 = {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12},
                                   net::Family::V6};
    Duration startup_delay{};  // instances stay in INIT so long after the start

    bool operator==(const GlobalVrrpConfig&) const = default;
};

// [[vrrp_script]]: exit status 0 is success.
struct VrrpScriptConfig {
    Origin origin;
    std::string name;
    Command script;
    Duration interval = std::chrono::seconds(1);
    Duration timeout = std::chrono::seconds(1);  // not written: as `interval`
    int weight = 0;                              // -253..253; 0 = failure is a fault
    unsigned fall = 1;                           // failures in a row until it counts as failed
    unsigned rise = 1;                           // successes in a row until it counts as good
    std::string user;        // "user" or "user:group"; empty: global.scripts.user
    bool init_fail = false;  // counts as failed until `rise` successes

    bool operator==(const VrrpScriptConfig&) const = default;
};

// [[vrrp_track_process]]: good while at least `quorum` processes of that name run.
struct VrrpTrackProcessConfig {
    Origin origin;
    std::string name;
    Command process;  // program name or path, then arguments to match if `full_command`
    bool full_command = false;
    int weight = 0;               // -253..253; 0 = failure is a fault
    unsigned quorum = 1;          // 1..65535
    unsigned quorum_max = 65535;  // more than these is a failure too
    Duration delay{};             // applies to both directions unless one of the next two is set
    Duration fork_delay{};        // a process must run so long to count
    Duration terminate_delay{};   // a missing process counts as gone after this

    bool operator==(const VrrpTrackProcessConfig&) const = default;
};

// [[vrrp_track_file]]: the file's number times weight is added to the priority.
struct VrrpTrackFileConfig {
    Origin origin;
    std::string name;
    std::string file;  // absolute path
    int weight = 0;    // -254..254; 0 = a number other than 0 is a fault

    bool operator==(const VrrpTrackFileConfig&) const = default;
};

// An entry of track_interface, track_script, track_process or track_file.
struct TrackConfig {
    Origin origin;
    std::string name;
    std::optional<int> weight;  // absent: that of the definition; an interface: fault
    bool reverse = false;       // success and failure change places

    bool operator==(const TrackConfig&) const = default;
};

struct TrackLists {
    std::vector<TrackConfig> track_interface;  // names of ports
    std::vector<TrackConfig> track_script;
    std::vector<TrackConfig> track_process;
    std::vector<TrackConfig> track_file;

    bool operator==(const TrackLists&) const = default;
};

// Commands on a change of state. `notify` gets four more arguments:
// GROUP|INSTANCE, name, MASTER|BACKUP|FAULT|STOP|DELETED, priority.
struct NotifyCommands {
    Command notify_master;
    Command notify_backup;
    Command notify_fault;
    Command notify_stop;
    Command notify_deleted;
    Command notify;
    Command fence;  // instance only: run when another MASTER does not yield, same four arguments
    bool smtp_alert = false;

    bool operator==(const NotifyCommands&) const = default;
};

struct VrrpSyncGroupConfig {
    Origin origin;
    std::string name;
    std::vector<std::string> group;  // names of instances
    TrackLists track;
    NotifyCommands notify;
    bool sync_group_tracking_weight = false;

    bool operator==(const VrrpSyncGroupConfig&) const = default;
};

struct VrrpAuthentication {
    Origin origin;
    AuthType type = AuthType::None;
    std::string password;  // 1..8 characters, from password_file or password

    bool operator==(const VrrpAuthentication&) const = default;
};

struct VirtualIpConfig {
    Origin origin;
    net::IpPrefix address;     // without "/LENGTH": a host address
    std::string dev;           // port name; empty in the file: the instance's interface
    std::string label;         // IPv4 only, at most 15 characters
    net::IpAddress broadcast;  // family None: none
    std::uint8_t scope = 0;    // 0 global, 200 site, 253 link, 254 host
    bool no_prefix_route = false;

    bool operator==(const VirtualIpConfig&) const = default;
};

// A rule of `ip rule` that exists while the instance is MASTER.
struct VirtualRuleConfig {
    Origin origin;
    net::IpPrefix from;  // family None = all
    net::IpPrefix to;    // family None = all
    std::string iif;     // port name; empty = any
    std::uint32_t fwmark = 0;
    std::uint32_t table = 0;     // 1..4294967295
    std::uint32_t priority = 0;  // 0 = chosen by the kernel

    bool operator==(const VirtualRuleConfig&) const = default;
};

struct VrrpInstanceConfig {
    Origin origin;
    std::string name;
    InitialState state = InitialState::Backup;
    std::string interface;               // port name
    std::uint8_t virtual_router_id = 0;  // 1..255
    std::uint8_t priority = 100;         // 1..255; 255 only for an address owner
    Duration advert_int = std::chrono::seconds(1);
    VrrpTuning tuning;                         // resolved with [global.vrrp]
    net::Family family = net::Family::V4;      // that of the first virtual address
    net::IpAddress mcast_src_ip;               // family None: the port's own
    std::vector<net::IpAddress> unicast_peer;  // empty: multicast
    unsigned unicast_ttl = 255;                // 1..255
    bool use_vmac = false;
    bool accept = true;  // answer and serve on virtual addresses when not the owner
    bool nopreempt = false;
    Duration preempt_delay{};         // 0..1000 s
    bool dont_track_primary = false;  // a carrier loss of `interface` is no fault
    VrrpAuthentication authentication;
    std::vector<VirtualIpConfig> virtual_ipaddress;
    std::vector<VirtualIpConfig> virtual_ipaddress_excluded;
    std::vector<RouteConfig> virtual_route;
    std::vector<VirtualRuleConfig> virtual_rule;
    TrackLists track;
    NotifyCommands notify;

    bool operator==(const VrrpInstanceConfig&) const = default;
};

}  // namespace pollux::control
