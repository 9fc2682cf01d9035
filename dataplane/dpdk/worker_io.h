// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerIo: a worker thread's ports for a task that does not only answer what it receives, a
// traffic generator for instance: bursts in and out of its own queues, fresh buffers, the clock.
// Runtime::launch_tasks hands it to the task. All functions are that worker thread's.

#include <span>

#include "dataplane/lb/packet.h"
#include "dataplane/lb/time.h"

namespace pollux::dpdk {

struct WorkerParts;

class WorkerIo {
  public:
    explicit WorkerIo(WorkerParts& parts) noexcept : parts_(parts) {}

    // Runtime::stop_workers wants the task to end.
    [[nodiscard]] bool stopping() const noexcept;
    [[nodiscard]] lb::TimePoint now() const noexcept;

    // Fills `out` (at most lb::kMaxBurst are taken at once) from the worker's receive queues of the
    // port and returns how many; the caller releases or transmits them.
    [[nodiscard]] unsigned receive(lb::PortId port, std::span<lb::Packet> out) noexcept;
    // Sends from the front and returns how many the port took; the others stay the caller's. At
    // most lb::kMaxBurst.
    [[nodiscard]] unsigned transmit(lb::PortId port, std::span<lb::Packet> packets) noexcept;
    // Empty packets: all that were wanted, or none. At most lb::kMaxBurst.
    [[nodiscard]] unsigned allocate(std::span<lb::Packet> out) noexcept;
    void release(std::span<lb::Packet> packets) noexcept;

  private:
    WorkerParts& parts_;
};

// What a worker thread runs instead of a BurstProcessor. Returns when it is done or stopping().
struct WorkerTask {
    void* context = nullptr;
    void (*run)(void* context, WorkerIo& io) noexcept = nullptr;
};

}  // namespace pollux::dpdk
