// SPDX-License-Identifier: Apache-2.0

// Four workers, each on a thread of its own, open 100,000 connections through the whole pipeline:
// the servers' shares follow the weights within one percent of all connections.

#include <cstdio>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "dataplane/lb/data_plane.h"
#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

constexpr unsigned kWorkers = 4;
constexpr unsigned kPerWorker = 25'000;
constexpr unsigned kBurst = 25;

struct Shares {
    const char* name;
    lb::SchedulerKind scheduler;
    std::vector<std::uint16_t> weights;
};

lb::DataPlaneLimits limits() {
    lb::DataPlaneLimits limits;
    limits.max_connections = 1U << 17;
    limits.max_services = 4;
    limits.max_servers = 16;
    limits.embryonic_share = 1.0;
    limits.workers = kWorkers;
    limits.hugepages = false;
    return limits;
}

// SYNs of one client, from unprivileged ports.
void open_connections(lb::Worker& worker, const Bytes& syn, lb::TimePoint now) {
    constexpr std::size_t kHeadroom = 128;
    constexpr std::size_t kSourcePort = 34;
    std::vector<Bytes> buffers(kBurst, Bytes(kHeadroom + syn.size()));
    std::vector<lb::Packet> packets(kBurst);
    auto extra = std::make_unique<lb::ExtraPackets>();
    for (unsigned port = 1024; port < 1024 + kPerWorker; port += kBurst) {
        for (unsigned i = 0; i < kBurst; ++i) {
            std::copy(syn.begin(), syn.end(), buffers[i].begin() + kHeadroom);
            std::uint8_t* const frame = buffers[i].data() + kHeadroom;
            frame[kSourcePort] = static_cast<std::uint8_t>((port + i) >> 8U);
            frame[kSourcePort + 1] = static_cast<std::uint8_t>(port + i);
            packets[i] = {};
            packets[i].data = frame;
            packets[i].length = packets[i].frame_length = static_cast<std::uint32_t>(syn.size());
            packets[i].headroom = kHeadroom;
            packets[i].port = kClientSide;
        }
        worker.process_burst(packets, now, *extra);
    }
    worker.offline();
}

class Convergence : public ::testing::TestWithParam<Shares> {};

TEST_P(Convergence, SharesFollowTheWeightsWithinOnePercentOfAllConnections) {
    Rig rig(limits());
    std::vector<lb::RealServerSpec> servers;
    unsigned sum = 0;
    for (const std::uint16_t weight : GetParam().weights) {
        servers.push_back(real_server({static_cast<unsigned>(servers.size()) + 1,
                                       lb::ForwardingMethod::DirectRouting, 0, weight}));
        sum += weight;
    }
    rig.spec.services = {service(lb::Protocol::Tcp, "10.1.0.10:80", servers)};
    rig.spec.services[0].scheduler = GetParam().scheduler;
    rig.apply();
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kWorkers; ++i) {
        const Bytes syn =
            client_frame().ipv4("10.0.0." + std::to_string(i + 1), kVip).tcp(1, 80, "S");
        threads.emplace_back(
            [&rig, i, syn] { open_connections(rig.plane().worker(i), syn, rig.now()); });
    }
    for (std::thread& thread : threads) thread.join();

    constexpr double kAll = double{kWorkers} * kPerWorker;
    std::printf("%-4s on %u workers:", GetParam().name, kWorkers);
    double total = 0;
    for (std::size_t i = 0; i < servers.size(); ++i) {
        const double wanted = kAll * GetParam().weights[i] / sum;
        const auto got = static_cast<double>(rig.server_view(0, i).active);
        total += got;
        std::printf("  weight %u: %.0f (%+.3f %%)", GetParam().weights[i], got,
                    (got - wanted) * 100 / kAll);
        EXPECT_NEAR(got, wanted, kAll / 100);
    }
    std::printf("\n");
    EXPECT_EQ(total, kAll) << "no connection is lost";
}

const std::vector<std::uint16_t> kEqual{1, 1, 1, 1, 1};
const std::vector<std::uint16_t> kUnequal{7, 5, 3, 2, 1};
INSTANTIATE_TEST_SUITE_P(, Convergence,
                         ::testing::Values(Shares{"rr", lb::SchedulerKind::Rr, kEqual},
                                           Shares{"wrr", lb::SchedulerKind::Wrr, kUnequal},
                                           Shares{"lc", lb::SchedulerKind::Lc, kEqual},
                                           Shares{"wlc", lb::SchedulerKind::Wlc, kUnequal},
                                           Shares{"sed", lb::SchedulerKind::Sed, kUnequal}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace pollux::test
