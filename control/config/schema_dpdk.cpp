// SPDX-License-Identifier: Apache-2.0
// Rows of [dpdk], [[dpdk.port]], [[route]], [[neighbour]], [[mark]], [[local_address]] and
// [conntrack].

#include "control/config/draft.h"
#include "control/config/schema_fields.h"
#include "control/config/schema_tables.h"

namespace pollux::control::schema {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<Choice, 2> kIdle = {{
    {"poll", static_cast<int>(IdleMode::Poll)},
    {"adaptive", static_cast<int>(IdleMode::Adaptive)},
}};
constexpr std::array<Choice, 3> kIova = {{
    {"auto", static_cast<int>(IovaMode::Auto)},
    {"va", static_cast<int>(IovaMode::Va)},
    {"pa", static_cast<int>(IovaMode::Pa)},
}};
constexpr std::array<Choice, 2> kExceptionPaths = {{
    {"tap", static_cast<int>(ExceptionPath::Tap)},
    {"none", static_cast<int>(ExceptionPath::None)},
}};
constexpr std::array<Choice, 2> kOnFull = {{
    {"evict-embryonic", static_cast<int>(OnFull::EvictEmbryonic)},
    {"drop-new", static_cast<int>(OnFull::DropNew)},
}};

constexpr std::int64_t kMaxSize = std::int64_t{1} << 30U;

const TableSchema* exception_table() {
    static const TableSchema table = {
        "dpdk.port.exception",
        false,
        {
            {"type", choice<&ExceptionConfig::type>(kExceptionPaths), R"("tap")", Change::Restart,
             "the kernel's side of the port; none: the port has no kernel side"},
            {"name", name<&ExceptionConfig::name>(15), "", Change::Restart,
             "interface name; not written: the port's name", false, R"("lb-wan")"},
        },
        {},
        origin<&ExceptionConfig::origin>};
    return &table;
}

const TableSchema* port_table() {
    static const TableSchema table = {
        "dpdk.port",
        true,
        {
            {"name", name<&PortConfig::name>(15), "", Change::Restart,
             "the word for this port in the rest of the file", true, R"("wan")"},
            {"pci", name<&PortConfig::pci>(), "", Change::Restart, "PCI address of the NIC", false,
             R"("0000:3b:00.0")"},
            {"vdev", name<&PortConfig::vdev>(255), "", Change::Restart,
             "or a DPDK virtual device with its arguments", false, R"("net_tap0,iface=ltap0")"},
            {"rx_desc", number<&PortConfig::rx_desc>(64, 16384), "1024", Change::Restart,
             "receive descriptors per queue"},
            {"tx_desc", number<&PortConfig::tx_desc>(64, 16384), "1024", Change::Restart,
             "transmit descriptors per queue"},
            {"mtu", number<&PortConfig::mtu>(576, 9600), "1500", Change::Restart, "bytes of IP"},
            {"rss", boolean<&PortConfig::rss>(), "true", Change::Restart,
             "let the NIC spread flows over the workers where it can"},
            {"promiscuous", boolean<&PortConfig::promiscuous>(), "false", Change::Restart,
             "receive frames for other MACs too"},
            {"address", of_type<&PortConfig::address>(ValueType::PrefixList), "[]", Change::Reload,
             "this node's own addresses on the port", false, R"(["198.51.100.2/24"])"},
            {"exception", child<&PortConfig::exception>(exception_table), "", Change::Restart,
             "exception path"},
        },
        {"name"},
        origin<&PortConfig::origin>};
    return &table;
}

}  // namespace

const std::array<Choice, 4> kProtocols = {{
    {"TCP", static_cast<int>(lb::Protocol::Tcp)},
    {"UDP", static_cast<int>(lb::Protocol::Udp)},
    {"SCTP", static_cast<int>(lb::Protocol::Sctp)},
    {"any", static_cast<int>(lb::Protocol::None)},
}};
const std::array<Choice, 2> kFamilies = {{
    {"ipv4", static_cast<int>(net::Family::V4)},
    {"ipv6", static_cast<int>(net::Family::V6)},
}};

