// SPDX-License-Identifier: Apache-2.0
// Rows of [[vrrp_script]], [[vrrp_track_process]], [[vrrp_track_file]], [[vrrp_sync_group]] and
// [[vrrp_instance]].

#include "control/config/draft.h"
#include "control/config/schema_fields.h"
#include "control/config/schema_tables.h"
#include "control/config/schema_vrrp_rows.h"

namespace pollux::control::schema {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<Choice, 2> kStates = {{
    {"MASTER", static_cast<int>(InitialState::Master)},
    {"BACKUP", static_cast<int>(InitialState::Backup)},
}};
constexpr std::array<Choice, 2> kAuthTypes = {{
    {"none", static_cast<int>(AuthType::None)},
    {"PASS", static_cast<int>(AuthType::Pass)},
}};
constexpr std::array<Choice, 4> kScopes = {{
    {"global", 0},
    {"site", 200},
    {"link", 253},
    {"host", 254},
}};

TableSchema track_schema(std::string_view path, std::int64_t limit, std::string_view what) {
    return {
        path,
        true,
        {
            {"name", name<&TrackConfig::name>(), "", kReload, what, true, R"("check_web")"},
            {"weight", number<&TrackConfig::weight>(-limit, limit), "", kReload,
             "change of priority; 0: failure is a fault; not written: as defined", false, "-60"},
            {"reverse", boolean<&TrackConfig::reverse>(), "false", kReload,
             "success and failure change places"},
        },
        {"name"},
        origin<&TrackConfig::origin>};
}

constexpr std::string_view kTrackedPort = "a [[dpdk.port]] whose link is watched";
constexpr std::string_view kTrackedScript = "a [[vrrp_script]]";
constexpr std::string_view kTrackedProcess = "a [[vrrp_track_process]]";
constexpr std::string_view kTrackedFile = "a [[vrrp_track_file]]";

const TableSchema* instance_interfaces() {
    static const auto table = track_schema("vrrp_instance.track_interface", 253, kTrackedPort);
    return &table;
}
const TableSchema* instance_scripts() {
    static const auto table = track_schema("vrrp_instance.track_script", 253, kTrackedScript);
    return &table;
}
const TableSchema* instance_processes() {
    static const auto table = track_schema("vrrp_instance.track_process", 254, kTrackedProcess);
    return &table;
}
const TableSchema* instance_files() {
    static const auto table = track_schema("vrrp_instance.track_file", 254, kTrackedFile);
    return &table;
}
const TableSchema* group_interfaces() {
    static const auto table = track_schema("vrrp_sync_group.track_interface", 253, kTrackedPort);
    return &table;
}
const TableSchema* group_scripts() {
    static const auto table = track_schema("vrrp_sync_group.track_script", 253, kTrackedScript);
    return &table;
}
const TableSchema* group_processes() {
    static const auto table = track_schema("vrrp_sync_group.track_process", 254, kTrackedProcess);
    return &table;
}
const TableSchema* group_files() {
    static const auto table = track_schema("vrrp_sync_group.track_file", 254, kTrackedFile);
    return &table;
}

// Commands on a change of state, of an instance or a group.
template <auto... Path>
std::vector<KeyRow> notify_rows() {
    using N = NotifyCommands;
    const auto command = [](std::string_view key, Field field, std::string_view help) {
        return KeyRow{key, field, "[]", kReload, help, false, R"(["/etc/pollux/notify.sh"])"};
    };
    constexpr auto kType = ValueType::Command;
    return {
        command("notify_master", of_type<Path..., &N::notify_master>(kType), "run on MASTER"),
        command("notify_backup", of_type<Path..., &N::notify_backup>(kType), "run on BACKUP"),
        command("notify_fault", of_type<Path..., &N::notify_fault>(kType), "run on FAULT"),
        command("notify_stop", of_type<Path..., &N::notify_stop>(kType),
                "run when the daemon stops"),
        command("notify_deleted", of_type<Path..., &N::notify_deleted>(kType),
                "run when a reload removed it"),
        command("notify", of_type<Path..., &N::notify>(kType),
                "run on each of these, with four more arguments: "
                "INSTANCE|GROUP NAME STATE PRIORITY"),
        {"smtp_alert", boolean<Path..., &N::smtp_alert>(), "", kReload,
         "mail on a change of state; not written: global.email.smtp_alert", false, "true"},
    };
}

TableSchema virtual_ip_schema(std::string_view path) {
    using V = VirtualIpConfig;
    return {
        path,
        true,
        {
            {"address", of_type<&V::address>(ValueType::Prefix), "", kReload,
             "the virtual address; without a length: /32 or /128", true, R"("198.51.100.10/24")"},
            {"dev", name<&V::dev>(), "", kReload, "port; not written: the instance's interface",
             false, R"("wan")"},
            {"label", name<&V::label>(15), "", kReload, "name of an IPv4 address in the kernel",
             false, R"("wan:1")"},
            {"broadcast", of_type<&V::broadcast>(ValueType::Address), "", kReload,
             "broadcast address; not written: none", false, R"("198.51.100.255")"},
            {"scope", choice<&V::scope>(kScopes), R"("global")", kReload, "as in `ip address`"},
            {"no_prefix_route", boolean<&V::no_prefix_route>(), "false", kReload,
             "no route to the address's network"},
        },
        {"address"},
        origin<&V::origin>};
}

const TableSchema* virtual_ipaddress_table() {
    static const auto table = virtual_ip_schema("vrrp_instance.virtual_ipaddress");
    return &table;
}
const TableSchema* virtual_ipaddress_excluded_table() {
    static const auto table = virtual_ip_schema("vrrp_instance.virtual_ipaddress_excluded");
    return &table;
}
const TableSchema* virtual_route_table() {
    static const auto table = route_schema("vrrp_instance.virtual_route", true);
    return &table;
}

const TableSchema* virtual_rule_table() {
    using R = VirtualRuleConfig;
    static const TableSchema table = {
        "vrrp_instance.virtual_rule",
        true,
        {
            {"from", of_type<&R::from>(ValueType::Prefix), "", kReload,
             "source prefix; not written: all", false, R"("198.51.100.10/32")"},
            {"to", of_type<&R::to>(ValueType::Prefix), "", kReload,
             "destination prefix; not written: all", false, R"("192.0.2.0/24")"},
            {"iif", name<&R::iif>(), "", kReload, "port of arrival; not written: any", false,
             R"("wan")"},
            {"fwmark", number<&R::fwmark>(0, 4294967295), "0", kReload,
             "kernel's firewall mark; 0: any"},
            {"table", number<&R::table>(1, 4294967295), "", kReload,
             "number of the routing table to look into", true, "100"},
            {"priority", number<&R::priority>(0, 4294967295), "0", kReload,
             "position among the rules; 0: the kernel chooses"},
        },
        {"table"},
        origin<&R::origin>};
    return &table;
}

const TableSchema* authentication_table() {
    constexpr auto kAuth = &VrrpInstanceConfig::authentication;
    static const TableSchema table = {
        "vrrp_instance.authentication",
        false,
        {
            {"type", choice<&InstanceDraft::config, kAuth, &VrrpAuthentication::type>(kAuthTypes),
             R"("none")", kReload, "PASS: a password in clear text, version 2 only"},
            {"password_file",
             of_type<&InstanceDraft::secret, &SecretDraft::file>(ValueType::SecretFile), "",
             kReload, "file whose first line is the password, 1 to 8 characters", false,
             R"("${CREDENTIALS_DIRECTORY}/vrrp")"},
            {"password", text<&InstanceDraft::secret, &SecretDraft::literal>(), "", kReload,
             "the password itself, in a file of mode 0600 only", false, R"("secret12")"},
        },
        {},
        origin<&InstanceDraft::config, kAuth, &VrrpAuthentication::origin>};
    return &table;
}

std::vector<KeyRow> instance_rows() {
    using I = VrrpInstanceConfig;
    constexpr auto kConfig = &InstanceDraft::config;
    return {
        {"name", name<kConfig, &I::name>(), "", kReload, "of the instance", true, R"("VI_1")"},
        {"state", choice<kConfig, &I::state>(kStates), R"("BACKUP")", kReload,
         "first state wanted; the election decides"},
        {"interface", name<kConfig, &I::interface>(), "", kReload, "port of the advertisements",
         true, R"("wan")"},
        {"virtual_router_id", number<kConfig, &I::virtual_router_id>(1, 255), "", kReload,
         "equal on all nodes of this instance, different from others on the network", true, "51"},
        {"priority", number<kConfig, &I::priority>(1, 255), "100", kReload,
         "the highest becomes MASTER; 255 only for the owner of the addresses"},
        {"advert_int", duration<kConfig, &I::advert_int>(milliseconds(10), seconds(255)), R"("1s")",
         kReload, "version 2: whole seconds to 255s; version 3: steps of 10ms to 40.95s"},
        {"version", number<&InstanceDraft::version>(2, 3), "", kReload,
         "of the protocol; not written: global.vrrp.version", false, "3"},
        {"mcast_src_ip", of_type<kConfig, &I::mcast_src_ip>(ValueType::Address), "", kReload,
         "source of advertisements; not written: the port's address", false, R"("198.51.100.2")"},
        {"unicast_peer", of_type<kConfig, &I::unicast_peer>(ValueType::AddressList), "[]", kReload,
         "advertise to these nodes instead of the multicast group", false, R"(["198.51.100.3"])"},
        {"unicast_ttl", number<kConfig, &I::unicast_ttl>(1, 255), "255", kReload,
         "TTL or hop limit of unicast advertisements"},
        {"use_vmac", boolean<kConfig, &I::use_vmac>(), "false", kReload,
         "send from the virtual MAC 00:00:5e:00:01:VRID (IPv6: 00:00:5e:00:02:VRID)"},
        {"accept", boolean<kConfig, &I::accept>(), "true", kReload,
         "answer on the addresses without being their owner"},
        {"nopreempt", boolean<kConfig, &I::nopreempt>(), "false", kReload,
         R"(do not take over from a MASTER of lower priority; needs state = "BACKUP")"},
        {"preempt_delay", duration<kConfig, &I::preempt_delay>(seconds(0), seconds(1000)),
         R"("0s")", kReload, R"(wait so long before taking over; needs state = "BACKUP")"},
        {"dont_track_primary", boolean<kConfig, &I::dont_track_primary>(), "false", kReload,
         "a lost link of `interface` is no fault"},
        {"fence", of_type<kConfig, &I::notify, &NotifyCommands::fence>(ValueType::Command), "[]",
         kReload, "run when another MASTER does not yield, with the arguments of notify", false,
         R"(["/etc/pollux/fence.sh"])"},
    };
}

std::vector<KeyRow> instance_children() {
    using I = VrrpInstanceConfig;
    constexpr auto kConfig = &InstanceDraft::config;
    constexpr auto kTrack = &I::track;
    return {
        {"authentication", section(authentication_table), "", kReload, "version 2 only"},
        {"virtual_ipaddress", children<kConfig, &I::virtual_ipaddress>(virtual_ipaddress_table), "",
         kReload, "addresses of the instance, all of one family"},
        {"virtual_ipaddress_excluded",
         children<kConfig, &I::virtual_ipaddress_excluded>(virtual_ipaddress_excluded_table), "",
         kReload, "addresses that are not named in advertisements"},
        {"virtual_route", children<kConfig, &I::virtual_route>(virtual_route_table), "", kReload,
         "routes while MASTER"},
        {"virtual_rule", children<kConfig, &I::virtual_rule>(virtual_rule_table), "", kReload,
         "routing rules while MASTER"},
        {"track_interface",
         children<kConfig, kTrack, &TrackLists::track_interface>(instance_interfaces), "", kReload,
         "links that are watched"},
        {"track_script", children<kConfig, kTrack, &TrackLists::track_script>(instance_scripts), "",
         kReload, "scripts that are watched"},
        {"track_process", children<kConfig, kTrack, &TrackLists::track_process>(instance_processes),
         "", kReload, "processes that are watched"},
        {"track_file", children<kConfig, kTrack, &TrackLists::track_file>(instance_files), "",
         kReload, "files that are watched"},
    };
}

}  // namespace

