// SPDX-License-Identifier: Apache-2.0
// Rows of [[virtual_server]] with its real servers, and [[virtual_server_group]]. The rows of
// checks are in schema_check.cpp.

#include "control/config/draft.h"
#include "control/config/schema_fields.h"
#include "control/config/schema_service_rows.h"
#include "control/config/schema_tables.h"

namespace pollux::control::schema {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::array<Choice, 14> kSchedulers = {{
    {"rr", static_cast<int>(lb::SchedulerKind::Rr)},
    {"wrr", static_cast<int>(lb::SchedulerKind::Wrr)},
    {"lc", static_cast<int>(lb::SchedulerKind::Lc)},
    {"wlc", static_cast<int>(lb::SchedulerKind::Wlc)},
    {"lblc", static_cast<int>(lb::SchedulerKind::Lblc)},
    {"lblcr", static_cast<int>(lb::SchedulerKind::Lblcr)},
    {"dh", static_cast<int>(lb::SchedulerKind::Dh)},
    {"sh", static_cast<int>(lb::SchedulerKind::Sh)},
    {"sed", static_cast<int>(lb::SchedulerKind::Sed)},
    {"nq", static_cast<int>(lb::SchedulerKind::Nq)},
    {"fo", static_cast<int>(lb::SchedulerKind::Fo)},
    {"ovf", static_cast<int>(lb::SchedulerKind::Ovf)},
    {"mh", static_cast<int>(lb::SchedulerKind::Mh)},
    {"twos", static_cast<int>(lb::SchedulerKind::Twos)},
}};
constexpr std::array<Choice, 4> kMethods = {{
    {"NAT", static_cast<int>(lb::ForwardingMethod::Nat)},
    {"DR", static_cast<int>(lb::ForwardingMethod::DirectRouting)},
    {"TUN", static_cast<int>(lb::ForwardingMethod::Tunnel)},
    {"FNAT", static_cast<int>(lb::ForwardingMethod::FullNat)},
}};
constexpr std::array<Choice, 3> kTunnels = {{
    {"ipip", static_cast<int>(lb::TunnelKind::Ipip)},
    {"gue", static_cast<int>(lb::TunnelKind::Gue)},
    {"gre", static_cast<int>(lb::TunnelKind::Gre)},
}};
constexpr std::array<Choice, 3> kOnServerDown = {{
    {"keep", static_cast<int>(OnServerDown::Keep)},
    {"reset", static_cast<int>(OnServerDown::Reset)},
    {"reschedule", static_cast<int>(OnServerDown::Reschedule)},
}};

std::span<const Choice> service_protocols() {
    return std::span(kProtocols).first(3);
}

template <auto... Path>
TableSchema tunnel_schema(std::string_view path) {
    using T = TunnelConfig;
    return {
        path,
        false,
        {
            {"type", choice<Path..., &T::type>(kTunnels), R"("ipip")", kReload,
             "what the packet is wrapped in"},
            {"port", number<Path..., &T::port>(1, 65535), "6080", kReload, "gue: destination port"},
            {"checksum", boolean<Path..., &T::checksum>(), "false", kReload,
             "gue: UDP checksum; gre: checksum word"},
            {"spread_source", boolean<Path..., &T::spread_source>(), "false", kReload,
             "vary the outer source by flow, so that the server's NIC spreads them"},
        },
        {},
        origin<Path..., &T::origin>};
}

const TableSchema* service_tunnel() {
    static const auto table =
        tunnel_schema<&ServiceDraft::config, &VirtualServerConfig::tunnel>("virtual_server.tunnel");
    return &table;
}
const TableSchema* server_tunnel() {
    static const auto table = tunnel_schema<&ServerDraft::config, &RealServerConfig::tunnel>(
        "virtual_server.real_server.tunnel");
    return &table;
}
const TableSchema* sorry_tunnel() {
    static const auto table = tunnel_schema<&SorryDraft::config, &SorryServerConfig::tunnel>(
        "virtual_server.sorry_server.tunnel");
    return &table;
}

const TableSchema* sorry_table() {
    using S = SorryServerConfig;
    constexpr auto kConfig = &SorryDraft::config;
    static const TableSchema table = {
        "virtual_server.sorry_server",
        false,
        {
            {"address", of_type<kConfig, &S::address>(ValueType::Address), "", kReload,
             "of the server", true, R"("10.0.0.200")"},
            {"port", number<&SorryDraft::port>(0, 65535), "", kReload,
             "not written: the service's port", false, "80"},
            {"weight", number<kConfig, &S::weight>(1, 65535), "1", kReload, "of the server"},
            {"lvs_method", choice<&SorryDraft::lvs_method>(kMethods), "", kReload,
             "not written: the service's", false, R"("NAT")"},
            {"inhibit_on_failure", boolean<kConfig, &S::inhibit_on_failure>(), "false", kReload,
             "keep it in the table with weight 0 while it is not needed"},
            {"tunnel", section(sorry_tunnel), "", kReload, R"(with lvs_method = "TUN")"},
        },
        {"address", "port"},
        origin<kConfig, &S::origin>};
    return &table;
}

// `Own`: to the ServerDefaults of a service or a server.
template <auto Own>
std::vector<KeyRow> own_rows() {
    return {
        {"lvs_method", choice<Own, &ServerDefaults::lvs_method>(kMethods), "", kReload,
         "how packets reach servers: NAT, DR, TUN, FNAT; not written: NAT, or the service's", false,
         R"("NAT")"},
        {"weight", number<Own, &ServerDefaults::weight>(0, 65535), "", kReload,
         "share of the server, 0: no new connections; not written: 1, or the service's", false,
         "1"},
        {"inhibit_on_failure", boolean<Own, &ServerDefaults::inhibit_on_failure>(), "", kReload,
         "a dead server stays with weight 0; not written: false, or the service's", false, "true"},
        {"smtp_alert", boolean<Own, &ServerDefaults::smtp_alert>(), "", kReload,
         "mail on up and down; not written: global.email.smtp_alert, or the service's", false,
         "true"},
    };
}

const TableSchema* real_server_table() {
    using R = RealServerConfig;
    constexpr auto kConfig = &ServerDraft::config;
    constexpr auto kOwn = &ServerDraft::own;
    static const TableSchema table = {
        "virtual_server.real_server",
        true,
        joined(
            joined(joined(
                       {
                           {"address", of_type<kConfig, &R::address>(ValueType::Address), "",
                            kReload, "of the server", true, R"("10.0.0.12")"},
                           {"port", number<kOwn, &ServerDefaults::port>(0, 65535), "", kReload,
                            "of the server; DR and TUN: the service's; not written: the service's",
                            false, "80"},
                           {"uthreshold", number<kConfig, &R::uthreshold>(0, 4294967295), "0",
                            kReload, "no new connections above so many; 0: no limit"},
                           {"lthreshold", number<kConfig, &R::lthreshold>(0, 4294967295), "0",
                            kReload, "new ones again below so many; 0: 3/4 of uthreshold"},
                           {"notify_up", of_type<kConfig, &R::notify_up>(ValueType::Command), "[]",
                            kReload, "run when the server comes up", false,
                            R"(["/etc/pollux/rs.sh", "up"])"},
                           {"notify_down", of_type<kConfig, &R::notify_down>(ValueType::Command),
                            "[]", kReload, "run when the server goes down", false,
                            R"(["/etc/pollux/rs.sh", "down"])"},
                       },
                       own_rows<kOwn>()),
                   check_default_rows<&ServerDraft::defaults>()),
            {
                {"tunnel", section(server_tunnel), "", kReload, R"(with lvs_method = "TUN")"},
                {"check", children<&ServerDraft::check>(check_table), "", kReload,
                 "all must succeed; none: the server is always up"},
            }),
        {"address", "port"},
        origin<kConfig, &R::origin>};
    return &table;
}

std::vector<KeyRow> identity_rows() {
    using V = VirtualServerConfig;
    constexpr auto kConfig = &ServiceDraft::config;
    return {
        {"address", of_type<kConfig, &V::address>(ValueType::Address), "", kReload,
         "virtual address; or fwmark, or group", false, R"("198.51.100.10")"},
        {"port", number<kConfig, &V::port>(0, 65535), "", kReload,
         "with address; 0: every port, needs persistence", false, "80"},
        {"fwmark", number<kConfig, &V::fwmark>(1, 4294967295), "", kReload,
         "packets with this firewall mark, see [[mark]]", false, "3"},
        {"family", choice<kConfig, &V::family>(kFamilies), R"("ipv4")", kReload, "with fwmark"},
        {"group", name<kConfig, &V::group>(), "", kReload, "name of a [[virtual_server_group]]",
         false, R"("web")"},
        {"protocol", choice<kConfig, &V::protocol>(service_protocols()), "", kReload,
         "layer 4; must be written but with fwmark", false, R"("TCP")"},
        {"lvs_sched", choice<kConfig, &V::lvs_sched>(kSchedulers), R"("wlc")", kReload,
         "scheduler"},
        {"sched_flags",
         [] {
             Field field;
             field.type = ValueType::ChoiceList;
             field.choices = kSchedulerFlags;
             field.store = [](void* object, const Reading& reading) {
                 static_cast<ServiceDraft*>(object)->sched_flags = reading.integers;
             };
             return field;
         }(),
         "[]", kReload, "options of sh and mh"},
        {"persistence_timeout", duration<kConfig, &V::persistence_timeout>(seconds(0), hours(744)),
         R"("0s")", kReload, "a client stays with its server so long; 0s: no persistence"},
        {"persistence_granularity",
         [] {
             Field field = of_type<kConfig, &V::persistence_granularity>(ValueType::Granularity);
             field.store = [](void* object, const Reading& reading) {
                 auto& service = *static_cast<ServiceDraft*>(object);
                 service.granularity = reading.text;
                 service.config.persistence_granularity =
                     static_cast<std::uint8_t>(reading.integer);
             };
             return field;
         }(),
         "", kReload, "clients of one such network are one: netmask, or prefix length", false,
         R"("255.255.255.0")"},
        {"ops", boolean<kConfig, &V::ops>(), "false", kReload,
         "UDP: choose a server for each packet"},
    };
}

std::vector<KeyRow> behaviour_rows() {
    using V = VirtualServerConfig;
    constexpr auto kConfig = &ServiceDraft::config;
    return {
        {"quorum", number<kConfig, &V::quorum>(1, 1000000), "1", kReload,
         "sum of weights that must be alive"},
        {"hysteresis", number<kConfig, &V::hysteresis>(0, 1000000), "0", kReload,
         "up at quorum + hysteresis, down below quorum - hysteresis"},
        {"quorum_up", of_type<kConfig, &V::quorum_up>(ValueType::Command), "[]", kReload,
         "run when the quorum is reached", false, R"(["/etc/pollux/quorum.sh", "up"])"},
        {"quorum_down", of_type<kConfig, &V::quorum_down>(ValueType::Command), "[]", kReload,
         "run when the quorum is lost", false, R"(["/etc/pollux/quorum.sh", "down"])"},
        {"omega", boolean<kConfig, &V::omega>(), "false", kReload,
         "run the down commands at shutdown"},
        {"ha_suspend", boolean<kConfig, &V::ha_suspend>(), "false", kReload,
         "no checks while the address is on another node"},
        {"rs_init_notifies", boolean<kConfig, &V::rs_init_notifies>(), "false", kReload,
         "notify_up and notify_down for the first result too"},
        {"slow_start", duration<kConfig, &V::slow_start>(seconds(0), hours(1)), R"("0s")", kReload,
         "a server that comes up reaches its weight in so long; 0s: at once"},
        {"flap_limit", number<kConfig, &V::flap_limit>(0, 1000), "5", kReload,
         "a server that goes down so often within flap_window is held; 0: never"},
        {"flap_window", duration<kConfig, &V::flap_window>(seconds(1), hours(24)), R"("5m")",
         kReload, "how far back its failures count"},
        {"flap_hold", duration<kConfig, &V::flap_hold>(seconds(0), hours(24)), R"("60s")", kReload,
         "a held server comes back after so long without a failure"},
        {"on_server_down", choice<kConfig, &V::on_server_down>(kOnServerDown), R"("keep")", kReload,
         "connections to a dead server; reschedule: UDP only"},
    };
}

const TableSchema* member_table() {
    using M = GroupMemberConfig;
    static const TableSchema table = {
        "virtual_server_group.member",
        true,
        {
            {"address",
             [] {
                 Field field;
                 field.type = ValueType::AddressRange;
                 field.store = [](void* object, const Reading& reading) {
                     auto& member = *static_cast<M*>(object);
                     member.address = reading.prefix.address;
                     member.address_last = reading.last;
                 };
                 return field;
             }(),
             "", kReload, R"(an address, or a range like "10.0.0.1-20"; or fwmark)", false,
             R"("198.51.100.10")"},
            {"port", number<&M::port>(0, 65535), "", kReload, "with address", false, "80"},
            {"fwmark", number<&M::fwmark>(1, 4294967295), "", kReload, "a firewall mark", false,
             "3"},
            {"family", choice<&M::family>(kFamilies), R"("ipv4")", kReload, "with fwmark"},
        },
        {"address", "port"},
        origin<&M::origin>};
    return &table;
}

}  // namespace

