// SPDX-License-Identifier: Apache-2.0
// Frames between threads and out of ports: punts, relays, outputs, the control core's own.
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "dataplane/dpdk/control_io.h"
#include "dataplane/dpdk/port_output.h"
#include "dataplane/dpdk/punt_queue.h"
#include "dataplane/dpdk/relay.h"
#include "tests/dpdk/eal_environment.h"
#include "tests/dpdk/options.h"

namespace pollux::dpdk {
namespace {

constexpr std::size_t kFrameLength = 60;
constexpr lb::PortId kPort0{0};

rte_mempool& data_pool() {
    return test::eal_pools().data(0);
}

rte_mbuf* make_frame(std::uint8_t content, std::uint16_t length = kFrameLength) {
    rte_mbuf* frame = rte_pktmbuf_alloc(&data_pool());
    if (frame != nullptr) std::memset(rte_pktmbuf_append(frame, length), content, length);
    return frame;
}

lb::Packet punted(lb::PuntReason reason) {
    lb::Packet packet;
    packet.port = lb::PortId{5};
    packet.verdict = lb::Verdict::Punt;
    packet.punt_reason = reason;
    return packet;
}

bool is_readable(int fd) {
    pollfd poll_fd{fd, POLLIN, 0};
    return poll(&poll_fd, 1, 0) == 1;
}

// Every test ends with all buffers back in their pools.
class Transfer : public testing::Test {
  protected:
    void SetUp() override { before_ = levels(); }
    void TearDown() override {
        control_.reset();
        queue_.reset();
        port_.reset();
        EXPECT_EQ(levels(), before_) << "buffers were lost (data, punt, control)";
    }

    static std::vector<std::uint32_t> levels() {
        std::vector<std::uint32_t> free;
        for (const PoolView& view : test::eal_pools().views()) free.push_back(view.free);
        return free;
    }

    PuntQueue& queue() {
        if (!queue_) queue_ = std::make_unique<PuntQueue>(0, test::eal_pools().punt(), bell_, 0);
        return *queue_;
    }
    bool punt(lb::PuntReason reason, std::uint8_t content = 0) {
        rte_mbuf* frame = make_frame(content);
        if (frame == nullptr) return false;
        const bool taken = queue().push(frame, punted(reason));
        if (!taken) rte_pktmbuf_free(frame);
        return taken;
    }

    // A net_ring port: what it sends waits, up to 1023 frames, until take_sent().
    PortDevice& port(const QueueLimits& limits) {
        const RuntimeOptions options = test::small_options({"net_ring0"}, 1);
        port_ = std::move(PortDevice::attach(options.ports[0], test::eal_log())).value();
        PortSetup setup;
        setup.pools = &test::eal_pools();
        QueuePlanner planner(1);
        EXPECT_TRUE(port_->set_up(planner.plan(limits), setup, test::eal_log()));
        return *port_;
    }
    std::vector<rte_mbuf*> take_sent(std::uint16_t receive_queue) {
        std::vector<rte_mbuf*> frames(4096);
        std::size_t count = 0;
        for (unsigned got = 1; got > 0; count += got) {
            got = rte_eth_rx_burst(port_->device(), receive_queue, &frames[count], 64);
        }
        frames.resize(count);
        return frames;
    }
    std::size_t discard_sent(std::uint16_t receive_queue) {
        std::vector<rte_mbuf*> frames = take_sent(receive_queue);
        rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(frames.size()));
        return frames.size();
    }

    ControlIo& control(std::vector<ControlIo::Exit> exits = {}) {
        control_ = std::make_unique<ControlIo>(std::move(exits), std::vector{&queue()},
                                               test::eal_pools().control(), bell_);
        return *control_;
    }

    PuntBell bell_;
    FrameRing ring_{"test_relay", kRelayRing, 0};
    std::unique_ptr<PuntQueue> queue_;
    std::unique_ptr<PortDevice> port_;
    std::unique_ptr<ControlIo> control_;
    std::vector<std::uint32_t> before_;
};

TEST_F(Transfer, PuntsCarryTheirReasonPortAndNextHop) {
    lb::Packet packet = punted(lb::PuntReason::Unresolved);
    packet.next_hop = *net::IpAddress::parse("10.9.0.2");
    ASSERT_TRUE(queue().push(make_frame(7), packet));
    const auto frames = control().receive();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].reason, lb::PuntReason::Unresolved);
    EXPECT_EQ(frames[0].port, lb::PortId{5});
    EXPECT_EQ(frames[0].next_hop, packet.next_hop);
    EXPECT_EQ(std::vector(frames[0].bytes.begin(), frames[0].bytes.end()),
              std::vector<std::uint8_t>(kFrameLength, 7));
}