const std::array<Choice, 4> kChecksums = {{
    {"accept-both", static_cast<int>(ChecksumV3Ipv4::AcceptBoth)},
    {"rfc9568", static_cast<int>(ChecksumV3Ipv4::Rfc9568)},
    {"pseudo-header", static_cast<int>(ChecksumV3Ipv4::PseudoHeader)},
    {"auto", static_cast<int>(ChecksumV3Ipv4::AcceptBoth)},
}};

const TableSchema* vrrp_script_table() {
    using S = VrrpScriptConfig;
    static const TableSchema table = {
        "vrrp_script",
        true,
        {
            {"name", name<&S::name>(), "", kReload, "of the script in track_script", true,
             R"("check_web")"},
            {"script", of_type<&S::script>(ValueType::Command), "", kReload,
             "program and arguments; exit status 0 is success", true,
             R"(["/etc/pollux/check_web.sh"])"},
            {"interval", duration<&S::interval>(milliseconds(10), hours(24)), R"("1s")", kReload,
             "between two runs"},
            {"timeout", duration<&S::timeout>(milliseconds(10), hours(24)), "", kReload,
             "a run that takes longer has failed; not written: as interval", false, R"("1s")"},
            {"weight", number<&S::weight>(-253, 253), "0", kReload,
             "change of priority: negative while it fails, positive while it succeeds; 0: "
             "failure is a fault"},
            {"fall", number<&S::fall>(1, 10000), "1", kReload, "failures in a row that count"},
            {"rise", number<&S::rise>(1, 10000), "1", kReload, "successes in a row that count"},
            {"user", name<&S::user>(), "", kReload,
             R"(who runs it: "user" or "user:group"; not written: global.scripts.user)", false,
             R"("nobody")"},
            {"init_fail", boolean<&S::init_fail>(), "false", kReload,
             "counts as failed until it succeeded"},
        },
        {"name"},
        origin<&S::origin>};
    return &table;
}

