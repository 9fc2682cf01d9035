// SPDX-License-Identifier: Apache-2.0
// A flood of SYNs: half-open connections have a share of the table, in which the oldest make room
// for the new; a handshake has a sixteenth of a second at least; established ones are not touched.
#include <gtest/gtest.h>

#include "tests/packet/rig.h"

namespace pollux::test {
namespace {

using lb::DropReason;
using lb::ForwardingMethod;
using lb::Protocol;
using namespace std::chrono_literals;

constexpr unsigned kShare = 256;
constexpr unsigned kAtATime = 16;  // evicted

lb::DataPlaneLimits limits(double share = 0.25) {
    lb::DataPlaneLimits limits;
    limits.max_connections = 1024;
    limits.max_templates = 256;
    limits.max_services = 8;
    limits.max_servers = 16;
    limits.max_fragments = 16;
    limits.embryonic_share = share;
    limits.hugepages = false;
    return limits;
}

class Flood : public ::testing::Test {
  protected:
    explicit Flood(const lb::DataPlaneLimits& with = limits()) : rig(with) {
        rig.spec.services = {service(Protocol::Tcp, "10.1.0.10:80", {real_server({1})}),
                             service(Protocol::Udp, "10.1.0.10:80", {real_server({1})})};
        rig.apply();
    }

    static FrameBuilder from(const char* client) {
        return client_frame().ipv4(client, "10.1.0.10");
    }
    Output syn(std::uint16_t port, const char* client = "10.0.0.1") {
        return rig.from_client(from(client).tcp(port, 80, "S")).own;
    }
    Output ack(std::uint16_t port, const char* client = "10.0.0.1") {
        return rig.from_client(from(client).tcp(port, 80, "A")).own;
    }
    void establish(std::uint16_t port, const char* client) {
        ASSERT_EQ(syn(port, client).verdict, lb::Verdict::Transmit);
        ASSERT_EQ(ack(port, client).verdict, lb::Verdict::Transmit);
    }
    // Uses up the share; ports 1000 and following.
    void fill() {
        for (unsigned n = 0; n < kShare; ++n) {
            ASSERT_EQ(syn(static_cast<std::uint16_t>(1000 + n)).verdict, lb::Verdict::Transmit);
        }
    }
    [[nodiscard]] bool has(std::uint16_t port) const {
        for (const lb::ConnectionView& view : rig.connections()) {
            if (view.client_port == port) return true;
        }
        return false;
    }
    [[nodiscard]] std::uint64_t evicted() { return rig.plane().counters(0).embryonic_evicted; }

    Rig rig;
};

class FloodWithoutEviction : public Flood {
  protected:
    static lb::DataPlaneLimits drop_new() {
        lb::DataPlaneLimits result = limits();
        result.evict_embryonic = false;
        return result;
    }
    FloodWithoutEviction() : Flood(drop_new()) {}
};

class FloodOfWholeTable : public Flood {
  protected:
    FloodOfWholeTable() : Flood(limits(1.0)) {}
};

TEST_F(Flood, AYoungShareRefusesTheNew) {
    fill();
    EXPECT_TRUE(drops(syn(5000), DropReason::EmbryonicLimit));
    EXPECT_EQ(evicted(), 0U);
}

TEST_F(Flood, TheOldestMakeRoom) {
    fill();
    rig.advance(200ms);
    EXPECT_EQ(syn(5000).verdict, lb::Verdict::Transmit);
    EXPECT_EQ(evicted(), kAtATime);
    EXPECT_FALSE(has(1000)) << "the oldest";
    EXPECT_TRUE(has(1000 + kShare - 1)) << "the youngest";
    EXPECT_TRUE(has(5000));
}

TEST_F(Flood, WhatWasEvictedIsCountedAtTheServer) {
    fill();
    rig.advance(200ms);
    EXPECT_EQ(syn(5000).verdict, lb::Verdict::Transmit);
    const lb::ServerView server = rig.server_view(0, 0);
    EXPECT_EQ(server.active + server.inactive, kShare - kAtATime + 1);
}

TEST_F(Flood, AHandshakeOfASixteenthSecondIsFinished) {
    std::uint16_t port = 1000;
    const auto flood = [&](unsigned milliseconds) {
        for (unsigned i = 0; i < milliseconds; ++i) {
            for (unsigned n = 0; n < 8; ++n) syn(port++);
            rig.advance(1ms);
        }
    };
    flood(300);
    ASSERT_GT(evicted(), 0U);
    unsigned tried = 0;
    while (syn(77, "10.0.0.2").verdict != lb::Verdict::Transmit) {
        ASSERT_LT(++tried, 300U);
        flood(1);
    }
    flood(62);
    EXPECT_EQ(ack(77, "10.0.0.2").verdict, lb::Verdict::Transmit);
    flood(500);
    EXPECT_TRUE(has(77)) << "established by now";
}

TEST_F(Flood, EstablishedConnectionsStay) {
    for (std::uint16_t n = 0; n < 300; ++n)
        establish(static_cast<std::uint16_t>(100 + n), "10.0.0.2");
    for (unsigned n = 0; n < 8000; ++n) {
        syn(static_cast<std::uint16_t>(1000 + n));
        if (n % 10 == 0) rig.advance(1ms);
    }
    EXPECT_GT(evicted(), 0U);
    for (std::uint16_t n = 0; n < 300; ++n) EXPECT_TRUE(has(static_cast<std::uint16_t>(100 + n)));
}

TEST_F(FloodWithoutEviction, TheShareRefusesTheNewUntilItEnds) {
    fill();
    rig.advance(2s);
    EXPECT_TRUE(drops(syn(5000), DropReason::EmbryonicLimit));
    EXPECT_EQ(evicted(), 0U);
    EXPECT_TRUE(has(1000));
}

// The table is full, half-open connections among it: they go for connections of any kind.
TEST_F(FloodOfWholeTable, ADatagramFindsRoom) {
    std::uint16_t port = 1000;
    const auto datagram = [&] { return rig.from_client(from("10.0.0.2").udp(port++, 80)).own; };
    for (unsigned n = 0; n < 600; ++n) syn(port++);
    Output last = datagram();
    for (unsigned n = 0; n < 1000 && last.verdict == lb::Verdict::Transmit; ++n) last = datagram();
    ASSERT_TRUE(drops(last, DropReason::ConnectionTableFull));
    EXPECT_EQ(evicted(), 0U);
    rig.advance(200ms);
    EXPECT_TRUE(drops(datagram(), DropReason::ConnectionTableFull)) << "evicts for the next";
    rig.settle();
    EXPECT_EQ(datagram().verdict, lb::Verdict::Transmit);
}

}  // namespace
}  // namespace pollux::test