const std::array<Choice, 4> kSchedulerFlags = {{
    {"sh-port", kShPort},
    {"sh-fallback", kShFallback},
    {"mh-port", kMhPort},
    {"mh-fallback", kMhFallback},
}};

const TableSchema* virtual_server_group_table() {
    using G = VirtualServerGroupConfig;
    static const TableSchema table = {
        "virtual_server_group",
        true,
        {
            {"name", name<&G::name>(), "", kReload, "of the group", true, R"("web")"},
            {"member", children<&G::member>(member_table), "", kReload, "its addresses and marks"},
        },
        {"name"},
        origin<&G::origin>};
    return &table;
}

const TableSchema* virtual_server_table() {
    constexpr auto kConfig = &ServiceDraft::config;
    static const TableSchema table = {
        "virtual_server",
        true,
        joined(joined(joined(joined(identity_rows(), own_rows<&ServiceDraft::own>()),
                             behaviour_rows()),
                      check_default_rows<&ServiceDraft::defaults>()),
               {
                   {"tunnel", section(service_tunnel), "", kReload, R"(with lvs_method = "TUN")"},
                   {"sorry_server", child<&ServiceDraft::sorry>(sorry_table), "", kReload,
                    "serves while the quorum is lost"},
                   {"real_server", children<&ServiceDraft::servers>(real_server_table), "", kReload,
                    "the servers"},
               }),
        {"address", "port"},
        origin<kConfig, &VirtualServerConfig::origin>};
    return &table;
}

}  // namespace pollux::control::schema
