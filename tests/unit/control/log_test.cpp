// SPDX-License-Identifier: Apache-2.0
#include "control/log/log.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

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

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A log file in a folder of its own while it lives.
class LogFile {
  public:
    LogFile() {
        std::string pattern = testing::TempDir() + "pollux-log-XXXXXX";
        folder_ = mkdtemp(pattern.data());
        Options options;
        options.target = Target::File;
        options.file = path();
        started_ = start(options).ok();
    }
    ~LogFile() {
        if (!start({}).ok()) ADD_FAILURE() << "no log on stderr";
        std::filesystem::remove_all(folder_);
    }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    [[nodiscard]] bool started() const { return started_; }
    [[nodiscard]] std::string path() const { return folder_ + "/p.log"; }

  private:
    std::string folder_;
    bool started_ = false;
};

TEST(Log, ARenamedFileIsLeftAtReopen) {
    const LogFile file;
    ASSERT_TRUE(file.started());
    set_level(Level::Warning);
    warning("first");
    std::filesystem::rename(file.path(), file.path() + ".1");
    warning("second");
    ASSERT_TRUE(reopen().ok());
    warning("third");
    info("below the level that was set");
    EXPECT_NE(text_of(file.path() + ".1").find("event=second"), std::string::npos);
    EXPECT_NE(text_of(file.path()).find("event=third"), std::string::npos);
    EXPECT_EQ(text_of(file.path()).find("level=info"), std::string::npos);
}

TEST(Log, AFileThatCannotBeReopenedGoesOn) {
    const LogFile file;
    ASSERT_TRUE(file.started());
    std::filesystem::rename(file.path(), file.path() + ".1");
    std::filesystem::create_directory(file.path());
    EXPECT_FALSE(reopen().ok());
    warning("second");
    EXPECT_NE(text_of(file.path() + ".1").find("event=second"), std::string::npos);
}

}  // namespace
}  // namespace pollux::control::log
