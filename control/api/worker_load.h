// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerLoad: what each worker did lately, from two readings of its counters, which only grow.
// Pure; control thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/dpdk/runtime.h"
#include "dataplane/lb/data_plane.h"

namespace pollux::control::api {

struct WorkerRate {
    double packets_per_second = 0;  // received
    double bits_per_second = 0;     // received, whole frames
    double busy_share = 0;          // 0..1: time in loops that had packets
    double cycles_per_packet = 0;   // in such loops; 0 without packets
};

class WorkerLoad {
  public:
    static constexpr std::chrono::seconds kInterval{1};

    // To be called each kInterval, with the readings of that moment.
    void sample(lb::TimePoint now, std::span<const dpdk::WorkerView> workers,
                std::span<const lb::WorkerCounters> counters);

    // Between the last two samples; nothing before the second.
    [[nodiscard]] std::optional<WorkerRate> rate(std::size_t worker) const;

  private:
    struct Reading {
        std::uint64_t received = 0, bytes = 0, busy = 0, total = 0;
    };

    lb::TimePoint at_;
    std::vector<Reading> last_;
    std::vector<WorkerRate> rates_;
};

}  // namespace pollux::control::api
