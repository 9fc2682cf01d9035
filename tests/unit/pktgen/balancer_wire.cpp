// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pktgen/balancer_wire.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "dataplane/net/neighbor_frames.h"

namespace pollux::test {
namespace {

constexpr std::size_t kHeadroom = 128;

lb::RouteSpec route(const net::IpPrefix& to, std::size_t port, const net::MacAddress& next) {
    lb::RouteSpec result;
    result.destination = to;
    result.port = static_cast<lb::PortId>(port);
    result.source_mac = kBalancerMac;
    result.destination_mac = next;
    result.resolved = true;
    return result;
}

net::IpAddress inside(net::Family family, unsigned host) {
    return net::IpAddress::parse((family == net::Family::V4 ? "10.9.0." : "fd00:9::") +
                                 std::to_string(host))
        .value();
}

lb::DataPlaneSpec spec_of(const pktgen::Plan& plan) {
    const net::Family family = plan.service.address.family;
    const auto host_bits = static_cast<std::uint8_t>(family == net::Family::V4 ? 32 : 128);
    lb::DataPlaneSpec spec;
    spec.ports = {{"clients", kBalancerMac, {}, 1600}, {"servers", kBalancerMac, {}, 1600}};
    spec.owned = {{plan.service.address, lb::PortId{0}, kBalancerMac},
                  {inside(family, 1), lb::PortId{1}, kBalancerMac},
                  {inside(family, 2), lb::PortId{1}, kBalancerMac}};
    spec.local_addresses.push_back({inside(family, 2), 1024, 65535});
    spec.routes.push_back(route(plan.traffic.clients.network(), 0, kGeneratorMac));
    lb::ServiceSpec service;
    service.address = plan.service.address;
    service.port = plan.service.port;
    service.protocol =
        plan.traffic.kind == pktgen::Kind::Udp ? lb::Protocol::Udp : lb::Protocol::Tcp;
    service.scheduler = lb::SchedulerKind::Rr;
    for (const pktgen::ServerPlan& server : plan.servers) {
        spec.routes.push_back(route({server.address, host_bits}, 1, server.mac));
        spec.routes.back().preferred_source = inside(family, 1);
        lb::RealServerSpec real;
        real.address = server.address;
        real.port = plan.server_port(server);
        real.method = plan.service.method;
        service.servers.push_back(real);
    }
    spec.services.push_back(std::move(service));
    return spec;
}

}  // namespace

BalancerWire::BalancerWire(const pktgen::Plan& plan) : plan_(plan) {
    lb::DataPlaneLimits limits;
    limits.max_connections = 1U << 16U;
    limits.max_templates = 64;
    limits.max_fragments = 64;
    limits.hash_secret = {1, 2, 3, 4};
    auto made = lb::DataPlane::create(limits);
    EXPECT_TRUE(made) << made.error().message;
    plane = std::move(made).value();
    const Status applied = plane->apply(spec_of(plan), now_);
    EXPECT_TRUE(applied) << applied.error().message;
}

unsigned BalancerWire::receive(std::size_t port, std::span<lb::Packet> out) {
    unsigned count = 0;
    while (count < out.size() && !queues_[port].empty() && allocate(out.subspan(count, 1)) == 1) {
        const Bytes& frame = queues_[port].front();
        std::copy(frame.begin(), frame.end(), out[count].data);
        out[count].length = out[count].frame_length = static_cast<std::uint32_t>(frame.size());
        queues_[port].pop_front();
        ++count;
    }
    return count;
}

unsigned BalancerWire::transmit(std::size_t port, std::span<lb::Packet> packets) {
    const std::size_t taken = std::min<std::size_t>(packets.size(), room);
    for (std::size_t i = 0; i < taken; ++i) {
        if (!answer_question(port, packets[i])) balance(port, packets[i]);
    }
    release(packets.subspan(0, taken));
    return static_cast<unsigned>(taken);
}

bool BalancerWire::answer_question(std::size_t port, const lb::Packet& packet) {
    const auto question = net::parse_neighbor_question({packet.data, packet.length});
    if (!question) return false;
    const bool own =
        question->target == plan_.service.address || question->target == plan_.ports[port].next_hop;
    if (own) {
        const net::NeighborFrame answer =
            net::build_neighbor_answer(*question, kBalancerMac, false);
        deliver(port, Bytes(answer.bytes.begin(),
                            answer.bytes.begin() + static_cast<std::ptrdiff_t>(answer.length)));
    }
    return true;
}

void BalancerWire::balance(std::size_t port, const lb::Packet& packet) {
    lb::Packet copy = packet;
    copy.port = static_cast<lb::PortId>(port);
    copy.tailroom = 256;
    extra_->count = 0;
    plane->worker(0).process_burst({&copy, 1}, now_, *extra_);
    if (copy.verdict != lb::Verdict::Transmit) return;
    deliver(static_cast<std::size_t>(copy.port), Bytes(copy.data, copy.data + copy.length));
}

void BalancerWire::deliver(std::size_t port, Bytes frame) {
    std::vector<Bytes> frames{std::move(frame)};
    if (meddle) meddle(frames);
    for (Bytes& each : frames) queues_[port].push_back(std::move(each));
}

unsigned BalancerWire::allocate(std::span<lb::Packet> out) {
    for (lb::Packet& packet : out) {
        auto* buffer = new Buffer;
        packet = lb::Packet{};
        packet.data = buffer->data() + kHeadroom;
        packet.headroom = kHeadroom;
        packet.cookie = buffer;
        ++in_use;
    }
    return static_cast<unsigned>(out.size());
}

void BalancerWire::release(std::span<lb::Packet> packets) {
    for (const lb::Packet& packet : packets) {
        delete static_cast<Buffer*>(packet.cookie);
        --in_use;
    }
}

pktgen::Plan small_plan(lb::ForwardingMethod method, pktgen::Kind kind) {
    pktgen::Plan plan;
    plan.ports.resize(2);
    plan.ports[0].name = "clients";
    plan.ports[0].vdev = "net_null0";
    plan.ports[0].carries = pktgen::Carries::Clients;
    plan.ports[0].address = net::IpAddress::parse("203.0.113.9").value();
    plan.ports[1].name = "servers";
    plan.ports[1].vdev = "net_null1";
    plan.ports[1].carries = pktgen::Carries::Servers;
    plan.ports[1].address = inside(net::Family::V4, 9);
    plan.ports[1].next_hop = inside(net::Family::V4, 1);
    plan.service = {{}, net::IpAddress::parse("203.0.113.80").value(), 80, method};
    for (const unsigned host : {11U, 12U}) {
        pktgen::ServerPlan server;
        server.address = inside(net::Family::V4, host);
        server.port = plan.answers_pass() ? 8080 : 0;
        server.mac = {{2, 0, 0, 0, 5, static_cast<std::uint8_t>(host)}};
        plan.servers.push_back(server);
    }
    plan.traffic.kind = kind;
    plan.traffic.flows = 100;
    plan.traffic.clients = net::IpPrefix::parse("198.51.100.0/24").value();
    plan.traffic.rate = "20k";
    plan.traffic.duration = std::chrono::milliseconds(50);
    plan.traffic.drain = std::chrono::milliseconds(10);
    plan.traffic.warm_up_limit = std::chrono::milliseconds(100);
    return plan;
}

}  // namespace pollux::test