// make_frame fills the whole frame, the source MAC too, with its content.
TEST_F(Transfer, FloodOfForgedVrrpFramesDoesNotPushAPeersOut) {
    VrrpPeers peers;
    const net::MacAddress peer{{7, 7, 7, 7, 7, 7}};
    peers.set(std::span(&peer, 1));
    queue().know(peers);
    unsigned forged = 0;
    while (punt(lb::PuntReason::Vrrp, 9)) ++forged;
    EXPECT_GE(forged, kVrrpRing - 1);
    ASSERT_TRUE(punt(lb::PuntReason::Vrrp, 7));
    const auto frames = control().receive();
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames[0].bytes[6], 7) << "and it comes first";
    while (!control_->receive().empty()) {
    }
}

TEST_F(Transfer, VrrpArpAndNeighbourFramesLeaveTheDataPoolAtOnce) {
    for (const auto reason :
         {lb::PuntReason::Vrrp, lb::PuntReason::Arp, lb::PuntReason::NeighbourDiscovery}) {
        ASSERT_TRUE(punt(reason, 9));
        EXPECT_EQ(test::free_buffers("pollux_data_0"), before_[0]);
    }
    ASSERT_TRUE(punt(lb::PuntReason::LocalAddress));
    EXPECT_EQ(test::free_buffers("pollux_data_0"), before_[0] - 1);
    EXPECT_EQ(control().receive().size(), 4U);
}

TEST_F(Transfer, VrrpPassesWhenDataFloodsItsQueueAndHoldsEveryDataBuffer) {
    std::uint32_t flood = 0;
    while (punt(lb::PuntReason::LocalAddress)) ++flood;
    EXPECT_EQ(flood, kGeneralRing);
    rte_mbuf* advertisement = make_frame(112);
    std::vector<rte_mbuf*> rest(before_[0] - flood - 1);
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(&data_pool(), rest.data(), static_cast<unsigned>(rest.size())),
              0);
    EXPECT_EQ(make_frame(0), nullptr) << "a data buffer is left";

    EXPECT_TRUE(queue().push(advertisement, punted(lb::PuntReason::Vrrp)));
    const auto frames = control().receive();
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames[0].reason, lb::PuntReason::Vrrp);
    EXPECT_EQ(frames[0].bytes[0], 112);
    rte_pktmbuf_free_bulk(rest.data(), static_cast<unsigned>(rest.size()));
}

TEST_F(Transfer, VrrpPassesWhenArpFloodsItsQueue) {
    std::uint32_t flood = 0;
    while (punt(lb::PuntReason::Arp)) ++flood;
    EXPECT_EQ(flood, kNeighbourRing);
    EXPECT_TRUE(punt(lb::PuntReason::Vrrp));
    EXPECT_EQ(control().receive()[0].reason, lb::PuntReason::Vrrp);
}

TEST_F(Transfer, EveryControlRingCanBeFullAtOnce) {
    std::uint32_t vrrp = 0, arp = 0;
    while (punt(lb::PuntReason::Vrrp)) ++vrrp;
    while (punt(lb::PuntReason::Arp)) ++arp;
    EXPECT_EQ(vrrp, kVrrpRing);
    EXPECT_EQ(arp, kNeighbourRing);
}

TEST_F(Transfer, NoKindOfPuntStarvesAnother) {
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(punt(lb::PuntReason::Vrrp));
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(punt(lb::PuntReason::Arp));
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(punt(lb::PuntReason::Routed));
    const auto frames = control().receive();
    ASSERT_EQ(frames.size(), 64U);
    std::map<PuntKind, int> counts;
    for (const PuntedFrame& frame : frames) ++counts[punt_kind(frame.reason)];
    EXPECT_EQ(counts[PuntKind::Vrrp], 32);
    EXPECT_EQ(counts[PuntKind::Neighbour], 16);
    EXPECT_EQ(counts[PuntKind::General], 16);
    EXPECT_EQ(frames[0].reason, lb::PuntReason::Vrrp);
}

TEST_F(Transfer, AFullRingLeavesTheFrameWithTheCaller) {
    while (punt(lb::PuntReason::Vrrp)) {
    }
    rte_mbuf* frame = make_frame(1);
    EXPECT_FALSE(queue().push(frame, punted(lb::PuntReason::Vrrp)));
    EXPECT_EQ(rte_mbuf_refcnt_read(frame), 1);
    rte_pktmbuf_free(frame);
}

