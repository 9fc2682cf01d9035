// SPDX-License-Identifier: Apache-2.0
#include "control/config/values.h"

#include <gtest/gtest.h>

#include "control/config/suggest.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

TEST(Values, DurationsNeedANumberAndAUnit) {
    EXPECT_EQ(parse_duration("200ms"), 200ms);
    EXPECT_EQ(parse_duration("1.5s"), 1500ms);
    EXPECT_EQ(parse_duration("0s"), 0s);
    EXPECT_EQ(parse_duration("24h"), 86400s);
    EXPECT_EQ(parse_duration("2d"), 172800s);
    EXPECT_EQ(parse_duration("5m"), 300s);
    EXPECT_EQ(parse_duration("100us"), 100us);
    EXPECT_EQ(parse_duration("0.000001s"), 1us);
    EXPECT_EQ(parse_duration("0.1h"), 360s);
    for (const char* wrong : {"", "s", "1", "1.s", "1..5s", "-1s", " 1s", "1 s", "1sec", "1S",
                              "99999999d", "1.5ns", "+1s", "0x1s", "1e3s"}) {
        EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
    }
}

TEST(Values, DurationsAreWrittenInTheLargestExactUnit) {
    EXPECT_EQ(format_duration(1500ms), "1500ms");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(300s), "300s");
    EXPECT_EQ(format_duration(3600s), "1h");
    EXPECT_EQ(format_duration(0s), "0s");
    EXPECT_EQ(format_duration(7us), "7us");
}

TEST(Values, SizesNeedAUnit) {
    EXPECT_EQ(parse_size("2G"), 2147483648U);
    EXPECT_EQ(parse_size("256M"), 268435456U);
    EXPECT_EQ(parse_size("4K"), 4096U);
    for (const char* wrong : {"", "G", "256", "1.5G", "256MB", "99999999T"}) {
        EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
    }
    EXPECT_EQ(format_size(268435456), "256M");
    EXPECT_EQ(format_size(1610612736), "1.5G");
}

TEST(Values, RangesRise) {
    EXPECT_EQ(parse_range("80"), (NumberRange{80, 80}));
    EXPECT_EQ(parse_range("1024-65535"), (NumberRange{1024, 65535}));
    for (const char* wrong : {"", "-", "2-1", "1-65536", "1-2-3", "a"}) {
        EXPECT_EQ(parse_range(wrong), std::nullopt) << wrong;
    }
}

TEST(Values, CpuListsKeepTheirOrder) {
    EXPECT_EQ(parse_cpus("2-4,1"), (std::vector<unsigned>{2, 3, 4, 1}));
    for (const char* wrong : {"", ",", "1,", "4-2", "1024", "a"}) {
        EXPECT_EQ(parse_cpus(wrong), std::nullopt) << wrong;
    }
}

TEST(Values, HostAndPort) {
    const auto parsed = [](std::string_view text) {
        const auto result = parse_host_port(text);
        return result ? result->host + " " + std::to_string(result->port) : "none";
    };
    EXPECT_EQ(parsed("smtp.example.com:587"), "smtp.example.com 587");
    EXPECT_EQ(parsed("127.0.0.1"), "127.0.0.1 0");
    EXPECT_EQ(parsed("[2001:db8::1]:25"), "2001:db8::1 25");
    EXPECT_EQ(parsed("2001:db8::1"), "2001:db8::1 0");
    for (const char* wrong : {"", ":25", "host:", "host:0", "host:65536", "[::1", "[::1]25"}) {
        EXPECT_EQ(parsed(wrong), "none") << wrong;
    }
}

TEST(Values, NetmasksAreContiguous) {
    EXPECT_EQ(parse_netmask("255.255.255.0"), 24);
    EXPECT_EQ(parse_netmask("255.255.255.255"), 32);
    EXPECT_EQ(parse_netmask("255.0.255.0"), std::nullopt);
    EXPECT_EQ(parse_netmask("24"), std::nullopt);
}

TEST(Values, ControlCharactersAreEscaped) {
    EXPECT_EQ(escaped("plain"), "plain");
    EXPECT_EQ(escaped("a\x1b[31mb"), "a\\x1b[31mb");
    EXPECT_EQ(escaped("\x7f"), "\\x7f");
    EXPECT_EQ(escaped("\xff"), "\\xff");
    EXPECT_EQ(escaped("\xc2\x9b"), "\\xc2\\x9b");           // C1 control
    EXPECT_EQ(escaped("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
    EXPECT_EQ(escaped("\xe4\xb8\xad"), "\xe4\xb8\xad");     // a Chinese character
    EXPECT_EQ(escaped("\xc0\x80"), "\\xc0\\x80");           // overlong
    EXPECT_TRUE(has_control_character("a\nb"));
    EXPECT_FALSE(has_control_character("\xe4\xb8\xad"));
}

TEST(Suggestions, CountInsertionsDeletionsChangesAndSwaps) {
    EXPECT_EQ(edit_distance("noreempt", "nopreempt", 3), 1U);
    EXPECT_EQ(edit_distance("MSIC_CHECK", "MISC_CHECK", 3), 1U);
    EXPECT_EQ(edit_distance("SMTP_CHEKC", "SMTP_CHECK", 3), 1U);
    EXPECT_EQ(edit_distance("lbrcr", "lblcr", 3), 1U);
    EXPECT_EQ(edit_distance("dr", "DR", 3), 0U);
    EXPECT_EQ(edit_distance("kitten", "sitting", 5), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting", 2), 3U);  // limit + 1
}

TEST(Suggestions, AreNearOrNotMade) {
    constexpr std::string_view kWords[] = {"nopreempt", "priority", "mtu", "dev"};
    EXPECT_EQ(nearest("noreempt", kWords), "nopreempt");
    EXPECT_EQ(nearest("prio", kWords), "");
    EXPECT_EQ(nearest("xyz", kWords), "");
    EXPECT_EQ(nearest("mtx", kWords), "mtu");
    EXPECT_EQ(nearest(std::string(10000, 'a'), kWords), "");
}

}  // namespace
}  // namespace pollux::control