const TableSchema* vrrp_track_process_table() {
    using P = VrrpTrackProcessConfig;
    static const TableSchema table = {
        "vrrp_track_process",
        true,
        {
            {"name", name<&P::name>(), "", kReload, "in track_process", true, R"("nginx")"},
            {"process", of_type<&P::process>(ValueType::TextList), "", kReload,
             "program name, then arguments to match with full_command", true, R"(["nginx"])"},
            {"full_command", boolean<&P::full_command>(), "false", kReload,
             "compare the whole command line"},
            {"weight", number<&P::weight>(-254, 254), "0", kReload,
             "change of priority; 0: failure is a fault"},
            {"quorum", number<&P::quorum>(1, 65535), "1", kReload, "processes that must run"},
            {"quorum_max", number<&P::quorum_max>(0, 65535), "65535", kReload,
             "more than these is a failure too"},
            {"delay", duration<&P::delay>(seconds(0), hours(1)), R"("0s")", kReload,
             "wait before a change counts"},
            {"fork_delay", duration<&P::fork_delay>(seconds(0), hours(1)), "", kReload,
             "wait before a new process counts; not written: as delay", false, R"("1s")"},
            {"terminate_delay", duration<&P::terminate_delay>(seconds(0), hours(1)), "", kReload,
             "wait before a missing process counts; not written: as delay", false, R"("1s")"},
        },
        {"name"},
        origin<&P::origin>};
    return &table;
}

