// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/dpdk/packet_adapter.h"
#include "tests/dpdk/eal_environment.h"

namespace pollux::dpdk {
namespace {

constexpr lb::PortId kPort{3};

// A frame whose byte i is i modulo 256, in segments of the given sizes.
rte_mbuf* make_frame(const std::vector<std::uint16_t>& segments) {
    rte_mempool& pool = test::eal_pools().data(0);
    rte_mbuf* first = nullptr;
    std::uint8_t next = 0;
    for (const std::uint16_t size : segments) {
        rte_mbuf* segment = rte_pktmbuf_alloc(&pool);
        auto* bytes = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(segment, size));
        std::iota(bytes, bytes + size, next);
        next = static_cast<std::uint8_t>(next + size);
        if (first == nullptr) {
            first = segment;
        } else {
            EXPECT_EQ(rte_pktmbuf_chain(first, segment), 0);
        }
    }
    return first;
}

std::vector<std::uint8_t> bytes_of(const rte_mbuf& frame) {
    std::vector<std::uint8_t> bytes(frame.pkt_len);
    const void* data = rte_pktmbuf_read(&frame, 0, frame.pkt_len, bytes.data());
    if (data != bytes.data()) std::memcpy(bytes.data(), data, bytes.size());
    return bytes;
}

std::vector<std::uint8_t> counting(std::size_t from, std::size_t to) {
    std::vector<std::uint8_t> bytes(to - from);
    std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(from));
    return bytes;
}

void expect_sane(const rte_mbuf& frame) {
    const char* reason = nullptr;
    EXPECT_EQ(rte_mbuf_check(&frame, 1, &reason), 0) << reason;
}

class Adapter : public testing::Test {
  protected:
    void SetUp() override { before_ = free_data(); }
    void TearDown() override { EXPECT_EQ(free_data(), before_) << "buffers were lost"; }
    static std::uint32_t free_data() { return test::free_buffers("pollux_data_0"); }

    std::uint32_t before_ = 0;
};

TEST_F(Adapter, ShowsTheWholeFrameAndTheRoomAroundIt) {
    rte_mbuf* frame = make_frame({100});
    lb::Packet packet;
    ASSERT_EQ(fill_packet(packet, frame, kPort), frame);
    EXPECT_EQ(packet.data, rte_pktmbuf_mtod(frame, std::uint8_t*));
    EXPECT_EQ(packet.length, 100U);
    EXPECT_EQ(packet.frame_length, 100U);
    EXPECT_EQ(packet.headroom, 128);
    EXPECT_EQ(packet.tailroom, 2048 - 100);
    EXPECT_EQ(packet.port, kPort);
    EXPECT_EQ(packet.verdict, lb::Verdict::Pending);
    EXPECT_EQ(packet.cookie, frame);
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, LeavesAnUnchangedFrameAlone) {
    rte_mbuf* frame = make_frame({60});
    lb::Packet packet;
    (void)fill_packet(packet, frame, kPort);
    write_back(packet, *frame);
    expect_sane(*frame);
    EXPECT_EQ(bytes_of(*frame), counting(0, 60));
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, CarriesAnEncapsulationOver) {
    rte_mbuf* frame = make_frame({60});
    lb::Packet packet;
    (void)fill_packet(packet, frame, kPort);
    packet.data -= 20;
    packet.length += 20;
    packet.frame_length += 20;
    std::memset(packet.data, 0xee, 20);
    write_back(packet, *frame);
    expect_sane(*frame);
    std::vector<std::uint8_t> expected(20, 0xee);
    const auto rest = counting(0, 60);
    expected.insert(expected.end(), rest.begin(), rest.end());
    EXPECT_EQ(bytes_of(*frame), expected);
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, CarriesADecapsulationOver) {
    rte_mbuf* frame = make_frame({60});
    lb::Packet packet;
    (void)fill_packet(packet, frame, kPort);
    packet.data += 14;
    packet.length -= 14;
    packet.frame_length -= 14;
    write_back(packet, *frame);
    expect_sane(*frame);
    EXPECT_EQ(bytes_of(*frame), counting(14, 60));
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, CarriesAShorterAndALongerTailOver) {
    for (const std::uint32_t length : {40U, 90U}) {
        rte_mbuf* frame = make_frame({60});
        lb::Packet packet;
        (void)fill_packet(packet, frame, kPort);
        packet.length = packet.frame_length = length;
        write_back(packet, *frame);
        expect_sane(*frame);
        EXPECT_EQ(frame->pkt_len, length);
        EXPECT_EQ(frame->data_len, length);
        rte_pktmbuf_free(frame);
    }
}