const TableSchema* dpdk_table() {
    // [[dpdk.port]] elements land in the Draft, so [dpdk]'s object is the Draft.
    constexpr auto kDpdk = &Draft::dpdk;
    static const TableSchema table = {
        "dpdk",
        false,
        {
            {"control_lcore", number<kDpdk, &DpdkConfig::control_lcore>(0, 1023), "0",
             Change::Restart, "CPU of the control core"},
            {"worker_lcores", of_type<kDpdk, &DpdkConfig::worker_lcores>(ValueType::Cpus), "1",
             Change::Restart, R"(CPUs of the workers, one each: 2, "2-5" or [2, 4])"},
            {"idle", choice<kDpdk, &DpdkConfig::idle>(kIdle), R"("poll")", Change::Restart,
             "poll: fastest, needs CPUs of its own; adaptive: short sleeps when idle"},
            {"in_memory", boolean<kDpdk, &DpdkConfig::in_memory>(), "true", Change::Restart,
             "no files in hugetlbfs; excludes DPDK secondary processes"},
            {"hugepages", boolean<kDpdk, &DpdkConfig::hugepages>(), "true", Change::Restart,
             "false: run on ordinary pages (slower; virtual devices only)"},
            {"hugepage_mem",
             size<kDpdk, &DpdkConfig::hugepage_mem>(std::int64_t{16} << 20U,
                                                    std::int64_t{1} << 40U),
             R"("256M")", Change::Restart, "memory for packet buffers"},
            {"iova_mode", choice<kDpdk, &DpdkConfig::iova_mode>(kIova), R"("auto")",
             Change::Restart, "addresses that the NIC uses"},
            {"file_prefix", name<kDpdk, &DpdkConfig::file_prefix>(), R"("pollux")", Change::Restart,
             "tells DPDK processes of one host apart"},
            {"mbufs_per_port", number<kDpdk, &DpdkConfig::mbufs_per_port>(1024, 16777216), "16384",
             Change::Restart, "packet buffers per port"},
            {"burst", number<kDpdk, &DpdkConfig::burst>(1, 64), "32", Change::Restart,
             "packets taken from a queue at once"},
            {"extra_eal_args", of_type<kDpdk, &DpdkConfig::extra_eal_args>(ValueType::TextList),
             "[]", Change::Restart, "further arguments of DPDK's EAL"},
            {"port", children<&Draft::ports>(port_table), "", Change::Restart, "the ports"},
        },
        {},
        origin<kDpdk, &DpdkConfig::origin>};
    return &table;
}

TableSchema route_schema(std::string_view path, bool with_table) {
    TableSchema table = {
        path,
        true,
        {
            {"to", of_type<&RouteConfig::to>(ValueType::RoutePrefix), "", Change::Reload,
             R"(destination: prefix, "default" or "default6")", true, R"("default")"},
            {"via", of_type<&RouteConfig::via>(ValueType::Address), "", Change::Reload,
             "gateway; not written: the destination is on the link", false, R"("198.51.100.1")"},
            {"dev", name<&RouteConfig::dev>(), "", Change::Reload,
             "port; not written: the port whose network holds `via`", false, R"("wan")"},
            {"src", of_type<&RouteConfig::src>(ValueType::Address), "", Change::Reload,
             "preferred source address", false, R"("198.51.100.2")"},
            {"metric", number<&RouteConfig::metric>(0, 4294967295), "0", Change::Reload,
             "the smaller one of equal destinations wins"},
            {"mtu", number<&RouteConfig::mtu>(0, 9600), "0", Change::Reload,
             "bytes of IP; 0: the port's"},
        },
        {"to"},
        origin<&RouteConfig::origin>};
    if (with_table) {
        table.rows.push_back({"table", number<&RouteConfig::table>(0, 4294967295), "0",
                              Change::Reload, "number of the kernel's routing table; 0: main"});
    }
    return table;
}

const TableSchema* route_table() {
    static const TableSchema table = route_schema("route", false);
    return &table;
}

const TableSchema* neighbour_table() {
    static const TableSchema table = {
        "neighbour",
        true,
        {
            {"address", of_type<&NeighbourConfig::address>(ValueType::Address), "", Change::Reload,
             "address that is not resolved by ARP or ND", true, R"("198.51.100.1")"},
            {"mac", of_type<&NeighbourConfig::mac>(ValueType::Mac), "", Change::Reload, "its MAC",
             true, R"("02:00:5e:10:00:01")"},
            {"dev", name<&NeighbourConfig::dev>(), "", Change::Reload, "port", true, R"("wan")"},
        },
        {"address"},
        origin<&NeighbourConfig::origin>};
    return &table;
}

