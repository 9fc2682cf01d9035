// SPDX-License-Identifier: Apache-2.0

#include "tools/golden/testbed.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace pollux::golden {

namespace {

constexpr std::size_t kHeadroom = 192;
constexpr std::size_t kRoom = 9216;
// What a recording spends on a frame that is answered at once, on one that it waits for in vain,
// and on one call of ipvsadm, roughly.
constexpr lb::Duration kAnsweredFrameTime = std::chrono::milliseconds(7);
constexpr lb::Duration kLostFrameTime = std::chrono::milliseconds(30);
constexpr lb::Duration kCommandTime = std::chrono::milliseconds(20);
constexpr lb::Duration kHousekeeping = std::chrono::milliseconds(100);
constexpr std::uint32_t kWholeTable = 0xffffffff;
constexpr lb::PortId kClientPort{0};
constexpr lb::PortId kServerPort{1};

lb::PortId port_of(Side side) {
    return side == Side::Client ? kClientPort : kServerPort;
}

net::IpAddress address(const char* text) {
    return *net::IpAddress::parse(text);
}
net::IpPrefix prefix(const char* text) {
    return *net::IpPrefix::parse(text);
}

lb::RouteSpec route(const net::IpPrefix& destination, Side side) {
    lb::RouteSpec route;
    route.destination = destination;
    route.port = port_of(side);
    route.source_mac = director_mac(side);
    const bool v4 = destination.address.is_v4();
    route.preferred_source = side == Side::Client ? address(v4 ? "10.255.0.1" : "fd00:ffff::1")
                                                  : address(v4 ? "10.2.0.254" : "fd00:b::fe");
    return route;
}

void add_routes(lb::DataPlaneSpec& spec) {
    for (const char* everywhere : {"0.0.0.0/0", "::/0"}) {
        lb::RouteSpec def = route(prefix(everywhere), Side::Client);
        def.gateway = address(def.destination.address.is_v4() ? "10.255.0.2" : "fd00:ffff::2");
        def.destination_mac = client_mac();
        def.resolved = true;
        spec.routes.push_back(def);
    }
    for (const char* link : {"10.255.0.0/30", "fd00:ffff::/64"}) {
        spec.routes.push_back(route(prefix(link), Side::Client));
    }
    for (const char* link : {"10.2.0.0/24", "fd00:b::/64"}) {
        spec.routes.push_back(route(prefix(link), Side::Server));
    }
    for (unsigned number = 1; number <= kServers; ++number) {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const net::IpAddress server = server_address(number, family);
            const std::uint8_t length = server.is_v4() ? 32 : 128;
            lb::RouteSpec host = route({server, length}, Side::Server);
            host.gateway = server;
            host.destination_mac = server_mac(number);
            host.resolved = true;
            spec.routes.push_back(host);
        }
    }
}

// The options that Pollux shares with the kernel, by name.
struct BoolSysctl {
    const char* name;
    bool lb::SysctlSpec::*member;
};
constexpr BoolSysctl kBools[] = {
    {"sloppy_tcp", &lb::SysctlSpec::sloppy_tcp},
    {"sloppy_sctp", &lb::SysctlSpec::sloppy_sctp},
    {"expire_nodest_conn", &lb::SysctlSpec::expire_nodest_conn},
    {"expire_quiescent_template", &lb::SysctlSpec::expire_quiescent_template},
    {"schedule_icmp", &lb::SysctlSpec::schedule_icmp},
    {"nat_icmp_send", &lb::SysctlSpec::nat_icmp_send},
    {"pmtu_disc", &lb::SysctlSpec::pmtu_disc},
    {"ignore_tunneled", &lb::SysctlSpec::ignore_tunneled},
};
struct ModeSysctl {
    const char* name;
    std::uint8_t lb::SysctlSpec::*member;
};
constexpr ModeSysctl kModes[] = {
    {"secure_tcp", &lb::SysctlSpec::secure_tcp},
    {"drop_entry", &lb::SysctlSpec::drop_entry},
    {"drop_packet", &lb::SysctlSpec::drop_packet},
};
// Switches of the kernel that Pollux has no use for (docs/lvs-compatibility.md): its caches, its
// synchronisation daemon, its connection tracking and its estimator.
constexpr const char* kIgnored[] = {
    "amemthresh",     "backup_only",         "cache_bypass",      "conntrack",
    "run_estimation", "snat_reroute",        "sync_persist_mode", "sync_ports",
    "sync_qlen_max",  "sync_refresh_period", "sync_retries",      "sync_sock_size",
    "sync_threshold", "sync_version",        "est_cpulist",       "est_nice"};

}  // namespace

