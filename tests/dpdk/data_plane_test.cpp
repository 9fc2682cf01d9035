// SPDX-License-Identifier: Apache-2.0
// The real data plane on worker threads between two TAPs: NAT there and back, punts, the further
// fragments of a large answer, and the accounts at the end.
#include <array>
#include <memory>
#include <numeric>
#include <string>

#include <gtest/gtest.h>
#include <net/ethernet.h>

#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"
#include "tests/support/frame_builder.h"

namespace pollux::test {
namespace {

constexpr lb::PortId kClients{0}, kServers{1};
constexpr const char* kClient = "10.0.0.1";
constexpr const char* kVip = "10.1.0.10";
constexpr const char* kServer = "10.2.0.1";
constexpr const char* kRouterMac = "02:00:00:00:0c:01";
constexpr const char* kServerMac = "02:00:00:00:05:01";

net::IpAddress address(const char* text) {
    return *net::IpAddress::parse(text);
}

lb::RouteSpec route(const char* destination, lb::PortId port, const net::MacAddress& from,
                    const char* to) {
    lb::RouteSpec spec;
    spec.destination = *net::IpPrefix::parse(destination);
    spec.port = port;
    spec.gateway = spec.destination.address;
    spec.source_mac = from;
    spec.destination_mac = *net::MacAddress::parse(to);
    spec.resolved = true;
    return spec;
}

lb::DataPlaneSpec network(const std::vector<dpdk::PortView>& ports) {
    lb::DataPlaneSpec spec;
    for (const dpdk::PortView& port : ports) {
        spec.ports.push_back({port.name, port.mac, {}, port.mtu});
    }
    spec.owned.push_back({address(kVip), kClients, ports[0].mac});
    spec.owned.push_back({address("10.2.0.254"), kServers, ports[1].mac});
    spec.routes.push_back(route("0.0.0.0/0", kClients, ports[0].mac, kRouterMac));
    spec.routes.push_back(route("10.2.0.1/32", kServers, ports[1].mac, kServerMac));
    lb::ServiceSpec service;
    service.address = address(kVip);
    service.port = 80;
    service.scheduler = lb::SchedulerKind::Rr;
    lb::RealServerSpec server;
    server.address = address(kServer);
    server.port = 8080;
    server.method = lb::ForwardingMethod::Nat;
    service.servers.push_back(server);
    spec.services.push_back(service);
    return spec;
}

// Two TAPs, two workers on one CPU, one NAT service.
struct Balancer {
    Balancer() {
        auto started =
            dpdk::Runtime::start(small_options({"net_tap0,iface=pcli", "net_tap1,iface=psrv"}, 2));
        EXPECT_TRUE(started) << started.error().message;
        runtime = std::move(started).value();
        lb::DataPlaneLimits limits;
        limits.max_connections = 4096;
        limits.workers = 2;
        limits.hugepages = false;
        auto made = lb::DataPlane::create(limits);
        EXPECT_TRUE(made) << made.error().message;
        plane = std::move(made).value();
        const Status applied = plane->apply(network(runtime->ports()), runtime->now());
        EXPECT_TRUE(applied) << applied.error().message;
        EXPECT_TRUE(runtime->launch_workers(*plane));
        client = std::make_unique<PacketSocket>("pcli");
        server = std::make_unique<PacketSocket>("psrv");
        client_mac = runtime->ports()[0].mac.to_string();
        server_mac = runtime->ports()[1].mac.to_string();
    }
    ~Balancer() { runtime->stop_workers(); }

    [[nodiscard]] FrameBuilder from_client() const { return frame().eth(kRouterMac, client_mac); }
    [[nodiscard]] FrameBuilder from_server() const { return frame().eth(kServerMac, server_mac); }