TEST_F(Transfer, SegmentedFramesArriveInOnePiece) {
    rte_mbuf* frame = make_frame(1, 100);
    ASSERT_EQ(rte_pktmbuf_chain(frame, make_frame(2, 50)), 0);
    ASSERT_TRUE(queue().push(frame, punted(lb::PuntReason::Routed)));
    const auto frames = control().receive();
    ASSERT_EQ(frames.size(), 1U);
    std::vector<std::uint8_t> expected(100, 1);
    expected.resize(150, 2);
    EXPECT_EQ(std::vector(frames[0].bytes.begin(), frames[0].bytes.end()), expected);
}

TEST_F(Transfer, TheBellRingsOnceUntilTheControlCoreFoundNothing) {
    ControlIo& io = control();
    EXPECT_TRUE(io.receive().empty());
    EXPECT_FALSE(is_readable(bell_.fd()));
    ASSERT_TRUE(punt(lb::PuntReason::Arp));
    queue().finish_burst();
    EXPECT_TRUE(is_readable(bell_.fd()));
    EXPECT_EQ(io.receive().size(), 1U);
    EXPECT_TRUE(is_readable(bell_.fd())) << "it must stay until nothing is found";
    EXPECT_TRUE(io.receive().empty());
    EXPECT_FALSE(is_readable(bell_.fd()));
}

TEST_F(Transfer, ABusyControlCoreCostsTheWorkerNoSystemCall) {
    ControlIo& io = control();
    EXPECT_TRUE(io.receive().empty());
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(punt(lb::PuntReason::Arp));
        queue().finish_burst();
    }
    std::uint64_t events = 0;
    ASSERT_EQ(read(bell_.fd(), &events, sizeof events), static_cast<ssize_t>(sizeof events));
    EXPECT_EQ(events, 1U);
    while (!io.receive().empty()) {
    }
}

TEST_F(Transfer, FramesBeforeTheFirstReceiveRingTheBell) {
    ASSERT_TRUE(punt(lb::PuntReason::Vrrp));
    queue().finish_burst();
    EXPECT_TRUE(is_readable(bell_.fd()));
}

TEST_F(Transfer, TheBellStaysReadableWhenAFrameCameWhileArming) {
    bell_.arm();
    EXPECT_FALSE(is_readable(bell_.fd()));
    bell_.disarm();
    EXPECT_TRUE(is_readable(bell_.fd()));
}

TEST_F(Transfer, NoWakeUpIsLostBetweenTwoThreads) {
    constexpr unsigned kFrames = 20'000;
    ControlIo& io = control();
    std::thread worker([this] {
        for (unsigned sent = 0; sent < kFrames;) {
            if (punt(lb::PuntReason::Routed)) {
                ++sent;
            } else {
                std::this_thread::yield();
            }
            queue().finish_burst();
        }
    });
    unsigned received = 0;
    while (received < kFrames) {
        pollfd poll_fd{bell_.fd(), POLLIN, 0};
        constexpr int kLimitMilliseconds = 10'000;
        if (poll(&poll_fd, 1, kLimitMilliseconds) != 1) break;
        for (auto frames = io.receive(); !frames.empty(); frames = io.receive()) {
            received += static_cast<unsigned>(frames.size());
        }
    }
    EXPECT_EQ(received, kFrames) << "frames wait, but nobody was told";
    while (received < kFrames) received += static_cast<unsigned>(io.receive().size());
    worker.join();
}

TEST_F(Transfer, AStalledPortGivesFramesBackAndKeepsNone) {
    PortOutput output(port({.rx = 1, .tx = 1}), {0, 0}, nullptr);
    const lb::Packet packet;
    unsigned failed = 0;
    const auto count_failed = [&failed](rte_mbuf* frame, const lb::Packet&) {
        rte_pktmbuf_free(frame);
        ++failed;
    };
    for (int burst = 0; burst < 50; ++burst) {
        for (int i = 0; i < 32; ++i) output.push(make_frame(1), packet);
        output.flush(count_failed);
        EXPECT_TRUE(output.empty());
    }
    const std::size_t sent = discard_sent(0);
    EXPECT_EQ(failed, 50 * 32 - sent);
    EXPECT_GT(failed, 0U);
    // The port works again as soon as it takes frames.
    output.push(make_frame(2), packet);
    output.flush(count_failed);
    EXPECT_EQ(discard_sent(0), 1U);
}

