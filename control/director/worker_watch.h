// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerWatch: since when each worker has been silent. A control core that is alive over a dead
// data plane must not look healthy (decision D13). Pure; control thread.

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/dpdk/runtime.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

class WorkerWatch {
  public:
    // Takes in the workers' heartbeats.
    void update(std::span<const dpdk::WorkerView> workers, lb::TimePoint now);

    // How long the most silent worker has shown no progress, at the granularity of the updates.
    // Zero without workers.
    [[nodiscard]] lb::Duration longest_silence(lb::TimePoint now) const;

  private:
    struct Beat {
        std::uint64_t count = 0;
        lb::TimePoint changed;
    };
    std::vector<Beat> beats_;
};

}  // namespace pollux::control
