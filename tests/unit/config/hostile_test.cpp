// SPDX-License-Identifier: Apache-2.0
// Input made to break the loader: an error in bounded time and memory, never a crash.
#include <cstdio>
#include <random>

#include <gtest/gtest.h>

#include "control/config/render.h"
#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

std::string repeated(const std::string& text, std::size_t count) {
    std::string result;
    result.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i) result += text;
    return result;
}

std::string only_code(const std::string& toml) {
    const auto found = judge_alone(toml);
    return found.empty() ? "" : found.front().substr(0, 5);
}

TEST(Hostile, DeepNestingIsAnError) {
    EXPECT_EQ(only_code("a = " + repeated("[", 1000) + repeated("]", 1000)), "E0101");
    EXPECT_EQ(only_code("a = " + repeated("{ a = ", 1000)), "E0101");
    EXPECT_EQ(only_code("[" + repeated("a.", 1000) + "a]"), "E0101");
    EXPECT_EQ(only_code(repeated("a.", 5'000'000) + "a = 1"), "E0101");
    EXPECT_EQ(only_code("a = { " + repeated("\"b\" . ", 1000) + "c = 1 }"), "E0101");
}

TEST(Hostile, DotsAndBracketsInStringsAndCommentsDoNotCount) {
    const std::string dots(1000, '.');
    const std::string brackets(1000, '[');
    EXPECT_EQ(
        judge("# " + dots + brackets + "\n[global]\nrouter_id = \"lb01\" # " + brackets + "\n"),
        std::vector<std::string>{});
    EXPECT_EQ(only_code("[global]\nrouter_id = '" + dots + "'\n" + std::string(kPorts)), "E0104");
    EXPECT_EQ(only_code("[global]\nrouter_id = \"\"\"" + dots + "\n[" + brackets + "\"\"\"\n" +
                        std::string(kPorts)),
              "E0117");
}

TEST(Hostile, TenMegabytesOfUnknownKeysAreTwentyErrors) {
    std::string text = "[log]\n";
    for (int i = 0; text.size() < 10'000'000; ++i) {
        text += "unknown_key_" + std::to_string(i) + " = \"0123456789\"\n";
    }
    const LoadResult result = load_config_text(text, "big.toml");
    EXPECT_GT(result.errors, 100'000U);
    EXPECT_EQ(result.diagnostics.size(), 20U);
    EXPECT_LT(render_all(result).size(), 20'000U);
}

TEST(Hostile, TenMegabytesInOneLineOrString) {
    EXPECT_EQ(only_code("[log]\nlevel = \"" + std::string(10'000'000, 'x') + "\"\n" +
                        std::string(kPorts)),
              "E0106");
    EXPECT_EQ(only_code(std::string(10'000'000, 'x')), "E0101");
    EXPECT_EQ(only_code(std::string(1'000'000, '\0')), "E0101");
    EXPECT_EQ(only_code(repeated("[[mark]]\n", 200'000)), "E0109");
}

TEST(Hostile, InvalidUtf8IsAnError) {
    EXPECT_EQ(only_code("a = \"\xff\xfe\"\n"), "E0101");
    EXPECT_EQ(only_code("\xef\xbb\xbf\xff"), "E0101");
}

TEST(Hostile, MessagesNeverHoldControlCharacters) {
    const std::vector<std::string> texts = {
        "\"a\\u001b]0;x\\u0007\" = 1\n",
        "[[vrrp_script]]\nname = \"a\\u001b[2J\"\n",
        "[log]\nlevel = \"\\u0000\\u009b\\u202e\"\n",
        "a = \"\x1b\n",
        "# \x1b[31m\n[log]\nx\x1b = 1\n",
    };
    for (const std::string& text : texts) {
        const std::string shown = render_all(load_config_text(text, "x\x1b.toml"));
        for (const char c : shown) {
            EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << shown;
        }
        EXPECT_EQ(shown.find("\xc2\x9b"), std::string::npos);
        EXPECT_EQ(shown.find("\xe2\x80\xae"), std::string::npos);
    }
}

// Every prefix of a good file, and the file with single bytes changed: an answer each time.
TEST(Hostile, TruncationsAndChangedBytesAreSurvived) {
    const std::string text =
        "[global]\nrouter_id = \"lb01\"\n[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"wan\"\n"
        "virtual_router_id = 51\nwhen = { node = \"lb01\" }\n"
        "virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n" +
        std::string(kPorts);
    for (std::size_t length = 0; length <= text.size(); ++length) {
        judge_alone(std::string_view(text).substr(0, length));
    }
    constexpr unsigned kSeed = 20240607;
    std::mt19937 random(kSeed);
    for (int i = 0; i < 3000; ++i) {
        std::string changed = text;
        changed[random() % changed.size()] = static_cast<char>(random());
        judge_alone(changed);
    }
}

}  // namespace
}  // namespace pollux::control::testing
