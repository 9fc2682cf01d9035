// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one worker core does until it is told to stop: receive a burst, have it processed, send and
// punt by the verdicts, rest when idle. Created by the control thread; run() is the worker's.

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "dataplane/dpdk/burst_processor.h"
#include "dataplane/dpdk/clock.h"
#include "dataplane/dpdk/idle_policy.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/dpdk/port_output.h"
#include "dataplane/dpdk/punt_queue.h"
#include "dataplane/dpdk/relay.h"
#include "dataplane/lb/counter.h"

namespace pollux::dpdk {

// Written by the worker, read by the control thread at any time.
struct alignas(64) WorkerStatus {
    lb::Counter loops, idle_loops, sleeps;
    lb::Counter busy_ticks, total_ticks;
    lb::Counter expired;  // frames of the control core that a stalled port kept too long
    std::array<lb::Counter, lb::kMaxBurst + 1> bursts;  // by number of packets
};

struct ReceiveQueue {
    const PortDevice* port = nullptr;
    std::uint16_t queue = 0;
    lb::PortId id = lb::kNoPort;
};

struct WorkerParts {
    std::vector<ReceiveQueue> receive;  // queues of control traffic first
    std::vector<PortOutput> outputs;    // by PortId
    std::vector<Relay> relays;          // the control core's first
    PuntQueue* punts = nullptr;
    const Clock* clock = nullptr;
    const std::atomic<bool>* stop = nullptr;
    rte_mempool* buffers = nullptr;  // for frames of a task's own making
    IdlePolicy idle{IdleMode::Poll, false};
    std::uint16_t burst = 32;
};

class WorkerLoop {
  public:
    WorkerLoop(WorkerParts parts, const BurstProcessor& processor, WorkerStatus& status)
        : parts_(std::move(parts)), processor_(processor), status_(status) {}

    void run() noexcept;

    // One round over all queues. Returns whether there was anything to do.
    bool poll_once(std::uint64_t ticks) noexcept;

    // Gives up frames of others that a stalled port kept. Control thread, when no worker runs.
    void discard_relayed() noexcept;

  private:
    bool receive(const ReceiveQueue& source, lb::TimePoint now) noexcept;
    void carry_out(lb::Packet& packet) noexcept;
    void give_up(rte_mbuf* frame, const lb::Packet& packet, lb::DropReason reason) noexcept;
    void flush_outputs() noexcept;
    void discard(rte_mbuf* frame) noexcept;
    void sleep(std::uint32_t microseconds) noexcept;

    static constexpr unsigned kDiscardBatch = 64;

    WorkerParts parts_;
    BurstProcessor processor_;
    WorkerStatus& status_;
    std::uint32_t touched_outputs_ = 0;  // bit per port
    unsigned discarded_ = 0;
    std::array<rte_mbuf*, kDiscardBatch> discards_{};
    std::array<lb::Packet, lb::kMaxBurst> packets_;
    lb::ExtraPackets extra_;
};

}  // namespace pollux::dpdk
