// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/queue_plan.h"

#include <algorithm>

namespace pollux::dpdk {
namespace {

// Workers in the order in which they get a transmit queue of a port that has too few: first those
// that receive from it, as their replies and forwarded frames need no ring then.
std::vector<unsigned> owners_in_order(const std::vector<unsigned>& rx_worker, unsigned workers) {
    std::vector<unsigned> order;
    const auto add = [&order](unsigned worker) {
        if (std::find(order.begin(), order.end(), worker) == order.end()) order.push_back(worker);
    };
    for (const unsigned worker : rx_worker) add(worker);
    for (unsigned worker = 0; worker < workers; ++worker) add(worker);
    return order;
}

void plan_transmit(QueuePlan& plan, unsigned workers) {
    plan.worker_transmit.resize(workers);
    if (plan.tx_queues > workers) {
        for (unsigned worker = 0; worker < workers; ++worker) {
            plan.worker_transmit[worker] = {static_cast<std::uint16_t>(worker), worker};
        }
        plan.control_transmit = {static_cast<std::uint16_t>(workers), 0};
        return;
    }
    const std::vector<unsigned> owners = owners_in_order(plan.rx_worker, workers);
    for (unsigned i = 0; i < workers; ++i) {
        const unsigned worker = owners[i];
        if (i < plan.tx_queues) {
            plan.worker_transmit[worker] = {static_cast<std::uint16_t>(i), worker};
        } else {
            plan.worker_transmit[worker] = {std::nullopt, owners[i % plan.tx_queues]};
        }
    }
    plan.control_transmit = {std::nullopt, owners.front()};
}

}  // namespace

QueuePlan QueuePlanner::plan(const QueueLimits& limits) {
    const auto workers = static_cast<unsigned>(load_.size());
    const unsigned wanted_tx = workers + 1;  // the last one is the control core's
    unsigned rx = std::min<unsigned>(limits.rx, workers);
    unsigned tx = std::min<unsigned>(limits.tx, wanted_tx);
    if (limits.equal) rx = tx = std::min<unsigned>(limits.rx, tx);
    if (limits.polls_all_rx) rx = limits.rx;
    const bool control_rx = limits.control_rx && !limits.equal && limits.rx > rx;

    QueuePlan plan;
    plan.tx_queues = static_cast<std::uint16_t>(tx);
    for (unsigned queue = 0; queue < rx; ++queue) {
        if (rx >= workers && queue < workers) {
            ++load_[queue];
            plan.rx_worker.push_back(queue);
        } else {
            plan.rx_worker.push_back(take_least_loaded());
        }
    }
    if (control_rx) {
        plan.control_rx_queue = static_cast<std::uint16_t>(rx);
        plan.rx_worker.push_back(take_least_loaded());
    }
    plan_transmit(plan, workers);
    return plan;
}

unsigned QueuePlanner::take_least_loaded() {
    const auto least = std::min_element(load_.begin(), load_.end());
    ++*least;
    return static_cast<unsigned>(least - load_.begin());
}

}  // namespace pollux::dpdk
