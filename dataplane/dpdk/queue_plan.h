// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who polls which receive queue of a port, and through which transmit queue each worker and the
// control core send. Every queue has exactly one owner, so that no queue needs a lock; who owns
// no transmit queue of a port hands its frames to an owner over a ring. Pure; control thread.

#include <cstdint>
#include <optional>
#include <vector>

namespace pollux::dpdk {

struct QueueLimits {
    std::uint16_t rx = 1, tx = 1;  // most that the device offers, >= 1
    bool equal = false;            // demands as many rx as tx queues
    bool polls_all_rx = false;     // every rx queue must be polled, also surplus ones
    bool control_rx = false;       // keep one rx queue aside for the control core's frames
};

// The transmit queue of one sender: its own, or a ring to the worker that owns a queue.
struct TransmitRoute {
    std::optional<std::uint16_t> queue;
    unsigned owner = 0;  // worker; the sender itself when it has its own queue

    bool operator==(const TransmitRoute&) const = default;
};

struct QueuePlan {
    std::uint16_t tx_queues = 0;
    std::vector<unsigned> rx_worker;             // by rx queue
    std::vector<TransmitRoute> worker_transmit;  // by worker
    TransmitRoute control_transmit;
    std::optional<std::uint16_t> control_rx_queue;  // always the last rx queue

    [[nodiscard]] std::uint16_t rx_queues() const {
        return static_cast<std::uint16_t>(rx_worker.size());
    }
};

// Plans port after port and balances: with one queue per port, ports spread over the workers.
class QueuePlanner {
  public:
    explicit QueuePlanner(unsigned workers) : load_(workers, 0) {}  // workers >= 1

    QueuePlan plan(const QueueLimits& limits);

  private:
    unsigned take_least_loaded();

    std::vector<unsigned> load_;  // rx queues by worker
};

}  // namespace pollux::dpdk
