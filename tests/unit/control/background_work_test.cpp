// SPDX-License-Identifier: Apache-2.0
#include "control/loop/background_work.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace pollux::control {
namespace {

// Runs the loop until `pieces` are done.
void run_until_idle(EventLoop& loop, const BackgroundWork& work) {
    while (work.pending() > 0) {
        loop.run_ready();
        std::this_thread::yield();
    }
}

TEST(BackgroundWork, RunsElsewhereAndCallsBackFromTheLoop) {
    EventLoop loop;
    BackgroundWork background(loop);
    const auto control = std::this_thread::get_id();
    std::thread::id worked, called;
    background.start([&] { worked = std::this_thread::get_id(); },
                     [&] { called = std::this_thread::get_id(); });
    EXPECT_EQ(called, std::thread::id());
    run_until_idle(loop, background);
    EXPECT_NE(worked, control);
    EXPECT_EQ(called, control);
}

TEST(BackgroundWork, PiecesRunOneAfterTheOther) {
    EventLoop loop;
    BackgroundWork background(loop);
    std::string worked;  // by one piece at a time
    std::string called;
    for (const char name : {'a', 'b', 'c'}) {
        background.start([&worked, name] { worked += name; }, [&called, name] { called += name; });
    }
    EXPECT_EQ(background.pending(), 3U);
    run_until_idle(loop, background);
    EXPECT_EQ(worked, "abc");
    EXPECT_EQ(called, "abc");
}

TEST(BackgroundWork, APieceMayStartTheNext) {
    EventLoop loop;
    BackgroundWork background(loop);
    bool second = false;
    background.start([] {}, [&] { background.start([] {}, [&] { second = true; }); });
    run_until_idle(loop, background);
    EXPECT_TRUE(second);
}

// Tells the thread that its destructor ran on.
struct Tracked {
    explicit Tracked(std::thread::id& where) : freed_by(&where) {}
    Tracked(const Tracked&) = delete;
    Tracked& operator=(const Tracked&) = delete;
    ~Tracked() { *freed_by = std::this_thread::get_id(); }
    std::thread::id* freed_by;
};

TEST(BackgroundWork, FreesThereWhatThePieceAloneHolds) {
    EventLoop loop;
    BackgroundWork background(loop);
    std::thread::id freed_by;
    auto large = std::make_shared<Tracked>(freed_by);
    background.start([dead = std::move(large)] {}, {});
    run_until_idle(loop, background);
    EXPECT_NE(freed_by, std::thread::id());
    EXPECT_NE(freed_by, std::this_thread::get_id());
}

TEST(BackgroundWork, DestructionWaitsAndNothingCallsBack) {
    EventLoop loop;
    std::atomic<bool> worked = false;
    bool called = false;
    {
        BackgroundWork background(loop);
        background.start(
            [&] {
                std::this_thread::yield();
                worked.store(true, std::memory_order_relaxed);
            },
            [&] { called = true; });
    }
    EXPECT_TRUE(worked.load(std::memory_order_relaxed));
    loop.run_ready();
    EXPECT_FALSE(called);
}

}  // namespace
}  // namespace pollux::control
