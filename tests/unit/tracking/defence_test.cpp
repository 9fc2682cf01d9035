// SPDX-License-Identifier: Apache-2.0

#include "dataplane/lb/defence.h"

#include <vector>

#include <gtest/gtest.h>

#include "dataplane/lb/tracking.h"

namespace pollux::lb {
namespace {

constexpr Ticks kMinute{std::chrono::seconds(60)};

ConnectionState tcp_in(TcpState state, unsigned packets) {
    return initial_state(Protocol::Tcp, ForwardingMethod::Nat)
        .with_protocol_state(static_cast<std::uint8_t>(state))
        .with_packets(packets);
}

// As recorded with drop_packet=3 and am_droprate=10: the 1st, 11th and 21st new packet.
TEST(PacketDropper, DropsTheFirstOfEachTen) {
    PacketDropper dropper;
    std::vector<int> dropped;
    for (int packet = 1; packet <= 25; ++packet) {
        if (dropper.drops_next(10)) dropped.push_back(packet);
    }
    EXPECT_EQ(dropped, (std::vector<int>{1, 11, 21}));
}

TEST(PacketDropper, DropsNothingAtRateZeroAndEverythingAtRateOne) {
    PacketDropper dropper;
    EXPECT_FALSE(dropper.drops_next(0));
    EXPECT_TRUE(dropper.drops_next(1));
    EXPECT_TRUE(dropper.drops_next(1));
}

TEST(DefenceLevel, FollowsModeAndPressure) {
    const Pressure none{5000, 1024};
    const Pressure some{512, 1024};
    for (const unsigned mode : {0U, 1U, 2U, 3U}) {
        SysctlSpec sysctl;
        sysctl.secure_tcp = sysctl.drop_entry = sysctl.drop_packet =
            static_cast<std::uint8_t>(mode);
        const DefenceLevel relaxed = defence_level(sysctl, none);
        const DefenceLevel pressed = defence_level(sysctl, some);
        EXPECT_EQ(relaxed, (DefenceLevel{mode == 3, mode == 3, mode == 3 ? 10U : 0U})) << mode;
        EXPECT_EQ(pressed, (DefenceLevel{mode != 0, mode != 0,
                                         mode == 0   ? 0U
                                         : mode == 3 ? 10U
                                                     : 2U}))
            << mode;
    }
}

TEST(DefenceLevel, DropsMoreTheScarcerItGets) {
    SysctlSpec sysctl;
    sysctl.drop_packet = 1;
    EXPECT_EQ(defence_level(sysctl, {1023, 1024}).drop_rate, 1024U);
    EXPECT_EQ(defence_level(sysctl, {512, 1024}).drop_rate, 2U);
    EXPECT_EQ(defence_level(sysctl, {0, 1024}).drop_rate, 1U);
}

TEST(DefenceLevel, AutomaticModesAreShownAsTheyAre) {
    EXPECT_EQ(shown_mode(1, {0, 10}), 2);
    EXPECT_EQ(shown_mode(2, {10, 10}), 1);
    EXPECT_EQ(shown_mode(3, {0, 10}), 3);
    EXPECT_EQ(shown_mode(0, {0, 10}), 0);
}

TEST(EntryDropper, DropsHalfOpenAtOnceAndClosingNever) {
    EntryDropper dropper;
    for (unsigned number = 0; number < kTcpStateCount; ++number) {
        const auto state = static_cast<TcpState>(number);
        const bool half_open = state == TcpState::SynRecv || state == TcpState::SynAck;
        EXPECT_EQ(dropper.drops(tcp_in(state, 1), Ticks{0}), half_open) << to_string(state);
    }
}

TEST(EntryDropper, DropsIdleEstablishedOnesWithFewPackets) {
    EntryDropper dropper;
    EXPECT_FALSE(dropper.drops(tcp_in(TcpState::Established, 1), kMinute - Ticks{1}));
    EXPECT_TRUE(dropper.drops(tcp_in(TcpState::Established, 1), kMinute));
    EXPECT_FALSE(dropper.drops(tcp_in(TcpState::Established, 9), kMinute));
}

TEST(EntryDropper, DropsEachNthOfThoseWithNPackets) {
    EntryDropper dropper;
    std::vector<int> dropped;
    for (int entry = 1; entry <= 9; ++entry) {
        if (dropper.drops(tcp_in(TcpState::Established, 4), kMinute)) dropped.push_back(entry);
    }
    EXPECT_EQ(dropped, (std::vector<int>{1, 5, 9}));
}

}  // namespace
}  // namespace pollux::lb
