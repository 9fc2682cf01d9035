// SPDX-License-Identifier: Apache-2.0
// How many snapshots changes cost, and where they are built.

#include "control/director/publisher.h"

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLarge = Publisher::kServersInLoop + 1;

std::unique_ptr<lb::DataPlane> small_plane() {
    lb::DataPlaneLimits limits;
    limits.max_connections = 1024;
    limits.max_templates = 1024;
    limits.max_services = 16;
    limits.max_servers = 16;
    limits.hugepages = false;
    auto plane = lb::DataPlane::create(limits);
    return plane ? std::move(plane).value() : nullptr;
}

class PublisherTest : public ::testing::Test {
  protected:
    // Snapshots of `servers` servers, as far as the publisher is concerned; they wait for `gate_`.
    Publisher::Gathered gather(std::size_t servers) {
        ++gathered_;
        return {[this] {
                    while (!gate_.load()) std::this_thread::yield();
                    built_by_ = std::this_thread::get_id();
                    return lb::DataPlaneSpec{};
                },
                servers};
    }
    Publisher::Hooks hooks() {
        // Each look at the clock finds a second gone: no pause between snapshots.
        return {[this] { return gather(servers_); }, [this] { return now_ += 1s; },
                [this](const Publisher::SharedSpec&) { ++applied_; }};
    }
    template <typename Condition>
    void run_until(Condition condition) {
        while (!condition()) {
            loop_.run_ready();
            std::this_thread::yield();
        }
    }

    EventLoop loop_;
    std::unique_ptr<lb::DataPlane> plane_ = small_plane();
    lb::TimePoint now_{1h};
    std::size_t servers_ = 1;
    std::atomic<bool> gate_ = true;
    std::thread::id built_by_;
    int gathered_ = 0;
    int applied_ = 0;
    Publisher publisher_{loop_, *plane_, hooks()};
};

TEST_F(PublisherTest, AThousandDeathsInATurnAreOneSnapshot) {
    loop_.post([this] {
        for (int i = 0; i < 1000; ++i) publisher_.request();
    });
    run_until([this] { return applied_ == 1; });
    for (int i = 0; i < 10; ++i) loop_.run_ready();
    EXPECT_EQ(applied_, 1);
    EXPECT_EQ(built_by_, std::this_thread::get_id());
}

TEST_F(PublisherTest, ALargeTableIsBuiltBesideTheLoop) {
    servers_ = kLarge;
    publisher_.request();
    run_until([this] { return applied_ == 1; });
    EXPECT_NE(built_by_, std::this_thread::get_id());
}

TEST_F(PublisherTest, AThousandDeathsWhileOneIsBuiltAreOneMore) {
    servers_ = kLarge;
    gate_ = false;
    publisher_.request();
    run_until([this] { return gathered_ == 1; });
    for (int i = 0; i < 1000; ++i) {
        publisher_.request();
        loop_.run_ready();
    }
    EXPECT_EQ(applied_, 0);
    gate_ = true;
    run_until([this] { return applied_ == 2; });
    for (int i = 0; i < 10; ++i) loop_.run_ready();
    EXPECT_EQ(applied_, 2);
    EXPECT_EQ(gathered_, 2);
}

// What is gathered before another snapshot is out would bring its changes back.
TEST_F(PublisherTest, AReloadGathersWhenItsTurnComes) {
    servers_ = kLarge;
    gate_ = false;
    publisher_.request();
    run_until([this] { return gathered_ == 1; });
    bool done = false;
    publisher_.publish([this] { return gather(kLarge); },
                       [&done](const Status& status) { done = status.ok(); });
    EXPECT_EQ(gathered_, 1);
    gate_ = true;
    run_until([&done] { return done; });
    EXPECT_EQ(gathered_, 2);
    EXPECT_EQ(applied_, 2);
}

TEST_F(PublisherTest, WhoCannotWaitFindsTheOthersDone) {
    bool done = false;
    publisher_.publish([this] { return gather(kLarge); },
                       [&done](const Status& status) { done = status.ok(); });
    ASSERT_TRUE(publisher_.publish_now());
    EXPECT_TRUE(done);
    EXPECT_EQ(applied_, 2);
}

TEST_F(PublisherTest, ARefusalIsToldAndChangesNothing) {
    lb::DataPlaneSpec twice;
    twice.services.resize(2);
    const std::uint64_t before = plane_->generation();
    std::string message;
    publisher_.publish(
        [&] {
            return Publisher::Gathered{[&] { return twice; }, kLarge};
        },
        [&](const Status& status) { message = status ? "" : "refused"; });
    run_until([&] { return !message.empty(); });
    EXPECT_EQ(message, "refused");
    EXPECT_EQ(plane_->generation(), before);
    EXPECT_EQ(applied_, 0);
    EXPECT_TRUE(publisher_.publish_now());
}

}  // namespace
}  // namespace pollux::control
