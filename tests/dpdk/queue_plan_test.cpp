// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/queue_plan.h"

#include <set>

#include <gtest/gtest.h>

namespace pollux::dpdk {
namespace {

using Workers = std::vector<unsigned>;

TEST(QueuePlan, GivesEachWorkerItsQueuesAndControlItsOwn) {
    QueuePlanner planner(3);
    const QueuePlan plan = planner.plan({.rx = 64, .tx = 64});
    EXPECT_EQ(plan.rx_worker, (Workers{0, 1, 2}));
    EXPECT_EQ(plan.tx_queues, 4);
    for (unsigned worker = 0; worker < 3; ++worker) {
        EXPECT_EQ(plan.worker_transmit[worker].queue, worker);
    }
    EXPECT_EQ(plan.control_transmit.queue, 3);
    EXPECT_EQ(plan.control_rx_queue, std::nullopt);
}

TEST(QueuePlan, PollsTheExtraReceiveQueueOfADriverThatWantsEqualNumbers) {
    QueuePlanner planner(2);
    const QueuePlan plan = planner.plan({.rx = 16, .tx = 16, .equal = true});
    EXPECT_EQ(plan.tx_queues, 3);
    EXPECT_EQ(plan.rx_worker, (Workers{0, 1, 0}));
    EXPECT_EQ(plan.control_transmit.queue, 2);
}

TEST(QueuePlan, SpreadsPortsWithOneQueueOverTheWorkers) {
    QueuePlanner planner(2);
    const QueuePlan first = planner.plan({.rx = 1, .tx = 1});
    const QueuePlan second = planner.plan({.rx = 1, .tx = 1});
    EXPECT_EQ(first.rx_worker, Workers{0});
    EXPECT_EQ(second.rx_worker, Workers{1});
    // The worker that receives from the port owns its transmit queue, too.
    EXPECT_EQ(second.worker_transmit[1], (TransmitRoute{0, 1}));
    EXPECT_EQ(second.worker_transmit[0], (TransmitRoute{std::nullopt, 1}));
    EXPECT_EQ(second.control_transmit, (TransmitRoute{std::nullopt, 1}));
}

TEST(QueuePlan, PollsEveryQueueThatTheDriverFills) {
    QueuePlanner planner(2);
    const QueuePlan plan = planner.plan({.rx = 5, .tx = 5, .polls_all_rx = true});
    EXPECT_EQ(plan.rx_worker, (Workers{0, 1, 0, 1, 0}));
    EXPECT_EQ(plan.tx_queues, 3);
}

TEST(QueuePlan, KeepsTheLastReceiveQueueForControlFramesWhereItMay) {
    QueuePlanner planner(2);
    const QueuePlan plan = planner.plan({.rx = 8, .tx = 8, .control_rx = true});
    EXPECT_EQ(plan.rx_worker, (Workers{0, 1, 0}));
    EXPECT_EQ(plan.control_rx_queue, 2);
    EXPECT_EQ(planner.plan({.rx = 2, .tx = 8, .control_rx = true}).control_rx_queue, std::nullopt);
}

// For all sizes: no queue has two owners, every queue is polled, who has no queue has a ring to a
// worker that owns one.
TEST(QueuePlan, GivesEveryQueueExactlyOneOwner) {
    for (unsigned workers = 1; workers <= 5; ++workers) {
        for (std::uint16_t rx = 1; rx <= 7; ++rx) {
            for (std::uint16_t tx = 1; tx <= 7; ++tx) {
                for (const bool equal : {false, true}) {
                    QueuePlanner planner(workers);
                    const QueuePlan plan = planner.plan({.rx = rx, .tx = tx, .equal = equal});
                    SCOPED_TRACE(testing::Message() << workers << " workers, " << rx << " rx, "
                                                    << tx << " tx, equal " << equal);
                    ASSERT_GE(plan.rx_queues(), 1);
                    ASSERT_LE(plan.rx_queues(), rx);
                    ASSERT_GE(plan.tx_queues, 1);
                    ASSERT_LE(plan.tx_queues, tx);
                    if (equal) {
                        EXPECT_EQ(plan.rx_queues(), plan.tx_queues);
                    }
                    std::set<std::uint16_t> owned;
                    std::set<unsigned> owners;
                    for (unsigned worker = 0; worker < workers; ++worker) {
                        const TransmitRoute& route = plan.worker_transmit[worker];
                        if (!route.queue) continue;
                        EXPECT_EQ(route.owner, worker);
                        EXPECT_TRUE(owned.insert(*route.queue).second);
                        owners.insert(worker);
                    }
                    for (const TransmitRoute& route : plan.worker_transmit) {
                        EXPECT_TRUE(owners.contains(route.owner));
                    }
                    if (plan.control_transmit.queue) {
                        EXPECT_TRUE(owned.insert(*plan.control_transmit.queue).second);
                    } else {
                        EXPECT_TRUE(owners.contains(plan.control_transmit.owner));
                    }
                    EXPECT_EQ(owned.size(), plan.tx_queues);
                    for (const unsigned worker : plan.rx_worker) EXPECT_LT(worker, workers);
                }
            }
        }
    }
}

}  // namespace
}  // namespace pollux::dpdk
