// SPDX-License-Identifier: Apache-2.0
// The command behind `pollux check` and `polluxd --check`: arguments and exit status.
#include "control/config/check.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

class Check : public ::testing::Test {
  protected:
    Check() {
        std::string name = std::filesystem::temp_directory_path() / "pollux-check-XXXXXX";
        root_ = ::mkdtemp(name.data());
    }
    ~Check() override { std::filesystem::remove_all(root_); }

    std::string file(const std::string& text) {
        const std::string path = root_ / "pollux.toml";
        std::ofstream(path) << text << kPorts;
        return path;
    }
    int run(std::vector<std::string> args) {
        out_.str("");
        err_.str("");
        return run_check(args, out_, err_);
    }

    std::filesystem::path root_;
    std::ostringstream out_;
    std::ostringstream err_;
};

constexpr const char* kWarning = "[global]\nrouter_id = \"LVS_DEVEL\"\n";

TEST_F(Check, ExitStatusSaysHowItWent) {
    EXPECT_EQ(run({file("")}), 0);
    EXPECT_EQ(run({file(kWarning)}), 0);
    EXPECT_EQ(run({"--strict", file(kWarning)}), 2);
    EXPECT_EQ(run({"--strict", file("")}), 0);
    EXPECT_EQ(run({file("nonsense = 1\n")}), 1);
    EXPECT_EQ(run({"--strict", file("nonsense = 1\n")}), 1);
    EXPECT_EQ(run({(root_ / "none.toml").string()}), 3);
    EXPECT_EQ(run({"--json", (root_ / "none.toml").string()}), 3);
}

TEST_F(Check, GoodFilePrintsTheMemoryEstimate) {
    EXPECT_EQ(run({file("")}), 0);
    EXPECT_NE(out_.str().find("no errors, no warnings in 1 file"), std::string::npos);
    EXPECT_NE(out_.str().find("memory: connections 96M, "), std::string::npos);
}

TEST_F(Check, NodeChoosesElements) {
    const std::string path =
        file("[[mark]]\nmark = 1\nwhen = { node = \"lb01\" }\n[global]\nrouter_id = \"x\"\n");
    EXPECT_EQ(run({"--node", "lb01", path}), 0);
}

TEST_F(Check, MisuseIsExplained) {
    EXPECT_EQ(run({}), 1);
    EXPECT_NE(err_.str().find("usage: check"), std::string::npos);
    EXPECT_EQ(run({"--frob", "x"}), 1);
    EXPECT_NE(err_.str().find("unknown option --frob"), std::string::npos);
    EXPECT_EQ(run({"a", "b"}), 1);
    EXPECT_EQ(run({"--node"}), 1);
}

}  // namespace
}  // namespace pollux::control::testing
