// SPDX-License-Identifier: Apache-2.0
// The clock, the idle policy and the EAL command line: no EAL needed.
#include <algorithm>

#include <gtest/gtest.h>

#include "dataplane/dpdk/clock.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/idle_policy.h"
#include "dataplane/dpdk/vrrp_peers.h"

namespace pollux::dpdk {
namespace {

using std::chrono::nanoseconds;

TEST(Clock, CountsNanosecondsFromItsOrigin) {
    const Clock clock(2'300'000'000, 1000, lb::TimePoint(nanoseconds(5)));
    EXPECT_EQ(clock.at(1000).time_since_epoch(), nanoseconds(5));
    // 23 ticks of 2.3 GHz are 10 ns; the fraction is rounded down by less than one.
    EXPECT_NEAR(static_cast<double>(clock.at(1023).time_since_epoch().count()), 15.0, 1.0);
}

TEST(Clock, LosesLessThanAMicrosecondInADay) {
    const std::uint64_t rate = 2'300'000'000;
    const Clock clock(rate, 0, lb::TimePoint{});
    const std::int64_t day = 86'400;
    const auto shown = clock.at(rate * static_cast<std::uint64_t>(day)).time_since_epoch();
    EXPECT_LT(std::abs((shown - std::chrono::seconds(day)).count()), 1'000);
}

TEST(Clock, NeverStepsBackBeforeItsOrigin) {
    const Clock clock(1'000'000'000, 1000, lb::TimePoint(nanoseconds(7)));
    EXPECT_EQ(clock.at(999).time_since_epoch(), nanoseconds(7));
}

TEST(Clock, ReachesACenturyWithoutOverflow) {
    const std::uint64_t rate = 5'000'000'000;
    const std::uint64_t century = 3'155'760'000;
    const Clock clock(rate, 0, lb::TimePoint{});
    const auto shown = clock.at(rate * century).time_since_epoch();
    EXPECT_EQ(std::chrono::duration_cast<std::chrono::hours>(shown).count(), 876'599);
}

TEST(IdlePolicy, NeverSleepsWhenPolling) {
    IdlePolicy policy(IdleMode::Poll, true);
    for (int i = 0; i < 100'000; ++i) ASSERT_EQ(policy.found_nothing(), 0U);
}

TEST(IdlePolicy, SpinsThenSleepsLongerAndLonger) {
    IdlePolicy policy(IdleMode::Adaptive, true);
    for (int i = 0; i < 16; ++i) EXPECT_EQ(policy.found_nothing(), 0U);
    for (const std::uint32_t rest : {20U, 50U, 100U, 200U}) {
        for (int i = 0; i < 25; ++i) EXPECT_EQ(policy.found_nothing(), rest);
    }
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(policy.found_nothing(), 200U);
}

TEST(IdlePolicy, ReturnsToSpinningWithTheFirstPacket) {
    IdlePolicy policy(IdleMode::Adaptive, true);
    for (int i = 0; i < 1000; ++i) (void)policy.found_nothing();
    policy.found_work();
    EXPECT_EQ(policy.found_nothing(), 0U);
}

TEST(IdlePolicy, SpinsLongerOnACpuOfItsOwn) {
    IdlePolicy policy(IdleMode::Adaptive, false);
    for (int i = 0; i < 512; ++i) EXPECT_EQ(policy.found_nothing(), 0U);
    EXPECT_EQ(policy.found_nothing(), 20U);
}

RuntimeOptions options_with(const char* pci, const char* vdev) {
    RuntimeOptions options;
    options.program = "polluxd";
    options.control_lcore = "1";
    options.worker_cpus = {0, 0, 3};
    PortOptions port;
    port.pci = pci;
    port.vdev = vdev;
    options.ports.push_back(port);
    return options;
}

bool contains(const std::vector<std::string>& arguments, const std::string& text) {
    return std::find(arguments.begin(), arguments.end(), text) != arguments.end();
}

TEST(EalArguments, PutEveryThreadOnItsCpuAlsoSharedOnes) {
    const auto arguments = eal_arguments(options_with("", "net_null0"));
    const auto lcores = std::find(arguments.begin(), arguments.end(), "--lcores");
    ASSERT_NE(lcores, arguments.end());
    EXPECT_EQ(*(lcores + 1), "0@1,1@0,2@0,3@3");
}

TEST(EalArguments, LookForPciDevicesOnlyWhenAPortIsOne) {
    EXPECT_TRUE(contains(eal_arguments(options_with("", "net_null0")), "--no-pci"));
    const auto arguments = eal_arguments(options_with("0000:3b:00.0", ""));
    EXPECT_FALSE(contains(arguments, "--no-pci"));
    const auto allow = std::find(arguments.begin(), arguments.end(), "-a");
    ASSERT_NE(allow, arguments.end());
    EXPECT_EQ(*(allow + 1), "0000:3b:00.0");
}

// EAL refuses --no-huge together with --in-memory.
TEST(EalArguments, NeverCombineNoHugeWithInMemory) {
    RuntimeOptions options = options_with("", "net_null0");
    EXPECT_TRUE(contains(eal_arguments(options), "--in-memory"));
    EXPECT_FALSE(contains(eal_arguments(options), "--no-huge"));
    options.hugepages = false;
    EXPECT_FALSE(contains(eal_arguments(options), "--in-memory"));
    EXPECT_TRUE(contains(eal_arguments(options), "--no-huge"));
    EXPECT_TRUE(contains(eal_arguments(options), "--no-shconf"));
}

TEST(EalArguments, EndWithTheOperatorsOwn) {
    RuntimeOptions options = options_with("", "net_null0");
    options.extra_eal_args = {"--force-max-simd-bitwidth=512"};
    EXPECT_EQ(eal_arguments(options).back(), "--force-max-simd-bitwidth=512");
}

TEST(VrrpPeers, KnowsStationsUpToItsLimitAndAllVirtualMacs) {
    VrrpPeers peers;
    std::vector<net::MacAddress> known;
    for (std::uint8_t i = 1; i <= VrrpPeers::kMaxStations + 1; ++i)
        known.push_back({{2, 0, 0, 0, 0, i}});
    known.push_back({{0, 0, 0x5e, 0, 1, 51}});
    known.push_back({{0, 0, 0x5e, 0, 2, 255}});
    peers.set(known);
    EXPECT_TRUE(peers.contains(known[0]));
    EXPECT_TRUE(peers.contains(known[VrrpPeers::kMaxStations - 1]));
    EXPECT_FALSE(peers.contains(known[VrrpPeers::kMaxStations])) << "beyond the limit";
    EXPECT_TRUE(peers.contains({{0, 0, 0x5e, 0, 1, 51}}));
    EXPECT_TRUE(peers.contains({{0, 0, 0x5e, 0, 2, 255}}));
    EXPECT_FALSE(peers.contains({{0, 0, 0x5e, 0, 2, 51}})) << "the other family";
    peers.set({});
    for (const net::MacAddress& mac : known) EXPECT_FALSE(peers.contains(mac));
    EXPECT_FALSE(peers.contains({}));
}

}  // namespace
}  // namespace pollux::dpdk