struct Testbed::Buffer {
    std::array<std::uint8_t, kHeadroom + kRoom> bytes{};
};

Testbed::Testbed(const TestbedOptions& options) : console_(table_, backend(), "ipvsadm") {
    lb::DataPlaneLimits limits;
    limits.max_connections = 1U << 16;
    limits.max_templates = 1U << 14;
    limits.max_services = 256;
    limits.max_servers = 1024;
    limits.hugepages = false;
    limits.embryonic_share = 1.0;  // LVS has no such share
    limits.hash_secret = {1, 2, 3, 4};
    auto created = lb::DataPlane::create(limits);
    if (!created) throw std::runtime_error("data plane: " + created.error().message);
    data_plane_ = std::move(created).value();
    data_plane_->set_packet_source(0, {this, &Testbed::allocate});

    const auto add_port = [this](const char* name, Side side, std::uint16_t mtu) {
        spec_.ports.push_back({name, director_mac(side), {}, mtu});
    };
    add_port("c0", Side::Client, options.client_mtu);
    add_port("r0", Side::Server, options.server_mtu);
    const auto own_address = [this](const net::IpAddress& own, Side side) {
        spec_.owned.push_back({own, port_of(side), director_mac(side)});
    };
    for (const char* own : {"10.255.0.1", "fd00:ffff::1"}) own_address(address(own), Side::Client);
    for (const char* own : {"10.2.0.254", "fd00:b::fe"}) own_address(address(own), Side::Server);
    for (const net::IpAddress& virtual_address : options.virtual_addresses) {
        own_address(virtual_address, Side::Client);
        host_.own({virtual_address, static_cast<std::uint8_t>(virtual_address.is_v4() ? 32 : 128)});
    }
    add_routes(spec_);
    // A later origin than zero, so that nothing rests on time beginning at zero.
    now_ += std::chrono::hours(1);
    publish();
}

Testbed::~Testbed() = default;

control::ipvs::Backend Testbed::backend() {
    control::ipvs::Backend backend;
    backend.size = 4096;  // of the recorded kernels
    backend.publish = [this](const control::ipvs::Table& table) {
        spec_.services = table.services;
        spec_.timeouts = table.timeouts;
        return data_plane_->apply(spec_, now_);
    };
    backend.services = [this] { return services(); };
    backend.connections = [this] { return connections(); };
    backend.rates = [this](const auto& views) { return estimator_.rates(views); };
    backend.zero = [this](const lb::ServiceSpec* service) {
        baseline_.zero(data_plane_->services(now_), service);
    };
    return backend;
}

std::vector<lb::ServiceView> Testbed::services() const {
    return baseline_.adjusted(data_plane_->services(now_));
}

void Testbed::publish() {
    if (const Status status = data_plane_->apply(spec_, now_); !status) {
        throw std::runtime_error("data plane: " + status.error().message);
    }
}

