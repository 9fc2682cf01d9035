// SPDX-License-Identifier: Apache-2.0
// Bring-up of every kind of virtual device with one and two workers, and frames through it.
#include <memory>

#include <gtest/gtest.h>

#include "dataplane/dpdk/runtime.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/options.h"

namespace pollux::test {
namespace {

struct Device {
    const char* name;
    const char* vdev;
    const char* prepare;     // in the test's network namespace; "" = nothing
    const char* kernel_end;  // interface to talk to the port through; "" = none
    unsigned workers;
    // Queues by the table of measured capabilities (net_tap up to 16 and equal numbers,
    // net_af_packet its qpairs, net_af_xdp on veth one, the others at least 16), net_memif one by
    // our choice).
    unsigned rx_queues, tx_queues;
};

constexpr const char* kVeth = "ip link add p0 type veth peer name p1 && ip link set p1 up";

const Device kDevices[] = {
    {"tap_1", "net_tap0,iface=ptap0", "", "ptap0", 1, 2, 2},
    {"tap_2", "net_tap0,iface=ptap0", "", "ptap0", 2, 3, 3},
    {"af_packet_1", "net_af_packet0,iface=p0", kVeth, "p1", 1, 1, 1},
    {"af_packet_2", "net_af_packet0,iface=p0", kVeth, "p1", 2, 1, 1},
    {"af_packet_2_three_pairs", "net_af_packet0,iface=p0,qpairs=3", kVeth, "p1", 2, 3, 3},
    {"af_xdp_1", "net_af_xdp0,iface=p0", kVeth, "p1", 1, 1, 1},
    {"af_xdp_2", "net_af_xdp0,iface=p0", kVeth, "p1", 2, 1, 1},
    {"null_1", "net_null0,no-rx=1", "", "", 1, 1, 2},
    {"null_2", "net_null0,no-rx=1", "", "", 2, 2, 3},
    {"ring_1", "net_ring0", "", "", 1, 1, 2},
    {"ring_2", "net_ring0", "", "", 2, 2, 3},
    {"memif_1", "net_memif0,role=server,socket-abstract=yes,socket=pollux-test", "", "", 1, 1, 1},
    {"memif_2", "net_memif0,role=server,socket-abstract=yes,socket=pollux-test", "", "", 2, 1, 1},
};

void PrintTo(const Device& device, std::ostream* stream) {
    *stream << device.name;
}

class Matrix : public testing::TestWithParam<Device> {};

void check_views(const Device& device, const dpdk::Runtime& runtime) {
    const std::vector<dpdk::PortView> ports = runtime.ports();
    ASSERT_EQ(ports.size(), 1U);
    const std::string vdev = device.vdev;
    EXPECT_EQ(ports[0].driver, vdev.substr(0, vdev.find_first_of("0123456789")));
    EXPECT_EQ(ports[0].rx_queues, device.rx_queues);
    EXPECT_EQ(ports[0].tx_queues, device.tx_queues);
    EXPECT_EQ(ports[0].mtu, 1500);
    EXPECT_FALSE(ports[0].mac.is_multicast());
    for (const std::string& note : ports[0].notes) std::printf("  note: %s\n", note.c_str());
}

void check_echo(const Device& device) {
    const PacketSocket socket(device.kernel_end);
    for (const std::size_t length : {60U, 1514U}) {
        std::vector<std::uint8_t> frame = test_frame(kTestEtherType, length);
        socket.send(frame);
        const auto answer = socket.receive(kTestEtherType);
        ASSERT_TRUE(answer.has_value()) << length << " bytes were not echoed";
        std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
        EXPECT_EQ(*answer, frame);
    }
}

void start_poll_echo_and_send(const Device& device) {
    if (*device.prepare != '\0') run_command(device.prepare);
    auto runtime = dpdk::Runtime::start(small_options({device.vdev}, device.workers));
    ASSERT_TRUE(runtime) << runtime.error().message;
    check_views(device, **runtime);

    std::vector<std::unique_ptr<Decider>> deciders;
    std::vector<dpdk::BurstProcessor> processors;
    for (unsigned i = 0; i < device.workers; ++i) {
        deciders.push_back(std::make_unique<Decider>(*device.kernel_end == '\0' ? drop : echo));
        processors.push_back(deciders.back()->processor());
    }
    const Status launched = (*runtime)->launch_workers(processors);
    ASSERT_TRUE(launched) << launched.error().message;
    if (*device.kernel_end != '\0') {
        EXPECT_TRUE((*runtime)->ports()[0].link_up);
        check_echo(device);
        const PacketSocket socket(device.kernel_end);
        const std::vector<std::uint8_t> frame = test_frame(kTestEtherType, 100, 7);
        EXPECT_TRUE((*runtime)->transmit(lb::PortId{0}, frame));
        EXPECT_EQ(socket.receive(kTestEtherType), frame);
    }
    for (unsigned i = 0; i < device.workers; ++i) {
        const std::uint64_t before = (*runtime)->workers()[i].heartbeat;
        EXPECT_TRUE(eventually([&] { return (*runtime)->workers()[i].heartbeat > before; }));
        EXPECT_GT(deciders[i]->quiescent, 0U);
    }
    (*runtime)->stop_workers();
}

TEST_P(Matrix, StartsPollsEchoesAndSends) {
    EXPECT_TRUE(passes_in_child([] { start_poll_echo_and_send(GetParam()); }));
}

INSTANTIATE_TEST_SUITE_P(Devices, Matrix, testing::ValuesIn(kDevices),
                         [](const auto& device) { return std::string(device.param.name); });

}  // namespace
}  // namespace pollux::test
