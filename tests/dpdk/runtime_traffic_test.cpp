// SPDX-License-Identifier: Apache-2.0
// Running workers: floods, stalled and lost ports, several workers on one queue, idling.
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>

#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

constexpr const char* kTap = "net_tap0,iface=ptap0";
constexpr const char* kFlood = "net_null0,size=64,copy=1";
constexpr const char* kStalled =
    "net_memif0,role=server,socket-abstract=yes,socket=pollux-test-stalled";
constexpr lb::PortId kPort0{0}, kPort1{1};

std::unique_ptr<dpdk::Runtime> start(const dpdk::RuntimeOptions& options) {
    auto runtime = dpdk::Runtime::start(options);
    EXPECT_TRUE(runtime) << runtime.error().message;
    return runtime ? std::move(runtime).value() : nullptr;
}

std::map<std::string, std::uint32_t> levels(const dpdk::Runtime& runtime) {
    std::map<std::string, std::uint32_t> free;
    for (const dpdk::PoolView& pool : runtime.pools()) free[pool.name] = pool.free;
    return free;
}

// Decision D12, threat T-17: worker and control core share one CPU, the data port receives 64-byte
// frames as fast as the worker polls, all of them punted, and nobody takes them for a while.
TEST(Traffic, VrrpReachesTheControlCoreThroughAFloodOfPuntedFrames) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kTap, kFlood}, 1));
        ASSERT_NE(runtime, nullptr);
        Decider decider(punt);
        ASSERT_TRUE(runtime->launch_workers(std::array{decider.processor()}));
        ASSERT_TRUE(eventually([&] { return decider.failed > 10'000; })) << "no flood";
        EXPECT_EQ(decider.last_failure, lb::DropReason::PuntQueueFull);

        const PacketSocket peer("ptap0");
        constexpr int kAdvertisements = 20;
        for (int i = 0; i < kAdvertisements; ++i) {
            peer.send(vrrp_frame(static_cast<std::uint8_t>(i)));
        }
        int seen = 0;
        EXPECT_TRUE(eventually([&] {
            for (const dpdk::PuntedFrame& frame : runtime->receive_punted()) {
                if (frame.reason != lb::PuntReason::Vrrp) continue;
                EXPECT_EQ(frame.port, kPort0);
                EXPECT_EQ(frame.bytes[35], seen) << "order";
                ++seen;
            }
            return seen == kAdvertisements;
        })) << seen;
        const std::vector<std::uint8_t> answer = test_frame(kTestEtherType, 60);
        EXPECT_TRUE(runtime->transmit(kPort0, answer)) << "no buffer for the control core";
        EXPECT_EQ(peer.receive(kTestEtherType), answer);
    }));
}

TEST(Traffic, TheEventIsReadableWhileFramesWait) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kTap}, 1));
        ASSERT_NE(runtime, nullptr);
        Decider decider(punt);
        ASSERT_TRUE(runtime->launch_workers(std::array{decider.processor()}));
        const PacketSocket peer("ptap0");
        for (int round = 0; round < 50; ++round) {
            while (!runtime->receive_punted().empty()) {
            }
            peer.send(test_frame(ETHERTYPE_ARP, 60));
            constexpr int kLimitMilliseconds = 10'000;
            bool seen = false;
            while (!seen) {
                pollfd event{runtime->punt_event_fd(), POLLIN, 0};
                ASSERT_EQ(poll(&event, 1, kLimitMilliseconds), 1) << "round " << round;
                for (const auto& frame : runtime->receive_punted()) {
                    seen |= frame.reason == lb::PuntReason::Arp;
                }
            }
        }
    }));
}

// net_memif without a peer takes no frame: a transmit ring that stalls for as long as one likes. It
// has one queue, the first worker's; the others send through bounded rings to that worker.
TEST(Traffic, AStalledPortLosesNoBufferAndLeavesOtherPortsAlone) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kTap, kFlood, kStalled}, 2));
        ASSERT_NE(runtime, nullptr);
        std::atomic<std::uint64_t> echoed{0};
        const auto to_stalled = [&echoed](lb::Packet& packet) {
            if (packet.port == kPort0) {
                ++echoed;
                return echo(packet);
            }
            packet.port = lb::PortId{2};
            packet.verdict = lb::Verdict::Transmit;
        };
        const auto before = levels(*runtime);
        Decider first(to_stalled), second(to_stalled);
        ASSERT_TRUE(runtime->launch_workers(std::array{first.processor(), second.processor()}));
        ASSERT_TRUE(eventually([&] { return first.failed > 50'000 && second.failed > 50'000; }));
        EXPECT_EQ(first.last_failure, lb::DropReason::TransmitQueueFull);

        const PacketSocket peer("ptap0");
        std::vector<std::uint8_t> frame = test_frame(kTestEtherType, 64);
        peer.send(frame);
        std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
        EXPECT_EQ(peer.receive(kTestEtherType), frame);
        EXPECT_TRUE(runtime->transmit(lb::PortId{2}, frame)) << "a worker would send it";
        EXPECT_TRUE(eventually([&] { return runtime->control_counters().expired == 1; }));
        EXPECT_TRUE(runtime->transmit(kPort0, frame));
        EXPECT_EQ(peer.receive(kTestEtherType), frame);

        runtime->stop_workers();
        EXPECT_EQ(levels(*runtime), before);
        EXPECT_EQ(first.received + second.received, echoed + first.failed + second.failed);
    }));
}