    std::unique_ptr<lb::DataPlane> plane;
    std::unique_ptr<dpdk::Runtime> runtime;
    std::unique_ptr<PacketSocket> client, server;
    std::string client_mac, server_mac;
};

void expect_accounts_balance(const lb::DataPlane& plane) {
    std::uint64_t received = 0, accounted = 0;
    for (unsigned worker = 0; worker < plane.worker_count(); ++worker) {
        const lb::WorkerCounters counters = plane.counters(worker);
        received += counters.received;
        accounted += counters.transmitted + counters.punted + counters.parked;
        accounted = std::accumulate(counters.dropped.begin(), counters.dropped.end(), accounted);
    }
    EXPECT_EQ(received, accounted);
    EXPECT_GT(received, 0U);
}

TEST(DataPlaneOnWorkers, TranslatesAConnectionThereAndBack) {
    EXPECT_TRUE(passes_in_child([] {
        Balancer balancer;
        balancer.client->send(
            Bytes(balancer.from_client().ipv4(kClient, kVip).tcp(1001, 80, "S").payload(100)));
        EXPECT_EQ(balancer.server->receive(ETHERTYPE_IP),
                  Bytes(frame()
                            .eth(balancer.server_mac, kServerMac)
                            .ipv4(kClient, kServer)
                            .ttl(63)
                            .tcp(1001, 8080, "S")
                            .payload(100)));
        balancer.server->send(Bytes(
            balancer.from_server().ipv4(kServer, kClient).tcp(8080, 1001, "SA").payload(100)));
        EXPECT_EQ(balancer.client->receive(ETHERTYPE_IP),
                  Bytes(frame()
                            .eth(balancer.client_mac, kRouterMac)
                            .ipv4(kVip, kClient)
                            .ttl(63)
                            .tcp(80, 1001, "SA")
                            .payload(100)));
        balancer.runtime->stop_workers();
        expect_accounts_balance(*balancer.plane);
    }));
}

TEST(DataPlaneOnWorkers, HandsArpVrrpAndPingsToTheControlCore) {
    EXPECT_TRUE(passes_in_child([] {
        Balancer balancer;
        struct Row {
            Bytes sent;
            lb::PuntReason reason;
        };
        const std::array rows{
            Row{frame()
                    .eth(kRouterMac, "ff:ff:ff:ff:ff:ff")
                    .arp_request(kRouterMac, kClient, kVip)
                    .pad_to(60),
                lb::PuntReason::Arp},
            Row{frame()
                    .eth("00:00:5e:00:01:33", "01:00:5e:00:00:12")
                    .ipv4("10.0.0.7", "224.0.0.18")
                    .ttl(255)
                    .protocol(112)
                    .payload(16)
                    .pad_to(60),
                lb::PuntReason::Vrrp},
            Row{balancer.from_client().ipv4(kClient, kVip).icmp(8).payload(64),
                lb::PuntReason::LocalAddress},
        };
        for (const Row& row : rows) {
            balancer.client->send(row.sent);
            EXPECT_TRUE(eventually([&] {
                bool seen = false;
                for (const dpdk::PuntedFrame& punted : balancer.runtime->receive_punted()) {
                    if (punted.reason != row.reason || punted.port != kClients) continue;
                    seen |= Bytes(punted.bytes.begin(), punted.bytes.end()) == row.sent;
                }
                return seen;
            })) << "reason "
                << static_cast<int>(row.reason);
        }
    }));
}

TEST(DataPlaneOnWorkers, KeepsForwardingWhileSnapshotsChange) {
    EXPECT_TRUE(passes_in_child([] {
        Balancer balancer;
        lb::DataPlaneSpec spec = network(balancer.runtime->ports());
        for (std::uint16_t port = 2000; port < 2200; ++port) {
            spec.services[0].servers[0].weight = static_cast<std::uint16_t>(1 + port % 2);
            ASSERT_TRUE(balancer.plane->apply(spec, balancer.runtime->now()));
            balancer.plane->housekeep(balancer.runtime->now(), 64);
            balancer.client->send(
                Bytes(balancer.from_client().ipv4(kClient, kVip).tcp(port, 80, "S")));
            const auto out = balancer.server->receive(ETHERTYPE_IP);
            ASSERT_TRUE(out.has_value()) << "connection " << port;
        }
        balancer.runtime->stop_workers();
        expect_accounts_balance(*balancer.plane);
    }));
}

}  // namespace
}  // namespace pollux::test
