// SPDX-License-Identifier: Apache-2.0
#pragma once

// SharedState: what the workers and the control thread of one DataPlane have in common. Internal to
// dataplane/lb. Created before any worker runs and destroyed after all have stopped.

#include <memory>

#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/server_load.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/lb/zeroed_array.h"

namespace pollux::lb {

struct SharedState {
    explicit SharedState(const DataPlaneLimits& wanted)
        : limits(wanted), loads(wanted.max_servers), quiescence(wanted.workers + 1) {}

    const DataPlaneLimits limits;
    ZeroedArray<ServerLoad> loads;  // by RealServerId
    Quiescence quiescence;
    Publication<Snapshot> snapshot;

    // The control thread among the participants of `quiescence`.
    [[nodiscard]] Participant control() const noexcept {
        return Participant{static_cast<std::uint16_t>(limits.workers)};
    }
};

}  // namespace pollux::lb
