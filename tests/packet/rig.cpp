// SPDX-License-Identifier: Apache-2.0
#include "tests/packet/rig.h"

#include <algorithm>

#include "tests/support/frame_text.h"

namespace pollux::test {
namespace {

constexpr std::size_t kRoom = 4096;

net::IpAddress address(std::string_view text) {
    return net::IpAddress::parse(text).value();
}
net::MacAddress mac(std::string_view text) {
    return net::MacAddress::parse(text).value();
}
net::IpPrefix prefix(std::string_view text) {
    return net::IpPrefix::parse(text).value();
}

std::string two_digits(unsigned n) {
    constexpr const char* kDigits = "0123456789abcdef";
    return {kDigits[n / 16], kDigits[n % 16]};
}

lb::RouteSpec route(std::string_view destination, lb::PortId port, std::string_view next_mac) {
    lb::RouteSpec spec;
    spec.destination = prefix(destination);
    spec.port = port;
    spec.source_mac = mac(port == kClientSide ? kClientSideMac : kServerSideMac);
    spec.destination_mac = mac(next_mac);
    spec.resolved = true;
    return spec;
}

lb::DataPlaneSpec network() {
    lb::DataPlaneSpec spec;
    spec.ports.resize(2);
    spec.ports[0] = {"client", mac(kClientSideMac), {}, 1500};
    spec.ports[1] = {"server", mac(kServerSideMac), {}, 1500};
    const auto own = [&spec](std::string_view text, lb::PortId port) {
        const bool client_side = port == kClientSide;
        spec.owned.push_back(
            {address(text), port, mac(client_side ? kClientSideMac : kServerSideMac)});
    };
    own("10.255.0.1", kClientSide);
    own("fd00:ffff::1", kClientSide);
    own(kVip, kClientSide);
    own(kVip6, kClientSide);
    own(kDirector, kServerSide);
    own(kDirector6, kServerSide);
    spec.routes.push_back(route("0.0.0.0/0", kClientSide, kRouterMac));
    spec.routes.back().gateway = address("10.255.0.2");
    spec.routes.push_back(route("::/0", kClientSide, kRouterMac));
    spec.routes.back().gateway = address("fd00:ffff::2");
    for (unsigned n = 1; n <= 20; ++n) {
        spec.routes.push_back(route(server_v4(n) + "/32", kServerSide, server_mac(n)));
        spec.routes.push_back(route(server_v6(n) + "/128", kServerSide, server_mac(n)));
    }
    spec.sysctl.icmp_msgs_per_sec = 100000;
    spec.sysctl.icmp_msgs_burst = 100000;
    return spec;
}

lb::DataPlaneLimits limits_for(unsigned workers) {
    lb::DataPlaneLimits limits;
    limits.max_connections = 4096;
    limits.max_templates = 256;
    limits.max_services = 64;
    limits.max_servers = 256;
    limits.max_fragments = 16;
    limits.workers = workers;
    limits.hugepages = false;
    return limits;
}

}  // namespace

struct Rig::Buffer {
    std::array<std::uint8_t, kRoom> bytes;
};

std::string server_v4(unsigned n) {
    return "10.2.0." + std::to_string(n);
}
std::string server_v6(unsigned n) {
    return address("fd00:b::" + two_digits(n)).to_string();
}
std::string server_mac(unsigned n) {
    return "02:00:00:00:05:" + two_digits(n);
}

lb::RealServerSpec real_server(const ServerOptions& options) {
    lb::RealServerSpec spec;
    spec.address = address(options.is_v6 ? server_v6(options.number) : server_v4(options.number));
    spec.port = options.port;
    spec.method = options.method;
    spec.weight = options.weight;
    spec.tunnel = options.tunnel;
    return spec;
}

lb::ServiceSpec service(lb::Protocol protocol, std::string_view endpoint,
                        std::vector<lb::RealServerSpec> servers) {
    lb::ServiceSpec spec;
    const std::size_t colon = endpoint.rfind(':');
    std::string_view host = endpoint.substr(0, colon);
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    spec.address = address(host);
    spec.port = static_cast<std::uint16_t>(std::stoul(std::string(endpoint.substr(colon + 1))));
    spec.protocol = protocol;
    spec.scheduler = lb::SchedulerKind::Rr;
    spec.servers = std::move(servers);
    return spec;
}

Rig::Rig(unsigned workers) : Rig(limits_for(workers)) {}

Rig::Rig(const lb::DataPlaneLimits& limits) : spec(network()) {
    auto plane = lb::DataPlane::create(limits);
    if (!plane) throw std::runtime_error(plane.error().message);
    plane_ = std::move(plane).value();
    for (unsigned i = 0; i < limits.workers; ++i) {
        plane_->set_packet_source(i, {this, &Rig::allocate});
    }
    apply();
}

Rig::~Rig() {
    expect_accounts_balance();
}

void Rig::apply() {
    const std::string error = apply_error();
    if (!error.empty()) throw std::runtime_error(error);
}

std::string Rig::apply_error() {
    const Status status = plane_->apply(spec, now_);
    settle();
    return status ? std::string() : status.error().message;
}

lb::Packet Rig::make_packet(lb::PortId port, const Bytes& frame, const SendOptions& options) {
    buffers_.push_back(std::make_unique<Buffer>());
    Buffer& buffer = *buffers_.back();
    std::ranges::copy(frame, buffer.bytes.begin() + options.headroom);  // also none at all
    lb::Packet packet;
    packet.data = buffer.bytes.data() + options.headroom;
    packet.frame_length = static_cast<std::uint32_t>(frame.size());
    packet.length = std::min(packet.frame_length, options.first_segment);
    packet.headroom = options.headroom;
    packet.tailroom = static_cast<std::uint16_t>(kRoom - options.headroom - frame.size());
    packet.port = port;
    return packet;
}

lb::Packet Rig::allocate(void* context) {
    auto& rig = *static_cast<Rig*>(context);
    return rig.make_packet(lb::kNoPort, {}, {});
}

Output Rig::output_of(const lb::Packet& packet) {
    Output output;
    output.verdict = packet.verdict;
    output.punt_reason = packet.punt_reason;
    output.drop_reason = packet.drop_reason;
    output.port = packet.port;
    output.next_hop = packet.next_hop.to_string();
    output.originated = packet.originated;
    output.frame.assign(packet.data, packet.data + packet.frame_length);
    return output;
}

Reaction Rig::send(lb::PortId port, const Bytes& frame, const SendOptions& options) {
    lb::Packet packet = make_packet(port, frame, options);
    auto extra = std::make_unique<lb::ExtraPackets>();
    plane_->worker(options.worker).process_burst({&packet, 1}, now_, *extra);
    Reaction reaction{output_of(packet), {}};
    for (unsigned i = 0; i < extra->count; ++i) {
        reaction.extra.push_back(output_of(extra->packets[i]));
    }
    return reaction;
}

std::vector<Reaction> Rig::send_burst(lb::PortId port, const std::vector<Bytes>& frames,
                                      unsigned worker) {
    std::vector<lb::Packet> packets;
    for (const Bytes& frame : frames) packets.push_back(make_packet(port, frame, {}));
    auto extra = std::make_unique<lb::ExtraPackets>();
    plane_->worker(worker).process_burst(packets, now_, *extra);
    std::vector<Reaction> reactions;
    for (const lb::Packet& packet : packets) reactions.push_back({output_of(packet), {}});
    for (unsigned i = 0; i < extra->count; ++i) {
        reactions.back().extra.push_back(output_of(extra->packets[i]));
    }
    return reactions;
}

void Rig::advance(lb::Duration span) {
    now_ += span;
    settle();
}

void Rig::settle() {
    for (int round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < plane_->worker_count(); ++i) plane_->worker(i).quiescent();
        plane_->housekeep(now_, 1U << 20);
    }
}

