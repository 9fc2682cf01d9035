// SPDX-License-Identifier: Apache-2.0
#include "control/director/worker_watch.h"

#include <algorithm>

namespace pollux::control {

void WorkerWatch::update(std::span<const dpdk::WorkerView> workers, lb::TimePoint now) {
    beats_.resize(workers.size(), {0, now});
    for (std::size_t i = 0; i < workers.size(); ++i) {
        if (beats_[i].count == workers[i].heartbeat) continue;
        beats_[i] = {workers[i].heartbeat, now};
    }
}

lb::Duration WorkerWatch::longest_silence(lb::TimePoint now) const {
    lb::Duration longest{};
    for (const Beat& beat : beats_) longest = std::max(longest, now - beat.changed);
    return longest;
}

}  // namespace pollux::control
