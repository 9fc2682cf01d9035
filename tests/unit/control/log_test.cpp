// SPDX-License-Identifier: Apache-2.0
#include "control/log/log.h"

#include <gtest/gtest.h>

namespace pollux::control::log {
namespace {

TEST(Log, PlainValuesStayBareAndOthersAreQuoted) {
    struct Case {
        const char* value;
        const char* quoted;
    };
    const Case cases[] = {
        {"plain-1.2:3/4", "plain-1.2:3/4"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"hi\"", "\"say \\\"hi\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"line\nbreak\r\t", "\"line\\nbreak\\r\\t\""},
        {"\x1b[31mred", "\"\\x1b[31mred\""},
        {"\x7f", "\"\\x7f\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xc2\x9b"
         "31m",
         "\"\\xc2\\x9b31m\""},                    // C1 control: CSI
        {"\xc0\xaf", "\"\\xc0\\xaf\""},           // overlong
        {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},  // surrogate
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"\xf5\x80\x80\x80", "\"\\xf5\\x80\\x80\\x80\""},
        {"\xe2\x82", "\"\\xe2\\x82\""},  // cut off
    };
    for (const Case& test : cases) EXPECT_EQ(quote(test.value), test.quoted);
}

TEST(Log, AHostileNameCannotForgeALine) {
    EXPECT_EQ(format_logfmt(Level::Info, "state changed", {{"name", "x\nlevel=error event=fake"}}),
              "level=info event=\"state changed\" name=\"x\\nlevel=error event=fake\"");
}

TEST(Log, JsonEscapesToAscii) {
    EXPECT_EQ(format_json("T", Level::Warning, "e", {{"count", 3}, {"name", "\x1b\xff\n"}}),
              "{\"time\":\"T\",\"level\":\"warning\",\"event\":\"e\",\"count\":\"3\","
              "\"name\":\"\\u001b\\ufffd\\n\"}");
}

}  // namespace
}  // namespace pollux::control::log