lb::ServerView Rig::server_view(std::size_t service, std::size_t server) const {
    return plane_->services(now_).at(service).servers.at(server);
}

std::vector<lb::ConnectionView> Rig::connections() const {
    std::vector<lb::ConnectionView> views;
    plane_->for_each_connection(
        now_, [&views](const lb::ConnectionView& view) { views.push_back(view); });
    return views;
}

std::uint64_t Rig::drops(lb::DropReason reason) const {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < plane_->worker_count(); ++i) {
        sum += plane_->counters(i).dropped[static_cast<std::size_t>(reason)];
    }
    return sum;
}

void Rig::expect_accounts_balance() const {
    for (unsigned i = 0; i < plane_->worker_count(); ++i) {
        const lb::WorkerCounters counters = plane_->counters(i);
        std::uint64_t dropped = 0;
        for (const std::uint64_t count : counters.dropped) dropped += count;
        EXPECT_EQ(counters.received,
                  counters.transmitted + counters.punted + dropped + counters.parked)
            << "worker " << i << ": transmitted " << counters.transmitted << ", punted "
            << counters.punted << ", dropped " << dropped << ", parked " << counters.parked;
    }
}

FrameBuilder client_frame() {
    return frame().eth(kRouterMac, kClientSideMac);
}
FrameBuilder server_frame(unsigned n) {
    return frame().eth(server_mac(n), kServerSideMac);
}
FrameBuilder to_router() {
    return frame().eth(kClientSideMac, kRouterMac);
}
FrameBuilder to_server(unsigned n) {
    return frame().eth(kServerSideMac, server_mac(n));
}

::testing::AssertionResult transmits(const Output& output, lb::PortId port, const Bytes& expected) {
    if (output.verdict != lb::Verdict::Transmit) {
        return ::testing::AssertionFailure()
               << "not transmitted: verdict " << static_cast<int>(output.verdict)
               << ", drop reason " << to_string(output.drop_reason) << ", punt reason "
               << static_cast<int>(output.punt_reason);
    }
    if (output.port != port) {
        return ::testing::AssertionFailure() << "leaves by port " << static_cast<int>(output.port);
    }
    return same_frame(output.frame, expected);
}

::testing::AssertionResult drops(const Output& output, lb::DropReason reason) {
    if (output.drop_reason == reason &&
        (output.verdict == lb::Verdict::Drop || output.originated)) {
        return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << "verdict " << static_cast<int>(output.verdict) << ", drop reason "
           << to_string(output.drop_reason) << ", punt reason "
           << static_cast<int>(output.punt_reason);
}

::testing::AssertionResult punts(const Output& output, lb::PuntReason reason) {
    if (output.verdict == lb::Verdict::Punt && output.punt_reason == reason) {
        return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << "verdict " << static_cast<int>(output.verdict) << ", drop reason "
           << to_string(output.drop_reason) << ", punt reason "
           << static_cast<int>(output.punt_reason);
}

}  // namespace pollux::test
