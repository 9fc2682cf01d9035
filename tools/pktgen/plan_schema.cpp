// SPDX-License-Identifier: Apache-2.0
// Every key of a traffic file, one row each. docs/benchmarking.md shows a whole file.
#include <array>

#include "control/config/schema_fields.h"
#include "tools/pktgen/plan_load.h"

namespace pollux::pktgen {
namespace {

using control::Change;
using control::Choice;
using control::TableSchema;
using control::ValueType;
using control::schema::boolean;
using control::schema::child;
using control::schema::children;
using control::schema::choice;
using control::schema::duration;
using control::schema::name;
using control::schema::number;
using control::schema::of_type;
using control::schema::origin;
using control::schema::real;
using control::schema::size;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Change kOnce = Change::Restart;

constexpr std::array<Choice, 3> kKinds = {{
    {"udp", static_cast<int>(Kind::Udp)},
    {"tcp", static_cast<int>(Kind::Tcp)},
    {"tcp-syn", static_cast<int>(Kind::TcpSyn)},
}};
constexpr std::array<Choice, 2> kDirections = {{
    {"forward", static_cast<int>(Direction::Forward)},
    {"both", static_cast<int>(Direction::Both)},
}};
constexpr std::array<Choice, 2> kOrders = {{
    {"random", static_cast<int>(Order::Random)},
    {"sequential", static_cast<int>(Order::Sequential)},
}};
constexpr std::array<Choice, 3> kCarries = {{
    {"clients", static_cast<int>(Carries::Clients)},
    {"servers", static_cast<int>(Carries::Servers)},
    {"both", static_cast<int>(Carries::Both)},
}};
constexpr std::array<Choice, 4> kMethods = {{
    {"NAT", static_cast<int>(lb::ForwardingMethod::Nat)},
    {"DR", static_cast<int>(lb::ForwardingMethod::DirectRouting)},
    {"TUN", static_cast<int>(lb::ForwardingMethod::Tunnel)},
    {"FNAT", static_cast<int>(lb::ForwardingMethod::FullNat)},
}};

const TableSchema* dpdk_table() {
    using P = DpdkPlan;
    static const TableSchema table = {
        "dpdk",
        false,
        {
            {"control_lcore", number<&P::control_lcore>(0, 1023), "0", kOnce,
             "CPU of the thread that waits"},
            {"worker_lcore", number<&P::worker_lcore>(0, 1023), "1", kOnce,
             "CPU of the thread that sends, receives and verifies"},
            {"hugepages", boolean<&P::hugepages>(), "true", kOnce,
             "false: run on ordinary pages (slower; virtual devices only)"},
            {"hugepage_mem",
             size<&P::hugepage_mem>(std::int64_t{16} << 20U, std::int64_t{1} << 40U), R"("256M")",
             kOnce, "memory for packet buffers"},
            {"file_prefix", name<&P::file_prefix>(), R"("pollux-pktgen")", kOnce,
             "tells DPDK processes of one host apart"},
            {"mbufs_per_port", number<&P::mbufs_per_port>(1024, 16777216), "16384", kOnce,
             "packet buffers per port"},
        },
        {},
        origin<&P::origin>};
    return &table;
}

const TableSchema* port_table() {
    using P = PortPlan;
    static const TableSchema table = {
        "port",
        true,
        {
            {"name", name<&P::name>(15), "", kOnce, "for messages and reports", true,
             R"("clients")"},
            {"pci", name<&P::pci>(), "", kOnce, "PCI address of the NIC", false,
             R"("0000:3b:00.0")"},
            {"vdev", name<&P::vdev>(255), "", kOnce, "or a DPDK virtual device", false,
             R"("net_memif0,role=client,socket=/run/pollux/memif")"},
            {"carries", choice<&P::carries>(kCarries), R"("both")", kOnce,
             "whose frames leave and arrive here"},
            {"address", of_type<&P::address>(ValueType::Address), "", kOnce,
             "own address on this network: what asks for MAC addresses and answers", false,
             R"("198.51.100.9")"},
            {"next_hop", of_type<&P::next_hop>(ValueType::Address), "", kOnce,
             "the balancer's address; not written: the frames' own destination", false,
             R"("198.51.100.1")"},
            {"next_hop_mac", of_type<&P::next_hop_mac>(ValueType::Mac), "", kOnce,
             "the balancer's MAC; not written: asked for by ARP or ND", false,
             R"("02:00:00:00:00:01")"},
            {"rx_desc", number<&P::rx_desc>(64, 16384), "1024", kOnce, "receive descriptors"},
            {"tx_desc", number<&P::tx_desc>(64, 16384), "1024", kOnce, "transmit descriptors"},
            {"mtu", number<&P::mtu>(576, 9600), "1500", kOnce, "bytes of IP"},
        },
        {"name"},
        origin<&P::origin>};
    return &table;
}

const TableSchema* service_table() {
    using P = ServicePlan;
    static const TableSchema table = {
        "service",
        false,
        {
            {"address", of_type<&P::address>(ValueType::Address), "", kOnce, "the virtual server's",
             true, R"("198.51.100.80")"},
            {"port", number<&P::port>(1, 65535), "", kOnce, "the virtual server's", true, "80"},
            {"lvs_method", choice<&P::method>(kMethods), R"("NAT")", kOnce,
             "what the balancer does with the frames; TUN: IPIP"},
        },
        {"address", "port"},
        origin<&P::origin>};
    return &table;
}

const TableSchema* server_table() {
    using P = ServerPlan;
    static const TableSchema table = {
        "server",
        true,
        {
            {"address", of_type<&P::address>(ValueType::Address), "", kOnce,
             "of a real server that pktgen plays", true, R"("10.0.0.11")"},
            {"port", number<&P::port>(1, 65535), "", kOnce, "not written: the service's", false,
             "80"},
            {"mac", of_type<&P::mac>(ValueType::Mac), "", kOnce, "not written: one is made", false,
             R"("02:00:00:00:00:11")"},
        },
        {"address", "port"},
        origin<&P::origin>};
    return &table;
}

const TableSchema* traffic_table() {
    using P = TrafficPlan;
    static const TableSchema table = {
        "traffic",
        false,
        {
            {"kind", choice<&P::kind>(kKinds), R"("udp")", kOnce,
             "tcp: segments of opened connections; tcp-syn: each frame opens one"},
            {"flows", number<&P::flows>(1, kMaxFlows), "1000", kOnce, "clients times their ports"},
            {"clients", of_type<&P::clients>(ValueType::Prefix), "", kOnce,
             "source addresses; the balancer needs a route to them when answers pass it", true,
             R"("203.0.113.0/24")"},
            {"frame_size", name<&P::frame_size>(5), R"("min")", kOnce,
             R"(bytes with the frame check sequence, "imix", or "min": 64, or what IPv6 needs)"},
            {"rate", name<&P::rate>(15), R"("100k")", kOnce,
             R"(frames a second in each direction: "14.88M", "250k")"},
            {"direction", choice<&P::direction>(kDirections), R"("forward")", kOnce,
             "both: the servers answer each frame of a flow's share (NAT, FNAT)"},
            {"order", choice<&P::order>(kOrders), R"("random")", kOnce, "of the flows"},
            {"burst", number<&P::burst>(1, 64), "32", kOnce, "frames handed to the port at once"},
            {"duration", duration<&P::duration>(milliseconds(10), hours(24)), R"("10s")", kOnce,
             "of a trial"},
            {"warm_up_rate", name<&P::warm_up_rate>(15), R"("50k")", kOnce,
             "at which connections are opened before the first trial"},
            {"warm_up_limit", duration<&P::warm_up_limit>(milliseconds(10), hours(1)), R"("10s")",
             kOnce, "for each step of it; what got lost is sent again until then"},
            {"catch_up", duration<&P::catch_up>(microseconds(10), seconds(1)), R"("1ms")", kOnce,
             "how much a held-up sender makes up for; the rest it has not offered"},
            {"drain", duration<&P::drain>(milliseconds(10), seconds(2)), R"("500ms")", kOnce,
             "a frame that arrives later is lost"},
        },
        {},
        origin<&P::origin>};
    return &table;
}

const TableSchema* search_table() {
    using P = SearchPlan;
    static const TableSchema table = {
        "search",
        false,
        {
            {"lowest", name<&P::lowest>(15), R"("10k")", kOnce, "frames a second"},
            {"highest", name<&P::highest>(15), R"("10M")", kOnce, "frames a second, tried first"},
            {"resolution", real<&P::resolution>(0.0001, 0.5), "0.02", kOnce,
             "the search ends when its bounds differ by this share"},
            {"tolerance", real<&P::tolerance>(0, 0.5), "0.001", kOnce,
             "share of the frames that the PDR may lose"},
            {"retries", number<&P::retries>(0, 100), "0", kOnce,
             "how often a trial with losses or a held-up sender is made again"},
        },
        {},
        origin<&P::origin>};
    return &table;
}

}  // namespace

const TableSchema& plan_schema() {
    static const TableSchema table = {
        "",
        false,
        {
            {"dpdk", child<&Plan::dpdk>(dpdk_table), "", kOnce, "how DPDK runs"},
            {"port", children<&Plan::ports>(port_table), "", kOnce, "one or two ports"},
            {"service", child<&Plan::service>(service_table), "", kOnce, "the virtual server"},
            {"server", children<&Plan::servers>(server_table), "", kOnce, "the real servers"},
            {"traffic", child<&Plan::traffic>(traffic_table), "", kOnce, "what is sent"},
            {"search", child<&Plan::search>(search_table), "", kOnce, "RFC 2544 throughput"},
        },
        {},
        origin<&Plan::origin>};
    return table;
}

}  // namespace pollux::pktgen
