// SPDX-License-Identifier: Apache-2.0
#include "control/api/worker_load.h"

#include <algorithm>
#include <utility>

namespace pollux::control::api {
namespace {

double per(std::uint64_t part, double whole) {
    return whole > 0 ? static_cast<double>(part) / whole : 0.0;
}

}  // namespace

void WorkerLoad::sample(lb::TimePoint now, std::span<const dpdk::WorkerView> workers,
                        std::span<const lb::WorkerCounters> counters) {
    std::vector<Reading> readings;
    for (std::size_t i = 0; i < std::min(workers.size(), counters.size()); ++i) {
        readings.push_back({counters[i].received, counters[i].received_bytes,
                            workers[i].busy_cycles, workers[i].total_cycles});
    }
    const double seconds = std::chrono::duration<double>(now - at_).count();
    rates_.clear();
    if (last_.size() == readings.size()) {
        for (std::size_t i = 0; i < readings.size(); ++i) {
            const Reading& then = last_[i];
            const std::uint64_t packets = readings[i].received - then.received;
            const std::uint64_t busy = readings[i].busy - then.busy;
            rates_.push_back({per(packets, seconds),
                              per(8 * (readings[i].bytes - then.bytes), seconds),
                              per(busy, static_cast<double>(readings[i].total - then.total)),
                              per(busy, static_cast<double>(packets))});
        }
    }
    last_ = std::move(readings);
    at_ = now;
}

std::optional<WorkerRate> WorkerLoad::rate(std::size_t worker) const {
    if (worker >= rates_.size()) return std::nullopt;
    return rates_[worker];
}

}  // namespace pollux::control::api