TEST_F(Transfer, ALostPortGivesFramesBack) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    PortOutput output(device, {0, 0}, nullptr);
    device.mark_lost();
    unsigned failed = 0;
    const lb::Packet packet;
    output.push(make_frame(1), packet);
    output.flush([&failed](rte_mbuf* frame, const lb::Packet&) {
        rte_pktmbuf_free(frame);
        ++failed;
    });
    EXPECT_EQ(failed, 1U);
    EXPECT_FALSE(device.view().link_up);
}

TEST_F(Transfer, WorkersWithoutAQueueSendThroughTheOwner) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    Relay relay(device, kPort0, 0, {.ring = &ring_});
    PortOutput output(device, {std::nullopt, 0}, &ring_);
    const lb::Packet packet;
    for (std::uint8_t i = 0; i < 40; ++i) output.push(make_frame(i), packet);
    output.flush([](rte_mbuf*, const lb::Packet&) { ADD_FAILURE() << "the ring has room"; });
    unsigned moved = 0;
    for (unsigned step = 1; step > 0; moved += step) step = relay.step(0);
    EXPECT_EQ(moved, 40U);
    std::vector<rte_mbuf*> frames = take_sent(0);
    ASSERT_EQ(frames.size(), 40U);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_EQ(*rte_pktmbuf_mtod(frames[i], std::uint8_t*), i) << "order";
    }
    rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(frames.size()));
}

TEST_F(Transfer, AStalledOwnerHoldsABatchAndTheSenderGetsTheRestBack) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    Relay relay(device, kPort0, 0, {.ring = &ring_});
    PortOutput own(device, {0, 0}, nullptr);
    const lb::Packet packet;
    unsigned failed = 0;
    const auto count_failed = [&failed](rte_mbuf* frame, const lb::Packet&) {
        rte_pktmbuf_free(frame);
        ++failed;
    };
    while (failed == 0) {
        own.push(make_frame(0), packet);
        own.flush(count_failed);
    }
    PortOutput output(device, {std::nullopt, 0}, &ring_);
    failed = 0;
    for (unsigned sent = 0; sent < 2 * kRelayRing; sent += 32) {
        for (int i = 0; i < 32; ++i) output.push(make_frame(1), packet);
        output.flush(count_failed);
        EXPECT_EQ(relay.step(0), 0U);
    }
    EXPECT_EQ(failed, 2 * kRelayRing - kRelayRing - kRelayBatch);
    discard_sent(0);
    while (relay.step(0) > 0) {
    }
    EXPECT_EQ(discard_sent(0), kRelayRing + kRelayBatch);
}

TEST_F(Transfer, FramesThatAStalledOwnerNeverSentAreGivenBackToTheirSendersAccounts) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    struct Seen {
        unsigned own = 0, originated = 0;
    } seen;
    BurstProcessor sender;
    sender.context = &seen;
    sender.account_failed = [](void* context, const lb::Packet& packet,
                               lb::DropReason reason) noexcept {
        EXPECT_EQ(reason, lb::DropReason::TransmitQueueFull);
        EXPECT_EQ(packet.verdict, lb::Verdict::Transmit);
        EXPECT_EQ(packet.port, kPort0);
        ++(packet.originated ? static_cast<Seen*>(context)->originated
                             : static_cast<Seen*>(context)->own);
    };
    Relay relay(device, kPort0, 0, {.ring = &ring_, .sender = &sender});
    PortOutput output(device, {std::nullopt, 0}, &ring_);
    lb::Packet own, answer;
    answer.originated = true;
    for (int i = 0; i < 50; ++i) output.push(make_frame(1), own);
    for (int i = 0; i < 20; ++i) output.push(make_frame(1), answer);
    output.flush([](rte_mbuf*, const lb::Packet&) { ADD_FAILURE() << "the ring has room"; });
    device.mark_lost();
    EXPECT_EQ(relay.step(0), 0U);
    relay.discard_all();
    EXPECT_EQ(seen.own, 50U);
    EXPECT_EQ(seen.originated, 20U);
}

TEST_F(Transfer, ControlFramesHaveAQueueOfTheirOwnWhereThePortHasTwo) {
    ControlIo& io = control({{&port({.rx = 2, .tx = 2}), nullptr}});
    io.set_workers_running(true);
    const std::vector<std::uint8_t> frame(kFrameLength, 5);
    EXPECT_TRUE(io.transmit(kPort0, frame));
    EXPECT_EQ(test::free_buffers("pollux_data_0"), before_[0]);
    EXPECT_EQ(discard_sent(0), 0U) << "it left by the worker's queue";
    // net_ring keeps what leaves by queue 1 in this ring.
    rte_ring* second = rte_ring_lookup("ETH_RXTX1_net_ring0");
    ASSERT_NE(second, nullptr);
    void* sent = nullptr;
    ASSERT_EQ(rte_ring_dequeue(second, &sent), 0);
    rte_pktmbuf_free(static_cast<rte_mbuf*>(sent));
}

