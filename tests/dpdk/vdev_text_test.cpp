// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/vdev_text.h"

#include <gtest/gtest.h>

namespace pollux::dpdk {
namespace {

TEST(VdevText, SplitsNameDriverAndArguments) {
    const auto vdev = parse_vdev("net_af_packet12,iface=eth0,qpairs=2,qdisc_bypass=1");
    ASSERT_TRUE(vdev);
    EXPECT_EQ(vdev->name, "net_af_packet12");
    EXPECT_EQ(vdev->driver, "net_af_packet");
    EXPECT_EQ(vdev->arguments, "iface=eth0,qpairs=2,qdisc_bypass=1");
    EXPECT_EQ(vdev->find("qpairs"), "2");
    EXPECT_EQ(vdev->find("framesz"), std::nullopt);
}

TEST(VdevText, NeedsNoArguments) {
    const auto vdev = parse_vdev("net_ring0");
    ASSERT_TRUE(vdev);
    EXPECT_EQ(vdev->arguments, "");
}

TEST(VdevText, KeepsArgumentsOfDriversThatItDoesNotKnow) {
    const auto vdev = parse_vdev("net_bonding0,mode=1,slave=0000:01:00.0");
    ASSERT_TRUE(vdev);
    EXPECT_EQ(vdev->find("slave"), "0000:01:00.0");
}

TEST(VdevText, TakesFlagsWithoutValue) {
    const auto vdev = parse_vdev("net_tap0,iface=t0,persist");
    ASSERT_TRUE(vdev);
    EXPECT_EQ(vdev->find("persist"), "");
}

struct Bad {
    const char* text;
    const char* message;
};

class BadVdev : public testing::TestWithParam<Bad> {};

TEST_P(BadVdev, IsRefusedWithItsReason) {
    const auto vdev = parse_vdev(GetParam().text);
    ASSERT_FALSE(vdev) << GetParam().text;
    EXPECT_NE(vdev.error().message.find(GetParam().message), std::string::npos)
        << vdev.error().message;
    EXPECT_FALSE(vdev.error().remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(Texts, BadVdev,
                         testing::Values(Bad{"", "is empty"}, Bad{",iface=x", "is empty"},
                                         Bad{"net_tap,iface=x", "lacks its number"},
                                         Bad{"tap0", "is not a network driver"},
                                         Bad{"crypto_null0", "is not a network driver"},
                                         Bad{"net_tap 0", "not allowed"},
                                         Bad{"net_tap0,ifac=x", "no argument 'ifac'"},
                                         Bad{"net_tap0,iface=x,", "empty argument"},
                                         Bad{"net_tap0,,iface=x", "empty argument"},
                                         Bad{"net_tap0,=x", "empty argument"},
                                         Bad{"net_tap0,iface=x,iface=y", "twice"}));

}  // namespace
}  // namespace pollux::dpdk