const TableSchema* mark_table() {
    static const TableSchema table = {
        "mark",
        true,
        {
            {"source", of_type<&MarkConfig::source>(ValueType::Prefix), "", Change::Reload,
             "client prefix; not written: any", false, R"("192.0.2.0/24")"},
            {"destination", of_type<&MarkConfig::destination>(ValueType::Prefix), "",
             Change::Reload, "destination prefix; not written: any", false,
             R"("198.51.100.10/32")"},
            {"protocol", choice<&MarkConfig::protocol>(kProtocols), R"("any")", Change::Reload,
             "layer 4"},
            {"source_port", of_type<&MarkConfig::source_port>(ValueType::PortRange), R"("0-65535")",
             Change::Reload, "one port or a range"},
            {"destination_port", of_type<&MarkConfig::destination_port>(ValueType::PortRange),
             R"("0-65535")", Change::Reload, "one port or a range"},
            {"mark", number<&MarkConfig::mark>(1, 4294967295), "", Change::Reload,
             "the firewall mark that matching packets get; the first rule that matches wins", true,
             "3"},
        },
        {"mark"},
        origin<&MarkConfig::origin>};
    return &table;
}

const TableSchema* local_address_table() {
    static const TableSchema table = {
        "local_address",
        true,
        {
            {"address", of_type<&LocalAddressConfig::address>(ValueType::Address), "",
             Change::Reload, "FullNAT hides clients behind it", true, R"("10.0.0.100")"},
            {"ports", of_type<&LocalAddressConfig::ports>(ValueType::PortRange), R"("1024-65535")",
             Change::Reload, "local ports that it offers"},
        },
        {"address"},
        origin<&LocalAddressConfig::origin>};
    return &table;
}