TEST_F(Transfer, ControlFramesGoThroughAWorkerWhereThePortHasOneQueue) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    ControlIo& io = control({{&device, &ring_}});
    io.set_workers_running(true);
    const std::vector<std::uint8_t> frame(kFrameLength, 5);
    EXPECT_TRUE(io.transmit(kPort0, frame));
    EXPECT_EQ(discard_sent(0), 0U);
    Relay relay(device, kPort0, 0, {.ring = &ring_});
    EXPECT_EQ(relay.step(0), 1U);
    EXPECT_EQ(discard_sent(0), 1U);
    // While no worker runs, nobody would relay: the control core uses the queue itself.
    io.set_workers_running(false);
    EXPECT_TRUE(io.transmit(kPort0, frame));
    EXPECT_EQ(discard_sent(0), 1U);
}

TEST_F(Transfer, ControlFramesThatWaitedTooLongAreNotSent) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    ControlIo& io = control({{&device, &ring_}});
    io.set_workers_running(true);
    EXPECT_TRUE(io.transmit(kPort0, std::vector<std::uint8_t>(kFrameLength, 5)));
    lb::Counter expired;
    Relay relay(device, kPort0, 0, {.ring = &ring_, .most_ticks = 1000, .expired = &expired});
    constexpr std::uint64_t kMuchLater = ~std::uint64_t{0} / 2;
    EXPECT_EQ(relay.step(kMuchLater), 1U);
    EXPECT_EQ(expired.read(), 1U);
    EXPECT_EQ(discard_sent(0), 0U);
}

// A worker reads its clock before it looks into the ring, and may be kept from running in between.
TEST_F(Transfer, ControlFramesThatAreYoungerThanTheWorkersClockAreSent) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    ControlIo& io = control({{&device, &ring_}});
    io.set_workers_running(true);
    const std::uint64_t clock = rte_rdtsc();
    EXPECT_TRUE(io.transmit(kPort0, std::vector<std::uint8_t>(kFrameLength, 5)));
    lb::Counter expired;
    constexpr std::uint64_t kLong = std::uint64_t{1} << 40U;
    Relay relay(device, kPort0, 0, {.ring = &ring_, .most_ticks = kLong, .expired = &expired});
    EXPECT_EQ(relay.step(clock), 1U);
    EXPECT_EQ(expired.read(), 0U);
    EXPECT_EQ(discard_sent(0), 1U);
}

TEST_F(Transfer, AStalledPortFailsControlFramesAndLosesNoBuffer) {
    PortDevice& device = port({.rx = 1, .tx = 1});
    ControlIo& io = control({{&device, &ring_}});
    io.set_workers_running(true);
    const std::vector<std::uint8_t> frame(kFrameLength, 5);
    unsigned queued = 0;
    while (io.transmit(kPort0, frame)) ++queued;
    EXPECT_EQ(queued, kRelayRing);
    EXPECT_EQ(io.counters().transmit_failed, 1U);
    EXPECT_EQ(io.counters().no_buffer, 0U) << "the pool is larger than all queues";
    Relay relay(device, kPort0, 0, {.ring = &ring_});
    while (relay.step(0) > 0) {
    }
    EXPECT_EQ(discard_sent(0), queued);
}

TEST_F(Transfer, ControlFramesThatThePortCannotCarryAreRefused) {
    ControlIo& io = control({{&port({.rx = 1, .tx = 1}), &ring_}});
    EXPECT_FALSE(io.transmit(kPort0, {}));
    EXPECT_FALSE(io.transmit(lb::PortId{1}, std::vector<std::uint8_t>(60)));
    EXPECT_FALSE(io.transmit(lb::kNoPort, std::vector<std::uint8_t>(60)));
    EXPECT_FALSE(io.transmit(kPort0, std::vector<std::uint8_t>(1500 + 14 + 8 + 1)));
    EXPECT_EQ(io.counters().transmit_failed, 4U);
    EXPECT_TRUE(io.transmit(kPort0, std::vector<std::uint8_t>(1500 + 14 + 8)));
    EXPECT_EQ(discard_sent(0), 1U);
}

}  // namespace
}  // namespace pollux::dpdk