TEST(Traffic, BothWorkersSendThroughTheOneQueueOfAPort) {
    EXPECT_TRUE(passes_in_child([] {
        run_command("ip link add p0 type veth peer name p1 && ip link set p1 up");
        const auto runtime = start(small_options({"net_af_packet0,iface=p0", "net_null0"}, 2));
        ASSERT_NE(runtime, nullptr);
        ASSERT_EQ(runtime->ports()[0].tx_queues, 1);
        const PacketSocket peer("p1");
        // Of its first frame each worker makes one that tells who sent it.
        const auto sender = [](std::uint8_t worker) {
            return [worker, sent = false](lb::Packet& packet) mutable {
                packet.verdict = lb::Verdict::Drop;
                if (packet.port != kPort1 || std::exchange(sent, true)) return;
                const std::vector<std::uint8_t> frame = test_frame(kTestEtherType, 64, worker);
                std::copy(frame.begin(), frame.end(), packet.data);
                packet.port = kPort0;
                packet.verdict = lb::Verdict::Transmit;
            };
        };
        Decider first(sender(100)), second(sender(200));
        ASSERT_TRUE(runtime->launch_workers(std::array{first.processor(), second.processor()}));
        std::set<std::uint8_t> senders;
        for (int i = 0; i < 2; ++i) {
            const auto frame = peer.receive(kTestEtherType);
            ASSERT_TRUE(frame.has_value());
            senders.insert((*frame)[14]);
        }
        EXPECT_EQ(senders, (std::set<std::uint8_t>{100, 200}));
    }));
}

TEST(Traffic, WorkersCanBeStoppedAndLaunchedAgain) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kTap}, 2));
        ASSERT_NE(runtime, nullptr);
        for (int round = 0; round < 3; ++round) {
            Decider first(echo), second(echo);
            const std::array processors{first.processor(), second.processor()};
            ASSERT_TRUE(runtime->launch_workers(processors));
            EXPECT_FALSE(runtime->launch_workers(processors)) << "they run already";
            const PacketSocket peer("ptap0");
            peer.send(test_frame(kTestEtherType, 60));
            EXPECT_TRUE(peer.receive(kTestEtherType).has_value());
            runtime->stop_workers();
            EXPECT_EQ(first.online, first.offline);
            // The control core can still send, for example its last advertisement.
            EXPECT_TRUE(runtime->transmit(kPort0, test_frame(kTestEtherType, 60)));
            EXPECT_TRUE(peer.receive(kTestEtherType).has_value());
        }
    }));
}

TEST(Traffic, NeedsAProcessorForEachWorker) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({"net_null0"}, 2));
        ASSERT_NE(runtime, nullptr);
        Decider decider(drop);
        const Status status = runtime->launch_workers(std::array{decider.processor()});
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().message, "1 processors for 2 workers");
    }));
}

TEST(Traffic, AdaptiveWorkersSleepWhenIdleAndPollingOnesDoNot) {
    for (const auto mode : {dpdk::IdleMode::Adaptive, dpdk::IdleMode::Poll}) {
        EXPECT_TRUE(passes_in_child([mode] {
            dpdk::RuntimeOptions options = small_options({kTap}, 1);
            options.idle = mode;
            const auto runtime = start(options);
            ASSERT_NE(runtime, nullptr);
            Decider decider(drop);
            ASSERT_TRUE(runtime->launch_workers(std::array{decider.processor()}));
            constexpr std::uint64_t kRounds = 500;
            ASSERT_TRUE(eventually([&] { return runtime->workers()[0].idle_loops > kRounds; }));
            runtime->stop_workers();
            const dpdk::WorkerView worker = runtime->workers()[0];
            EXPECT_EQ(worker.sleeps > 0, mode == dpdk::IdleMode::Adaptive);
            EXPECT_EQ(worker.heartbeat, worker.loops);
            EXPECT_LE(worker.busy_cycles, worker.total_cycles);
            EXPECT_EQ(decider.online, decider.offline) << "a sleeper must be offline";
            EXPECT_EQ(decider.offline, worker.sleeps + 1);
        }));
    }
}

TEST(Traffic, CountsBurstsBySize) {
    EXPECT_TRUE(passes_in_child([] {
        dpdk::RuntimeOptions options = small_options({kFlood}, 1);
        options.burst = 16;
        const auto runtime = start(options);
        ASSERT_NE(runtime, nullptr);
        Decider decider(drop);
        ASSERT_TRUE(runtime->launch_workers(std::array{decider.processor()}));
        ASSERT_TRUE(eventually([&] { return decider.received > 1000; }));
        runtime->stop_workers();
        const dpdk::WorkerView worker = runtime->workers()[0];
        ASSERT_EQ(worker.burst_histogram.size(), 65U);
        EXPECT_EQ(worker.burst_histogram[16] * 16, decider.received);
        EXPECT_GT(worker.busy_cycles, 0U);
    }));
}

