// SPDX-License-Identifier: Apache-2.0
// What a port makes of drivers that refuse: MTU, several segments, flow rules.
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/dpdk/control_flow.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/eal_environment.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

constexpr std::uint16_t kJumbo = 9000;

dpdk::PortView started_with_mtu(const char* vdev, std::uint16_t mtu) {
    dpdk::RuntimeOptions options = small_options({vdev}, 1);
    options.ports[0].mtu = mtu;
    options.mbufs_per_port = 4096;
    const auto runtime = dpdk::Runtime::start(options);
    EXPECT_TRUE(runtime) << runtime.error().message;
    return runtime ? (*runtime)->ports()[0] : dpdk::PortView{};
}

bool notes_mention(const dpdk::PortView& port, const std::string& text) {
    for (const std::string& note : port.notes) {
        if (note.find(text) != std::string::npos) return true;
    }
    return false;
}

// Measured: net_tap takes frames of at most 1522 bytes, net_af_packet of 1518, 18 of them headers.
TEST(Mtu, IsWhatTheDriverTakesAndTheRestIsNoted) {
    EXPECT_TRUE(passes_in_child([] {
        const dpdk::PortView port = started_with_mtu("net_tap0,iface=ptap0", kJumbo);
        EXPECT_EQ(port.mtu, 1504);
        EXPECT_TRUE(notes_mention(port, "MTU 9000 is not possible"));
    }));
    EXPECT_TRUE(passes_in_child([] {
        run_command("ip link add p0 type veth peer name p1");
        const dpdk::PortView port = started_with_mtu("net_af_packet0,iface=p0", kJumbo);
        EXPECT_EQ(port.mtu, 1500);
        EXPECT_TRUE(notes_mention(port, "MTU 9000 is not possible"));
    }));
}

TEST(Mtu, ReachesTheKernelInterfaceBehindThePort) {
    EXPECT_TRUE(passes_in_child([] {
        run_command("ip link add p0 type veth peer name p1");
        EXPECT_EQ(started_with_mtu("net_af_packet0,iface=p0", 1400).mtu, 1400);
        run_command("ip link show p0 | grep -q 'mtu 1400'");
    }));
}

// One driver can chain buffers, the other gets larger ones.
TEST(Mtu, MayBeLargerThanABuffer) {
    for (const char* vdev : {"net_ring0", "net_null0"}) {
        EXPECT_TRUE(passes_in_child([vdev] {
            dpdk::RuntimeOptions options = small_options({vdev}, 1);
            options.memory_mib = 256;
            options.mbufs_per_port = 4096;
            options.ports[0].mtu = kJumbo;
            const auto runtime = dpdk::Runtime::start(options);
            ASSERT_TRUE(runtime) << runtime.error().message;
            EXPECT_EQ((*runtime)->ports()[0].mtu, kJumbo);
            EXPECT_TRUE((*runtime)->transmit(lb::PortId{0}, std::vector<std::uint8_t>(kJumbo)));
        }));
    }
}

// net_tap says that the rule is valid and cannot create it: the kernel lacks a queueing discipline.
TEST(ControlFlow, IsRefusedByDriversThatOnlyPretend) {
    EXPECT_TRUE(passes_in_child([] {
        for (const char* vdev : {"net_tap0,iface=ptap0", "net_null0", "net_ring0"}) {
            const dpdk::RuntimeOptions options = small_options({vdev}, 1);
            dpdk::BufferPools& pools = eal_pools();
            auto attached = dpdk::PortDevice::attach(options.ports[0], eal_log());
            ASSERT_TRUE(attached) << attached.error().message;
            dpdk::PortSetup setup;
            setup.pools = &pools;
            dpdk::QueuePlanner planner(1);
            dpdk::PortDevice& port = **attached;
            ASSERT_TRUE(port.set_up(planner.plan({.rx = 1, .tx = 1}), setup, eal_log()));
            EXPECT_NE(dpdk::steer_control_frames(port.device(), 0), "") << vdev;
        }
    }));
}

// As on a NIC that promises RSS and rules and then refuses: the plan had a queue more.
TEST(ControlFlow, LeavesThePortWorkingWithoutItsQueue) {
    EXPECT_TRUE(passes_in_child([] {
        const dpdk::RuntimeOptions options = small_options({"net_null0,no-rx=1"}, 1);
        dpdk::BufferPools& pools = eal_pools();
        auto attached = dpdk::PortDevice::attach(options.ports[0], eal_log());
        ASSERT_TRUE(attached) << attached.error().message;
        dpdk::PortSetup setup;
        setup.pools = &pools;
        dpdk::QueuePlanner planner(1);
        dpdk::PortDevice& port = **attached;
        const auto plan = planner.plan({.rx = 2, .tx = 2, .control_rx = true});
        ASSERT_TRUE(plan.control_rx_queue.has_value());
        ASSERT_TRUE(port.set_up(plan, setup, eal_log()));
        const dpdk::PortView view = port.view();
        EXPECT_FALSE(view.control_queue);
        EXPECT_EQ(view.rx_queues, 1);
        EXPECT_TRUE(view.link_up);
        EXPECT_TRUE(notes_mention(view, "no receive queue of its own for VRRP and ARP"));
    }));
}

}  // namespace
}  // namespace pollux::test