TEST_F(Adapter, OffersNoTailBetweenSegments) {
    rte_mbuf* frame = make_frame({100, 200, 50});
    lb::Packet packet;
    (void)fill_packet(packet, frame, kPort);
    EXPECT_EQ(packet.length, 100U);
    EXPECT_EQ(packet.frame_length, 350U);
    EXPECT_EQ(packet.tailroom, 0);
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, KeepsFurtherSegmentsWhenTheFirstOneGrows) {
    rte_mbuf* frame = make_frame({100, 200, 50});
    lb::Packet packet;
    (void)fill_packet(packet, frame, kPort);
    packet.data -= 4;
    packet.length += 4;
    packet.frame_length += 4;
    std::memset(packet.data, 0xee, 4);
    write_back(packet, *frame);
    expect_sane(*frame);
    std::vector<std::uint8_t> expected(4, 0xee);
    const auto rest = counting(0, 350);
    expected.insert(expected.end(), rest.begin(), rest.end());
    EXPECT_EQ(bytes_of(*frame), expected);
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, CutsTheTailOfASegmentedFrameWhereverItEnds) {
    for (const std::uint32_t length : {100U, 101U, 299U, 300U, 301U, 349U}) {
        rte_mbuf* frame = make_frame({100, 200, 50});
        lb::Packet packet;
        (void)fill_packet(packet, frame, kPort);
        packet.frame_length = length;
        write_back(packet, *frame);
        expect_sane(*frame);
        EXPECT_EQ(bytes_of(*frame), counting(0, length));
        rte_pktmbuf_free(frame);
        EXPECT_EQ(free_data(), before_);
    }
}

TEST_F(Adapter, PutsAStrippedVlanTagBack) {
    rte_mbuf* frame = make_frame({60});
    frame->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    frame->vlan_tci = 0x2064;
    lb::Packet packet;
    rte_mbuf* same = fill_packet(packet, frame, kPort);
    ASSERT_NE(same, nullptr);
    EXPECT_EQ(packet.length, 64U);
    std::vector<std::uint8_t> expected = counting(0, 12);
    expected.insert(expected.end(), {0x81, 0x00, 0x20, 0x64});
    const auto rest = counting(12, 60);
    expected.insert(expected.end(), rest.begin(), rest.end());
    EXPECT_EQ(bytes_of(*same), expected);
    rte_pktmbuf_free(same);
}

// net_af_packet puts the tag back itself and leaves the flag that tells of it.
TEST_F(Adapter, DoesNotPutATagBackThatIsInTheFrame) {
    rte_mbuf* frame = make_frame({60});
    frame->ol_flags = RTE_MBUF_F_RX_VLAN;
    lb::Packet packet;
    (void)fill_packet(packet, frame, kPort);
    EXPECT_EQ(packet.length, 60U);
    rte_pktmbuf_free(frame);
}

TEST_F(Adapter, TranslatesWhatTheNicSaidOfChecksumsAndHash) {
    using lb::OffloadFlags;
    struct Row {
        std::uint64_t flags;
        std::uint16_t offload;
    };
    const Row rows[] = {
        {0, 0},
        {RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_NONE, 0},
        {RTE_MBUF_F_RX_IP_CKSUM_GOOD, OffloadFlags::kRxIpChecksumGood},
        {RTE_MBUF_F_RX_IP_CKSUM_BAD, OffloadFlags::kRxIpChecksumBad},
        {RTE_MBUF_F_RX_L4_CKSUM_GOOD, OffloadFlags::kRxL4ChecksumGood},
        {RTE_MBUF_F_RX_L4_CKSUM_BAD, OffloadFlags::kRxL4ChecksumBad},
        {RTE_MBUF_F_RX_RSS_HASH, OffloadFlags::kRxHashValid},
    };
    for (const Row& row : rows) EXPECT_EQ(offload_flags(row.flags), row.offload) << row.flags;
}

TEST_F(Adapter, MakesEmptyPacketsWithTheRoomThatThePacketSourcePromises) {
    const lb::Packet packet = allocate_packet(test::eal_pools().data(0));
    ASSERT_NE(packet.data, nullptr);
    EXPECT_EQ(packet.length, 0U);
    EXPECT_GE(packet.headroom, 128);
    EXPECT_GE(packet.tailroom, 2048);
    rte_pktmbuf_free(static_cast<rte_mbuf*>(packet.cookie));
}

TEST_F(Adapter, MakesNoPacketWithoutABuffer) {
    std::vector<rte_mbuf*> all(before_);
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(&test::eal_pools().data(0), all.data(), before_), 0);
    EXPECT_EQ(allocate_packet(test::eal_pools().data(0)).data, nullptr);
    rte_pktmbuf_free_bulk(all.data(), before_);
}

}  // namespace
}  // namespace pollux::dpdk