TEST(Traffic, StampsBurstsWithTheRuntimesClock) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kFlood}, 1));
        ASSERT_NE(runtime, nullptr);
        Decider decider(drop);
        const std::int64_t before = runtime->now().time_since_epoch().count();
        ASSERT_TRUE(runtime->launch_workers(std::array{decider.processor()}));
        ASSERT_TRUE(eventually([&] { return decider.received > 0; }));
        runtime->stop_workers();
        EXPECT_GE(decider.last_time, before);
        EXPECT_LE(decider.last_time, runtime->now().time_since_epoch().count());
    }));
}

TEST(Links, FollowTheCarrierOfAKernelInterface) {
    EXPECT_TRUE(passes_in_child([] {
        run_command("ip link add p0 type veth peer name p1 && ip link set p1 up");
        const auto runtime = start(small_options({"net_af_packet0,iface=p0"}, 1));
        ASSERT_NE(runtime, nullptr);
        EXPECT_TRUE(eventually([&] { return runtime->ports()[0].link_up; }));
        EXPECT_NE(runtime->ports()[0].if_index, 0U);
        run_command("ip link set p1 down");
        EXPECT_TRUE(eventually([&] { return !runtime->ports()[0].link_up; }));
        run_command("ip link set p1 up");
        EXPECT_TRUE(eventually([&] { return runtime->ports()[0].link_up; }));
    }));
}

// Fault F20: other ports go on, nothing crashes.
TEST(Links, ATapMayMoveToAnotherNamespaceAndIsDownWhenDeleted) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kTap, "net_tap1,iface=ptap1"}, 1));
        ASSERT_NE(runtime, nullptr);
        Decider decider(echo);
        ASSERT_TRUE(runtime->launch_workers(std::array{decider.processor()}));
        EXPECT_TRUE(runtime->ports()[0].link_up);
        // A namespace that lives as long as this process, entered to delete the interface there.
        const int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        ASSERT_EQ(unshare(CLONE_NEWNET), 0);
        const int theirs = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        ASSERT_EQ(setns(ours, CLONE_NEWNET), 0);
        const std::string target =
            "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(theirs);
        run_command(("ip link set ptap0 netns " + target).c_str());
        EXPECT_TRUE(runtime->ports()[0].link_up);
        ASSERT_EQ(setns(theirs, CLONE_NEWNET), 0);
        run_command("ip link delete ptap0");
        ASSERT_EQ(setns(ours, CLONE_NEWNET), 0);
        EXPECT_FALSE(runtime->ports()[0].link_up);
        EXPECT_FALSE(runtime->transmit(kPort0, test_frame(kTestEtherType, 60)));

        const PacketSocket peer("ptap1");
        peer.send(test_frame(kTestEtherType, 60));
        EXPECT_TRUE(peer.receive(kTestEtherType).has_value());
    }));
}

bool has_filter_entry(const char* interface, const std::string& mac) {
    const std::string command =
        std::string("bridge fdb show dev ") + interface + " | grep -q " + mac;
    return std::system(command.c_str()) == 0;
}

TEST(VirtualMac, IsAFilterEntryOfAKernelInterfaceThatVanishesWithIt) {
    EXPECT_TRUE(passes_in_child([] {
        run_command("ip link add p0 type veth peer name p1 && ip link set p1 up");
        const auto mac = *net::MacAddress::parse("00:00:5e:00:01:33");
        {
            const auto runtime = start(small_options({"net_af_packet0,iface=p0"}, 1));
            ASSERT_NE(runtime, nullptr);
            EXPECT_TRUE(runtime->add_mac(kPort0, mac));
            EXPECT_TRUE(runtime->add_mac(kPort0, mac)) << "twice is once";
            EXPECT_TRUE(has_filter_entry("p0", mac.to_string()));
            EXPECT_TRUE(runtime->remove_mac(kPort0, mac));
            EXPECT_FALSE(has_filter_entry("p0", mac.to_string()));
            EXPECT_TRUE(runtime->add_mac(kPort0, mac));
        }
        EXPECT_FALSE(has_filter_entry("p0", mac.to_string()));
    }));
}

TEST(VirtualMac, IsReceivedByATapAtOnceAndRefusedWhenMulticast) {
    EXPECT_TRUE(passes_in_child([] {
        const auto runtime = start(small_options({kTap}, 1));
        ASSERT_NE(runtime, nullptr);
        EXPECT_TRUE(runtime->add_mac(kPort0, *net::MacAddress::parse("00:00:5e:00:01:33")));
        const Status status =
            runtime->add_mac(kPort0, *net::MacAddress::parse("01:00:5e:00:00:12"));
        ASSERT_FALSE(status);
        EXPECT_NE(status.error().message.find("not a unicast"), std::string::npos);
    }));
}

}  // namespace
}  // namespace pollux::test
