// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control core's own send and receive paths (decision D12). Control thread only.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/dpdk/buffer_sizes.h"
#include "dataplane/dpdk/frame_ring.h"
#include "dataplane/dpdk/port_device.h"
#include "dataplane/dpdk/punt_queue.h"
#include "dataplane/dpdk/runtime.h"

namespace pollux::dpdk {

class ControlIo {
  public:
    // By PortId; the ring is for ports without a transmit queue of the control core's own.
    struct Exit {
        const PortDevice* port = nullptr;
        FrameRing* ring = nullptr;
    };

    ControlIo(std::vector<Exit> exits, std::vector<PuntQueue*> queues, rte_mempool& pool,
              PuntBell& bell)
        : exits_(std::move(exits)), queues_(std::move(queues)), pool_(&pool), bell_(&bell) {}
    ControlIo(const ControlIo&) = delete;
    ControlIo& operator=(const ControlIo&) = delete;
    ~ControlIo() { release_taken(); }

    std::span<const PuntedFrame> receive();
    bool transmit(lb::PortId port, std::span<const std::uint8_t> bytes);

    // Workers relay frames of ports without a queue of ours only while they run; in between the
    // control thread is alone and may use a worker's queue.
    void set_workers_running(bool running) { workers_running_ = running; }

    [[nodiscard]] const ControlCounters& counters() const { return counters_; }

  private:
    void release_taken();
    void take(PuntKind kind, unsigned most);
    void take_all_kinds();
    [[nodiscard]] bool all_empty() const;
    [[nodiscard]] std::span<std::uint8_t> contiguous(rte_mbuf& frame, std::size_t slot);
    [[nodiscard]] rte_mbuf* build(std::span<const std::uint8_t> bytes);
    bool send(const Exit& exit, rte_mbuf* frame);

    std::vector<Exit> exits_;
    std::vector<PuntQueue*> queues_;
    rte_mempool* pool_;
    PuntBell* bell_;
    bool workers_running_ = false;
    ControlCounters counters_;
    unsigned next_queue_ = 0;  // first worker to be asked, in turn
    unsigned taken_ = 0;
    std::array<rte_mbuf*, kPuntedFrames> frames_{};
    std::array<PuntedFrame, kPuntedFrames> punted_;
    // Room for frames of several segments, by slot; made when needed.
    std::array<std::vector<std::uint8_t>, kPuntedFrames> joined_;
};

}  // namespace pollux::dpdk