SysctlResult Testbed::set_sysctl(const std::string& path, long long value) {
    if (path == "ipv4/ip_forward") {
        host_.set_forwards(value != 0);
        return SysctlResult::Set;
    }
    const std::string folder = "ipv4/vs/";
    if (!path.starts_with(folder)) return SysctlResult::Unknown;
    const std::string name = path.substr(folder.size());
    lb::SysctlSpec& sysctl = spec_.sysctl;
    for (const BoolSysctl& row : kBools) {
        if (name != row.name) continue;
        sysctl.*row.member = value != 0;
        publish();
        return SysctlResult::Set;
    }
    for (const ModeSysctl& row : kModes) {
        if (name != row.name) continue;
        if (value >= 0 && value <= 3) sysctl.*row.member = static_cast<std::uint8_t>(value);
        publish();
        return SysctlResult::Set;
    }
    if (name == "conn_reuse_mode") {
        sysctl.conn_reuse_mode = static_cast<std::uint8_t>(value & 3);
    } else if (name == "am_droprate") {
        sysctl.am_droprate = static_cast<std::uint32_t>(value);
    } else if (name == "lblc_expiration") {
        sysctl.lblc_expiration = std::chrono::seconds(value);
    } else if (name == "lblcr_expiration") {
        sysctl.lblcr_expiration = std::chrono::seconds(value);
    } else {
        const bool ignored = std::find_if(std::begin(kIgnored), std::end(kIgnored),
                                          [&name](const char* known) { return name == known; }) !=
                             std::end(kIgnored);
        return ignored ? SysctlResult::Ignored : SysctlResult::Unknown;
    }
    publish();
    return SysctlResult::Set;
}

void Testbed::own(const net::IpPrefix& owned) {
    host_.own(owned);
    spec_.owned_prefixes.push_back(owned);
    publish();
}

void Testbed::add_mark(const lb::MarkRuleSpec& rule) {
    spec_.marks.insert(spec_.marks.begin(), rule);
    publish();
}

lb::Packet Testbed::fresh(Side side) {
    buffers_.push_back(std::make_unique<Buffer>());
    lb::Packet packet;
    packet.data = buffers_.back()->bytes.data() + kHeadroom;
    packet.headroom = kHeadroom;
    packet.tailroom = kRoom;
    packet.port = port_of(side);
    return packet;
}

lb::Packet Testbed::allocate(void* context) {
    return static_cast<Testbed*>(context)->fresh(Side::Client);
}

void Testbed::collect(const lb::Packet& packet, Side side, std::vector<Emitted>& out) {
    const Bytes frame(packet.data, packet.data + packet.length);
    if (packet.verdict == lb::Verdict::Transmit) {
        out.push_back({packet.port == kClientPort ? Side::Client : Side::Server, frame, false});
    } else if (packet.verdict == lb::Verdict::Punt) {
        if (const auto emitted = host_.handle(frame, side)) out.push_back(*emitted);
    }
}

std::vector<Emitted> Testbed::put(Side side, const Bytes& frame) {
    lb::Packet packet = fresh(side);
    if (frame.size() > kRoom) throw std::runtime_error("frame too large");
    std::copy(frame.begin(), frame.end(), packet.data);
    packet.length = packet.frame_length = static_cast<std::uint32_t>(frame.size());
    packet.tailroom = static_cast<std::uint16_t>(kRoom - frame.size());
    auto extra = std::make_unique<lb::ExtraPackets>();
    data_plane_->worker(0).process_burst({&packet, 1}, now_, *extra);
    std::vector<Emitted> out;
    collect(packet, side, out);
    for (unsigned i = 0; i < extra->count; ++i) collect(extra->packets[i], side, out);
    if (data_plane_->counters(0).parked == 0) buffers_.clear();
    sleep(out.empty() ? kLostFrameTime : kAnsweredFrameTime);
    return out;
}

// The housekeeping of a running daemon, in steps, so that expiry happens when it should.
void Testbed::sleep(lb::Duration duration) {
    const lb::TimePoint end = now_ + duration;
    while (now_ < end) {
        now_ = std::min(end, now_ + kHousekeeping);
        data_plane_->worker(0).quiescent();
        data_plane_->housekeep(now_, kWholeTable);
        if (now_ < next_sample_) continue;
        next_sample_ = now_ + control::ipvs::RateEstimator::kInterval;
        estimator_.sample(services());
    }
    data_plane_->worker(0).quiescent();
}

control::ipvs::Output Testbed::ipvsadm(const std::vector<std::string>& arguments) {
    const control::ipvs::Output output = console_.run(arguments);
    sleep(kCommandTime);
    return output;
}

std::vector<lb::ConnectionView> Testbed::connections() const {
    std::vector<lb::ConnectionView> views;
    data_plane_->for_each_connection(
        now_, [&views](const lb::ConnectionView& view) { views.push_back(view); });
    return views;
}

}  // namespace pollux::golden