const TableSchema* vrrp_track_file_table() {
    using F = VrrpTrackFileConfig;
    static const TableSchema table = {
        "vrrp_track_file",
        true,
        {
            {"name", name<&F::name>(), "", kReload, "in track_file and FILE_CHECK", true,
             R"("maintenance")"},
            {"file", of_type<&F::file>(ValueType::Path), "", kReload, "holds a whole number", true,
             R"("/run/pollux/maintenance")"},
            {"weight", number<&F::weight>(-254, 254), "0", kReload,
             "times the number is added to the priority; 0: a number other than 0 is a fault"},
        },
        {"name"},
        origin<&F::origin>};
    return &table;
}

const TableSchema* vrrp_sync_group_table() {
    using G = VrrpSyncGroupConfig;
    constexpr auto kTrack = &G::track;
    static const TableSchema table = {
        "vrrp_sync_group",
        true,
        joined(joined(
                   {
                       {"name", name<&G::name>(), "", kReload, "of the group", true, R"("VG_1")"},
                       {"group", of_type<&G::group>(ValueType::TextList), "", kReload,
                        "instances that change state together", true, R"(["VI_1", "VI_2"])"},
                       {"sync_group_tracking_weight", boolean<&G::sync_group_tracking_weight>(),
                        "false", kReload, "allow tracking weights other than 0 in members"},
                   },
                   notify_rows<&G::notify>()),
               {
                   {"track_interface",
                    children<kTrack, &TrackLists::track_interface>(group_interfaces), "", kReload,
                    "links that are watched"},
                   {"track_script", children<kTrack, &TrackLists::track_script>(group_scripts), "",
                    kReload, "scripts that are watched"},
                   {"track_process", children<kTrack, &TrackLists::track_process>(group_processes),
                    "", kReload, "processes that are watched"},
                   {"track_file", children<kTrack, &TrackLists::track_file>(group_files), "",
                    kReload, "files that are watched"},
               }),
        {"name"},
        origin<&G::origin>};
    return &table;
}

const TableSchema* vrrp_instance_table() {
    constexpr auto kConfig = &InstanceDraft::config;
    static const TableSchema table = {
        "vrrp_instance",
        true,
        joined(joined(joined(instance_rows(), notify_rows<kConfig, &VrrpInstanceConfig::notify>()),
                      tuning_rows<kConfig, &VrrpInstanceConfig::tuning>()),
               instance_children()),
        {"name"},
        origin<kConfig, &VrrpInstanceConfig::origin>};
    return &table;
}

}  // namespace pollux::control::schema