namespace {

template <auto Member>
KeyRow timeout_row(std::string_view key, std::string_view initial, std::string_view help) {
    return {key, duration<&ConntrackConfig::timeout, Member>(seconds(1), hours(24 * 30)), initial,
            Change::Reload, help};
}

const TableSchema* timeout_table() {
    using T = lb::TimeoutSpec;
    static const TableSchema table = {
        "conntrack.timeout",
        false,
        {
            timeout_row<&T::tcp_none>("tcp_none", R"("2s")", "TCP before any state"),
            timeout_row<&T::tcp_established>("tcp_established", R"("900s")", "ESTABLISHED"),
            timeout_row<&T::tcp_syn_sent>("tcp_syn_sent", R"("120s")", "SYN_SENT"),
            timeout_row<&T::tcp_syn_recv>("tcp_syn_recv", R"("60s")", "SYN_RECV"),
            timeout_row<&T::tcp_fin_wait>("tcp_fin_wait", R"("120s")", "FIN_WAIT"),
            timeout_row<&T::tcp_time_wait>("tcp_time_wait", R"("120s")", "TIME_WAIT"),
            timeout_row<&T::tcp_close>("tcp_close", R"("10s")", "CLOSE"),
            timeout_row<&T::tcp_close_wait>("tcp_close_wait", R"("60s")", "CLOSE_WAIT"),
            timeout_row<&T::tcp_last_ack>("tcp_last_ack", R"("30s")", "LAST_ACK"),
            timeout_row<&T::tcp_listen>("tcp_listen", R"("120s")", "LISTEN"),
            timeout_row<&T::tcp_synack>("tcp_synack", R"("120s")", "SYNACK"),
            timeout_row<&T::udp>("udp", R"("300s")", "UDP"),
            timeout_row<&T::sctp_established>("sctp_established", R"("900s")", "SCTP ESTABLISHED"),
            timeout_row<&T::sctp_init>("sctp_init", R"("4s")", "SCTP INIT1 and REJECTED"),
            timeout_row<&T::sctp_other>("sctp_other", R"("61s")", "other SCTP states"),
        },
        {},
        origin<&ConntrackConfig::timeout_origin>};
    return &table;
}

std::vector<KeyRow> sysctl_rows() {
    using S = lb::SysctlSpec;
    constexpr auto kSysctl = &ConntrackConfig::sysctl;
    return {
        {"sloppy_tcp", boolean<kSysctl, &S::sloppy_tcp>(), "false", kReload,
         "a TCP connection may begin without SYN"},
        {"sloppy_sctp", boolean<kSysctl, &S::sloppy_sctp>(), "false", kReload, "the same for SCTP"},
        {"conn_reuse_mode", number<kSysctl, &S::conn_reuse_mode>(0, 2), "1", kReload,
         "a SYN on a closing connection: 0 same server, 1 new choice, 2 also in FIN_WAIT"},
        {"expire_nodest_conn", boolean<kSysctl, &S::expire_nodest_conn>(), "false", kReload,
         "end connections of a removed server at once"},
        {"expire_quiescent_template", boolean<kSysctl, &S::expire_quiescent_template>(), "false",
         kReload, "end persistence to a server of weight 0"},
        {"secure_tcp", number<kSysctl, &S::secure_tcp>(0, 3), "0", kReload,
         "stricter TCP states: 0 off, 1 and 2 under memory pressure, 3 always"},
        {"drop_entry", number<kSysctl, &S::drop_entry>(0, 3), "0", kReload,
         "drop old entries: 0 off, 1 and 2 under memory pressure, 3 always"},
        {"drop_packet", number<kSysctl, &S::drop_packet>(0, 3), "0", kReload,
         "drop a share of new connections: 0 off, 1 and 2 under memory pressure, 3 always"},
        {"am_droprate", number<kSysctl, &S::am_droprate>(1, 1000000), "10", kReload,
         "with drop_packet = 3: one of so many"},
        {"schedule_icmp", boolean<kSysctl, &S::schedule_icmp>(), "false", kReload,
         "ICMP errors about unknown flows are scheduled"},
        {"nat_icmp_send", boolean<kSysctl, &S::nat_icmp_send>(), "false", kReload,
         "answer stray NAT replies with ICMP"},
        {"pmtu_disc", boolean<kSysctl, &S::pmtu_disc>(), "true", kReload,
         "tell senders when a tunnel makes packets too big"},
        {"ignore_tunneled", boolean<kSysctl, &S::ignore_tunneled>(), "false", kReload,
         "do not balance packets that arrived in a tunnel"},
        {"lblc_expiration", duration<kSysctl, &S::lblc_expiration>(seconds(1), hours(24 * 30)),
         R"("24h")", kReload, "memory of the lblc scheduler"},
        {"lblcr_expiration", duration<kSysctl, &S::lblcr_expiration>(seconds(1), hours(24 * 30)),
         R"("24h")", kReload, "memory of the lblcr scheduler"},
        {"fullnat_toa", boolean<kSysctl, &S::fullnat_toa>(), "false", kReload,
         "FNAT: tell the server the client in TCP option 254"},
    };
}

}  // namespace

const TableSchema* conntrack_table() {
    using C = ConntrackConfig;
    static const TableSchema table = {
        "conntrack",
        false,
        joined(
            {
                {"max_connections", number<&C::max_connections>(1024, kMaxSize), "1048576",
                 Change::Restart, "connections at the same time"},
                {"max_templates", number<&C::max_templates>(1024, kMaxSize), "65536",
                 Change::Restart, "persistence templates at the same time"},
                {"max_services", number<&C::max_services>(1, 65536), "4096", Change::Restart,
                 "virtual servers, group members counted each"},
                {"max_servers", number<&C::max_servers>(1, 1048576), "65536", Change::Restart,
                 "real servers of all services"},
                {"max_fragments", number<&C::max_fragments>(16, 1048576), "4096", Change::Restart,
                 "fragmented datagrams that are followed at the same time"},
                {"on_full", choice<&C::on_full>(kOnFull), R"("evict-embryonic")", Change::Restart,
                 "no room: the oldest half-open connections go, or new ones are refused"},
                {"embryonic_share", real<&C::embryonic_share>(0.01, 1.0), "0.25", Change::Restart,
                 "share of max_connections that half-open ones may take"},
                {"timeout", section(timeout_table), "", Change::Reload,
                 "idle time by protocol state"},
            },
            sysctl_rows()),
        {},
        origin<&C::origin>};
    return &table;
}

std::vector<KeyRow> joined(std::vector<KeyRow> rows, const std::vector<KeyRow>& more) {
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

}  // namespace pollux::control::schema
