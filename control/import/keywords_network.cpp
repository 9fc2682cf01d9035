// SPDX-License-Identifier: Apache-2.0
// The words inside of lines: addresses, routes, rules, tracked names. Their Reading is Nothing:
// convert_network.cpp and convert_tracking.cpp look at the row's fate and key alone.
#include "control/import/keyword_rows.h"

namespace pollux::control {

namespace {

constexpr Block kTracked = Block::Tracked;
constexpr Block kAddress = Block::Address;
constexpr Block kRoute = Block::Route;
constexpr Block kRule = Block::Rule;
constexpr Block kPeer = Block::UnicastPeer;

constexpr std::string_view kKernelOnly = "concerns the kernel's address only";
constexpr std::string_view kTcpOfHost = "concerns connections of the host itself";
constexpr std::string_view kNoTracking = "the kernel's routes are followed all the time";

constexpr Keyword kNetworkKeywords[] = {
    kept(kTracked, "weight", kText),
    kept(kTracked, "reverse", kFlag),
    dropped(kTracked, "noreverse", "the default"),
    dropped(kTracked, "no_reverse", "the default"),

    dropped(kPeer, "min_ttl", "a peer's advertisements arrive with the TTL that it sends"),
    dropped(kPeer, "max_ttl", "a peer's advertisements arrive with the TTL that it sends"),

    kept(kAddress, "dev", kText),
    kept(kAddress, "label", kText),
    kept(kAddress, "scope", kText),
    changed(kAddress, "brd", kText, "broadcast", "`broadcast`"),
    changed(kAddress, "broadcast", kText, "broadcast", "`broadcast`"),
    changed(kAddress, "noprefixroute", kFlag, "no_prefix_route", "no_prefix_route = true"),
    dropped(kAddress, "peer", "ports are no point-to-point links"),
    dropped(kAddress, "home", kKernelOnly),
    dropped(kAddress, "-nodad", "there is no duplicate address detection for virtual addresses"),
    dropped(kAddress, "mngtmpaddr", kKernelOnly),
    dropped(kAddress, "autojoin", kKernelOnly),
    dropped(kAddress, "no_track", "addresses are not tracked"),
    dropped(kAddress, "preferred_lft", kKernelOnly),
    dropped(kAddress, "track_group", "addresses are not tracked"),
    dropped(kAddress, "use_vmac", "use_vmac of the instance"),

    kept(kRoute, "to", kText),
    kept(kRoute, "via", kText),
    changed(kRoute, "gw", kText, "via", "`via`"),
    kept(kRoute, "dev", kText),
    changed(kRoute, "oif", kText, "dev", "`dev`"),
    kept(kRoute, "src", kText),
    kept(kRoute, "metric", kText),
    changed(kRoute, "priority", kText, "metric", "`metric`"),
    changed(kRoute, "preference", kText, "metric", "`metric`"),
    kept(kRoute, "mtu", kText),
    kept(kRoute, "table", kText),
    dropped(kRoute, "from", "a route by source is a virtual_rule with a table"),
    dropped(kRoute, "or", "one gateway per route"),
    dropped(kRoute, "nexthop", "one gateway per route"),
    dropped(kRoute, "weight", "one gateway per route"),
    dropped(kRoute, "onlink", "a route to the gateway's /32 with `dev`, before this one, says so"),
    dropped(kRoute, "scope", "follows from the gateway"),
    dropped(kRoute, "tos", "routes do not depend on the type of service"),
    dropped(kRoute, "dsfield", "routes do not depend on the type of service"),
    dropped(kRoute, "protocol", "the daemon's own"),
    dropped(kRoute, "hoplimit", kTcpOfHost),
    dropped(kRoute, "advmss", kTcpOfHost),
    dropped(kRoute, "rtt", kTcpOfHost),
    dropped(kRoute, "rttvar", kTcpOfHost),
    dropped(kRoute, "reordering", kTcpOfHost),
    dropped(kRoute, "window", kTcpOfHost),
    dropped(kRoute, "cwnd", kTcpOfHost),
    dropped(kRoute, "ssthresh", kTcpOfHost),
    dropped(kRoute, "realms", kTcpOfHost),
    dropped(kRoute, "rto_min", kTcpOfHost),
    dropped(kRoute, "initcwnd", kTcpOfHost),
    dropped(kRoute, "initrwnd", kTcpOfHost),
    dropped(kRoute, "features", kTcpOfHost),
    dropped(kRoute, "quickack", kTcpOfHost),
    dropped(kRoute, "congctl", kTcpOfHost),
    dropped(kRoute, "pref", kTcpOfHost),
    dropped(kRoute, "fastopen_no_cookie", kTcpOfHost),
    dropped(kRoute, "expires", "a route lives while its instance is MASTER"),
    dropped(kRoute, "encap", "routes do not encapsulate"),
    dropped(kRoute, "vrf", "there are no VRFs"),
    dropped(kRoute, "inet6", "the family is that of the destination"),
    dropped(kRoute, "inet", "the family is that of the destination"),
    dropped(kRoute, "add", "the daemon's routes are its own"),
    dropped(kRoute, "append", "the daemon's routes are its own"),
    dropped(kRoute, "no_track", kNoTracking),
    dropped(kRoute, "track_group", kNoTracking),
    dropped(kRoute, "blackhole", "routes lead somewhere"),
    dropped(kRoute, "unreachable", "routes lead somewhere"),
    dropped(kRoute, "prohibit", "routes lead somewhere"),
    dropped(kRoute, "throw", "routes lead somewhere"),
    dropped(kRoute, "local", "local routes follow from addresses"),
    dropped(kRoute, "broadcast", "broadcast routes follow from addresses"),

    kept(kRule, "from", kText),
    kept(kRule, "to", kText),
    kept(kRule, "iif", kText),
    changed(kRule, "dev", kText, "iif", "`iif`"),
    kept(kRule, "fwmark", kText),
    kept(kRule, "table", kText),
    changed(kRule, "lookup", kText, "table", "`table`"),
    kept(kRule, "priority", kText),
    changed(kRule, "preference", kText, "priority", "`priority`"),
    changed(kRule, "order", kText, "priority", "`priority`"),
    dropped(kRule, "oif", "rules are about what arrives"),
    dropped(kRule, "tos", "rules do not depend on the type of service"),
    dropped(kRule, "dsfield", "rules do not depend on the type of service"),
    dropped(kRule, "not", "a rule that is turned around cannot be expressed"),
    dropped(kRule, "goto", "rules look into a table"),
    dropped(kRule, "nat", "rules look into a table"),
    dropped(kRule, "realms", "rules look into a table"),
    dropped(kRule, "uidrange", "rules do not know users"),
    dropped(kRule, "l3mdev", "there are no VRFs"),
    dropped(kRule, "suppress_prefixlength", "rules look into a table"),
    dropped(kRule, "suppress_ifgroup", "rules look into a table"),
    dropped(kRule, "protocol", "the daemon's own"),
    dropped(kRule, "ip_proto", "rules are about addresses"),
    dropped(kRule, "ipproto", "rules are about addresses"),
    dropped(kRule, "sport", "rules are about addresses"),
    dropped(kRule, "dport", "rules are about addresses"),
    dropped(kRule, "tun_id", "rules are about addresses"),
    dropped(kRule, "inet", "the family is that of the addresses"),
    dropped(kRule, "inet6", "the family is that of the addresses"),
    dropped(kRule, "no_track", kNoTracking),
    dropped(kRule, "track_group", kNoTracking),
};

}  // namespace

std::span<const Keyword> network_keywords() {
    return kNetworkKeywords;
}

}  // namespace pollux::control
