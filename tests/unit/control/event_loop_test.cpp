// SPDX-License-Identifier: Apache-2.0
// The order of callbacks when several are ready.

#include "control/loop/event_loop.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

TEST(UrgentTimer, FiresBeforeCallbacksThatWaitAlready) {
    EventLoop loop;
    std::string order;
    UrgentTimer urgent(loop, [&] { order += 'u'; });
    loop.post([&] {
        order += 'a';
        urgent.start_once(0ns);
    });
    loop.post([&] { order += 'b'; });
    loop.post([&] { order += 'c'; });
    loop.run_ready();
    EXPECT_EQ(order, "aubc");
}

TEST(UrgentTimer, FiresOnceAndNotAfterCancel) {
    EventLoop loop;
    int fired = 0;
    UrgentTimer urgent(loop, [&] { ++fired; });
    urgent.start_once(0ns);
    for (int i = 0; i < 3; ++i) loop.run_ready();
    EXPECT_EQ(fired, 1);
    urgent.start_once(0ns);
    urgent.cancel();
    loop.post([] {});
    loop.run_ready();
    EXPECT_EQ(fired, 1);
}

TEST(UrgentTimer, MayStartItselfAndOthersAndDestroyItself) {
    EventLoop loop;
    std::string order;
    std::unique_ptr<UrgentTimer> first, second;
    second = std::make_unique<UrgentTimer>(loop, [&] { order += '2'; });
    first = std::make_unique<UrgentTimer>(loop, [&] {
        order += '1';
        second->start_once(0ns);
        first.reset();
    });
    first->start_once(0ns);
    for (int i = 0; i < 3; ++i) loop.run_ready();
    EXPECT_EQ(order, "12");
}

}  // namespace
}  // namespace pollux::control
