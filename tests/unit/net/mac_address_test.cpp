// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/mac_address.h"

#include <gtest/gtest.h>

namespace pollux::net {
namespace {

TEST(MacAddress, ParsesSixOctetsInAnyLetterCase) {
    const MacAddress expected{{0x02, 0x00, 0x5e, 0x10, 0xab, 0xcd}};
    EXPECT_EQ(MacAddress::parse("02:00:5e:10:ab:cd"), expected);
    EXPECT_EQ(MacAddress::parse("02:00:5E:10:AB:cD"), expected);
}

TEST(MacAddress, RefusesEverythingElse) {
    for (const char* text :
         {"", "02:00:5e:10:ab", "02:00:5e:10:ab:cd:ef", "02-00-5e-10-ab-cd", "2:0:5e:10:ab:cd",
          "02:00:5e:10:ab:cg", "02:00:5e:10:ab:c", "0200.5e10.abcd", "02:00:5e:10:ab:+d",
          " 2:00:5e:10:ab:cd", "02:00:5e:10:ab:cd "}) {
        EXPECT_EQ(MacAddress::parse(text), std::nullopt) << text;
    }
}

TEST(MacAddress, PrintsLowerCaseWithLeadingZeros) {
    EXPECT_EQ((MacAddress{{0x02, 0x00, 0x5e, 0x10, 0xab, 0x0d}}).to_string(), "02:00:5e:10:ab:0d");
    EXPECT_EQ(MacAddress{}.to_string(), "00:00:00:00:00:00");
}

TEST(MacAddress, BroadcastAndGroupAddressesAreMulticast) {
    EXPECT_TRUE(MacAddress::broadcast().is_multicast());
    EXPECT_TRUE((MacAddress{{0x01, 0x00, 0x5e, 0, 0, 0x12}}).is_multicast());
    EXPECT_TRUE((MacAddress{{0x33, 0x33, 0, 0, 0, 0x12}}).is_multicast());
    EXPECT_FALSE((MacAddress{{0x02, 0x00, 0x5e, 0, 0, 0x12}}).is_multicast());
    EXPECT_FALSE(MacAddress{}.is_multicast());
}

TEST(MacAddress, OnlyAllZeroIsZero) {
    EXPECT_TRUE(MacAddress{}.is_zero());
    EXPECT_FALSE((MacAddress{{0, 0, 0, 0, 0, 1}}).is_zero());
}

}  // namespace
}  // namespace pollux::net
