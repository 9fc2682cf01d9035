// SPDX-License-Identifier: Apache-2.0

#include "vrrp/notify_queue.h"

#include <gtest/gtest.h>

namespace pollux::vrrp {
namespace {

const NotifySubject kVi1{false, "VI_1"};
const NotifySubject kVi2{false, "VI_2"};
const NotifySubject kGroup{true, "VG_1"};

NotifyPlan full_plan() {
    NotifyPlan plan;
    plan.on_master = {"/m", "arg"};
    plan.on_backup = {"/b"};
    plan.on_fault = {"/f"};
    plan.on_stop = {"/s"};
    plan.any = {"/n", "x"};
    plan.fence = {"/fence"};
    return plan;
}

NotifyPlan only_any() {
    NotifyPlan plan;
    plan.any = {"/n"};
    return plan;
}

// Runs everything that can run now, one after the other.
std::vector<Argv> drain(NotifyQueue& queue) {
    std::vector<Argv> all;
    while (const auto run = queue.next()) {
        all.push_back(run->argv);
        queue.finished(run->subject);
    }
    return all;
}

// keepalived 2.2.7: notify_* first, then notify with four arguments; STOP with the last priority.
TEST(NotifyQueue, ArgumentsAreKeepaliveds) {
    NotifyQueue queue;
    queue.set_plan(kVi1, full_plan());
    queue.push(kVi1, Notice::Backup, 100);
    EXPECT_EQ(drain(queue),
              (std::vector<Argv>{{"/b"}, {"/n", "x", "INSTANCE", "VI_1", "BACKUP", "100"}}));
    queue.push(kVi1, Notice::Master, 100);
    EXPECT_EQ(drain(queue),
              (std::vector<Argv>{{"/m", "arg"}, {"/n", "x", "INSTANCE", "VI_1", "MASTER", "100"}}));
    queue.push(kVi1, Notice::Fault, 100);
    EXPECT_EQ(drain(queue),
              (std::vector<Argv>{{"/f"}, {"/n", "x", "INSTANCE", "VI_1", "FAULT", "100"}}));
    queue.push(kVi1, Notice::Stop, 100);
    EXPECT_EQ(drain(queue),
              (std::vector<Argv>{{"/s"}, {"/n", "x", "INSTANCE", "VI_1", "STOP", "100"}}));
}

TEST(NotifyQueue, GroupsSaySo) {
    NotifyQueue queue;
    queue.set_plan(kGroup, only_any());
    queue.push(kGroup, Notice::Master, 0);
    EXPECT_EQ(drain(queue), (std::vector<Argv>{{"/n", "GROUP", "VG_1", "MASTER", "0"}}));
}

TEST(NotifyQueue, FifoLinesAreKeepaliveds) {
    EXPECT_EQ(fifo_line(kVi1, Notice::Master, 100), "INSTANCE \"VI_1\" MASTER 100\n");
    EXPECT_EQ(fifo_line(kGroup, Notice::Fault, 0), "GROUP \"VG_1\" FAULT 0\n");
    EXPECT_EQ(fifo_line(kVi1, Notice::MasterRxLowerPriority, 90),
              "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 90\n");
}

TEST(NotifyQueue, OneCommandAtATimePerSubject) {
    NotifyQueue queue;
    queue.set_plan(kVi1, full_plan());
    queue.set_plan(kVi2, full_plan());
    queue.push(kVi1, Notice::Backup, 100);
    queue.push(kVi2, Notice::Master, 90);
    const auto first = queue.next();
    const auto second = queue.next();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->subject, kVi1);
    EXPECT_EQ(second->subject, kVi2);
    EXPECT_FALSE(queue.next());
    queue.finished(kVi2);
    EXPECT_EQ(queue.next()->argv.back(), "90");
    EXPECT_FALSE(queue.next());
}

TEST(NotifyQueue, SupersededStatesAreSkippedAndTheLastIsTold) {
    NotifyQueue queue;
    queue.set_plan(kVi1, only_any());
    queue.push(kVi1, Notice::Backup, 100);
    const auto running = queue.next();  // hangs
    ASSERT_TRUE(running);
    for (int i = 0; i < 50; ++i) {
        queue.push(kVi1, Notice::Master, 100);
        queue.push(kVi1, Notice::Fault, 100);
    }
    queue.finished(kVi1);
    EXPECT_EQ(drain(queue), (std::vector<Argv>{{"/n", "INSTANCE", "VI_1", "FAULT", "100"}}));
    EXPECT_EQ(queue.coalesced(), 99U);
}

TEST(NotifyQueue, ReturnToTheToldStateTellsNothing) {
    NotifyQueue queue;
    queue.set_plan(kVi1, only_any());
    queue.push(kVi1, Notice::Backup, 100);
    EXPECT_EQ(drain(queue).size(), 1U);
    queue.push(kVi1, Notice::Master, 100);
    queue.push(kVi1, Notice::Backup, 100);
    EXPECT_TRUE(drain(queue).empty());
    EXPECT_TRUE(queue.is_idle());
}

TEST(NotifyQueue, StartedEventsAreFinishedWhole) {
    NotifyQueue queue;
    queue.set_plan(kVi1, full_plan());
    queue.push(kVi1, Notice::Backup, 100);
    EXPECT_EQ(queue.next()->argv, Argv{"/b"});
    queue.push(kVi1, Notice::Master, 100);
    queue.finished(kVi1);
    EXPECT_EQ(queue.next()->argv[4], "BACKUP");
    queue.finished(kVi1);
    EXPECT_EQ(queue.next()->argv, (Argv{"/m", "arg"}));
}

// A node that is no longer master must not shoot its peer.
TEST(NotifyQueue, FenceIsDroppedWhenTheStateChanges) {
    NotifyQueue queue;
    queue.set_plan(kVi1, full_plan());
    queue.push(kVi1, Notice::Master, 100);
    queue.push(kVi1, Notice::MasterRxLowerPriority, 100);
    queue.push(kVi1, Notice::Backup, 100);
    for (const Argv& argv : drain(queue)) EXPECT_NE(argv.front(), "/fence");
    queue.push(kVi1, Notice::Master, 100);
    queue.push(kVi1, Notice::MasterRxLowerPriority, 100);
    EXPECT_EQ(drain(queue).back(),
              (Argv{"/fence", "INSTANCE", "VI_1", "MASTER_RX_LOWER_PRI", "100"}));
}

TEST(NotifyQueue, FlushStartsWhatIsLeftWithoutWaiting) {
    NotifyQueue queue;
    queue.set_plan(kVi1, full_plan());
    queue.push(kVi1, Notice::Master, 100);
    EXPECT_EQ(queue.next()->argv, (Argv{"/m", "arg"}));  // still runs
    queue.push(kVi1, Notice::MasterRxLowerPriority, 100);
    queue.push(kVi1, Notice::Stop, 100);
    std::vector<Argv> left;
    for (const NotifyRun& run : queue.flush()) left.push_back(run.argv);
    EXPECT_EQ(left, (std::vector<Argv>{{"/n", "x", "INSTANCE", "VI_1", "MASTER", "100"},
                                       {"/s"},
                                       {"/n", "x", "INSTANCE", "VI_1", "STOP", "100"}}));
    EXPECT_TRUE(queue.flush().empty());
}

TEST(NotifyQueue, RetiredSubjectRunsWhatIsQueuedAndIsForgotten) {
    NotifyQueue queue;
    queue.set_plan(kVi1, only_any());
    queue.push(kVi1, Notice::Stop, 100);
    queue.retire(kVi1);
    EXPECT_EQ(drain(queue).size(), 1U);
    queue.push(kVi1, Notice::Master, 100);
    EXPECT_TRUE(drain(queue).empty());
}

TEST(NotifyQueue, SubjectsWithoutAPlanAreIgnored) {
    NotifyQueue queue;
    queue.push(kVi1, Notice::Master, 100);
    EXPECT_FALSE(queue.next());
    EXPECT_TRUE(queue.is_idle());
}

}  // namespace
}  // namespace pollux::vrrp
