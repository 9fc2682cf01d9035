// SPDX-License-Identifier: Apache-2.0
// Snapshots that are built beside the control thread: DataPlane::begin, SnapshotWork, finish.

#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "dataplane/lb/data_plane.h"

namespace pollux::lb {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};

std::unique_ptr<DataPlane> small_plane() {
    DataPlaneLimits limits;
    limits.max_connections = 1024;
    limits.max_templates = 1024;
    limits.max_services = 4;
    limits.max_servers = 1;
    limits.hugepages = false;
    auto plane = DataPlane::create(limits);
    return plane ? std::move(plane).value() : nullptr;
}

net::IpAddress address(unsigned host) {
    return net::IpAddress::from_v4(net::Ipv4Address{net::Be32::from_host(0x0a000000U | host)});
}

// One service; without a host part it has no server.
std::shared_ptr<const DataPlaneSpec> with_server(unsigned host) {
    auto spec = std::make_shared<DataPlaneSpec>();
    ServiceSpec service;
    service.address = address(1);
    service.port = 80;
    if (host != 0) {
        RealServerSpec server;
        server.address = address(host);
        server.port = 80;
        service.servers.push_back(server);
    }
    spec->services.push_back(service);
    return spec;
}

TEST(SnapshotWork, ServesTheOldTableUntilFinish) {
    const auto plane = small_plane();
    ASSERT_TRUE(plane->apply(*with_server(2), kNow));
    const std::uint64_t before = plane->generation();
    auto work = plane->begin();
    std::thread([&work] { work->run(with_server(0)); }).join();
    EXPECT_EQ(plane->generation(), before);
    EXPECT_EQ(plane->services(kNow).at(0).servers.size(), 1U);
    ASSERT_TRUE(plane->finish(std::move(work), kNow));
    EXPECT_EQ(plane->generation(), before + 1);
    EXPECT_TRUE(plane->services(kNow).at(0).servers.empty());
}

// There is room for one server: the second fits only when the first one's id is free.
TEST(SnapshotWork, HousekeepingLeavesTheBuildersIdsAlone) {
    const auto plane = small_plane();
    ASSERT_TRUE(plane->apply(*with_server(2), kNow));
    ASSERT_TRUE(plane->apply(*with_server(0), kNow));
    auto work = plane->begin();
    plane->worker(0).quiescent();
    plane->housekeep(kNow, 0);
    work->run(with_server(3));
    EXPECT_FALSE(plane->finish(std::move(work), kNow));

    plane->housekeep(kNow, 0);
    work = plane->begin();
    work->run(with_server(3));
    EXPECT_TRUE(plane->finish(std::move(work), kNow));
    EXPECT_EQ(plane->services(kNow).at(0).servers.at(0).address.to_string(), "10.0.0.3");
}

TEST(SnapshotWork, ARefusedOneChangesNothing) {
    const auto plane = small_plane();
    ASSERT_TRUE(plane->apply(*with_server(2), kNow));
    const std::uint64_t before = plane->generation();
    auto spec = std::make_shared<DataPlaneSpec>(*with_server(2));
    spec->services.push_back(spec->services.front());  // the same service twice
    auto work = plane->begin();
    work->run(spec);
    EXPECT_FALSE(plane->finish(std::move(work), kNow));
    EXPECT_EQ(plane->generation(), before);
    EXPECT_TRUE(plane->apply(*with_server(0), kNow));
}

// A server that leaves and comes back before its id is freed keeps it, and is freed later for good.
TEST(SnapshotWork, AServerThatCameBackIsNotFreed) {
    const auto plane = small_plane();
    for (const unsigned host : {2U, 0U, 2U, 0U, 2U}) {
        ASSERT_TRUE(plane->apply(*with_server(host), kNow));
    }
    plane->worker(0).quiescent();
    plane->housekeep(kNow, 0);
    plane->housekeep(kNow, 0);
    EXPECT_FALSE(plane->services(kNow).at(0).servers.at(0).removed);
    ASSERT_TRUE(plane->apply(*with_server(0), kNow));
    plane->worker(0).quiescent();
    plane->housekeep(kNow, 0);
    EXPECT_TRUE(plane->apply(*with_server(3), kNow));
}

}  // namespace
}  // namespace pollux::lb
