// SPDX-License-Identifier: Apache-2.0
#include "tools/pollux/service_pages.h"

#include <nlohmann/json.hpp>
#include <vector>

#include <gtest/gtest.h>

namespace pollux::cli {
namespace {

// Gives its pages in turn, whatever the cursor, and notes the cursors.
class FakeDaemon {
  public:
    explicit FakeDaemon(std::vector<const char*> pages) {
        for (const char* page : pages) pages_.push_back(Json::parse(page));
    }

    Result<Json> ask_all() {
        return ask_services(
            [this](const std::string& command, const Json& arguments) -> Result<Json> {
                EXPECT_EQ(command, "show services");
                EXPECT_EQ(arguments.value("stats", false), true);
                cursors.push_back(arguments.value("cursor", 0));
                Json page = pages_.at((cursors.size() - 1) % pages_.size());
                if (page.contains("ok")) return page;
                return Json{{"ok", true}, {"data", std::move(page)}};
            },
            "show services", {{"stats", true}});
    }

    std::vector<int> cursors;

  private:
    std::vector<Json> pages_;
};

TEST(ServicePages, AreJoinedToOneAnswer) {
    FakeDaemon daemon({
        R"({"services":[{"address":"a","port":1,"servers":[1]},
                        {"address":"b","port":1,"connections":7,"servers":[2,3]}],
            "deleted_at_runtime":["x"],"next":5,"generation":9})",
        R"({"services":[{"address":"b","port":1,"continued":true,"servers":[4]}],
            "next":6,"generation":9})",
        R"({"services":[{"address":"b","port":1,"continued":true,"servers":[5]},
                        {"address":"c","port":1,"servers":[]}],"next":0,"generation":9})",
    });
    const auto answer = daemon.ask_all();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->at("data"), Json::parse(R"({"services":[
        {"address":"a","port":1,"servers":[1]},
        {"address":"b","port":1,"connections":7,"servers":[2,3,4,5]},
        {"address":"c","port":1,"servers":[]}],
        "deleted_at_runtime":["x"],"generation":9})"));
    EXPECT_EQ(daemon.cursors, (std::vector{0, 5, 6}));
}

// As a daemon without pages answers.
TEST(ServicePages, AnAnswerWithoutNextIsComplete) {
    FakeDaemon daemon({R"({"services":[{"address":"a"}],"deleted_at_runtime":[]})"});
    EXPECT_EQ(daemon.ask_all()->at("data").dump(),
              R"({"services":[{"address":"a"}],"deleted_at_runtime":[]})");
}

TEST(ServicePages, AreReadAnewWhenTheTableChangedInBetween) {
    FakeDaemon daemon({
        R"({"services":[{"address":"a"}],"next":5,"generation":1})",
        R"({"services":[{"address":"b"}],"next":0,"generation":2})",
        R"({"services":[{"address":"c"}],"next":5,"generation":2})",
        R"({"services":[{"address":"d"}],"next":0,"generation":2})",
    });
    const auto answer = daemon.ask_all();
    EXPECT_EQ(answer->at("data").dump(),
              R"({"services":[{"address":"c"},{"address":"d"}],"generation":2})");
    EXPECT_EQ(changed_meanwhile_note(answer->at("data")), "");
    EXPECT_EQ(daemon.cursors, (std::vector{0, 5, 0, 5}));
}

// The pieces of a service that is another one by now are not mixed with it.
TEST(ServicePages, OfATableThatAlwaysChangesTheLastReadingCountsAndSaysSo) {
    FakeDaemon daemon({
        R"({"services":[{"address":"a","servers":[1]}],"next":5,"generation":1})",
        R"({"services":[{"address":"b","continued":true,"servers":[2]}],"next":0,"generation":2})",
    });
    const auto answer = daemon.ask_all();
    EXPECT_EQ(daemon.cursors.size(), 2 * kReadings);
    EXPECT_EQ(answer->at("data").dump(),
              R"({"services":[{"address":"a","servers":[1]},{"address":"b","servers":[2]}],)"
              R"("generation":1,"changed_meanwhile":true})");
    EXPECT_NE(changed_meanwhile_note(answer->at("data")), "");
}

TEST(ServicePages, ARefusalOfAnyPageIsTheAnswer) {
    FakeDaemon daemon({
        R"({"services":[],"next":5,"generation":1})",
        R"({"ok":false,"error":{"message":"no","remedy":""}})",
    });
    EXPECT_EQ(daemon.ask_all()->at("error").at("message"), "no");
}

TEST(ServicePages, ThatDoNotGoOnAreAnError) {
    FakeDaemon daemon({R"({"services":[],"next":5,"generation":1})"});
    EXPECT_FALSE(daemon.ask_all().ok());
}

}  // namespace
}  // namespace pollux::cli
