// SPDX-License-Identifier: Apache-2.0
#pragma once

// RemovedServerFlush: with expire_nodest_conn the connections and templates of a server that was
// removed go at once (LVS: ip_vs_expire_nodest_conn_flush), in one walk over the tables that is cut
// into pieces. Control thread.

#include <cstdint>

#include "dataplane/lb/shared_state.h"
#include "dataplane/lb/tick.h"

namespace pollux::lb {

class RemovedServerFlush {
  public:
    // Servers were removed with the snapshot of this generation.
    void request(std::uint64_t generation) noexcept;

    // Goes on with the walk: at most `budget` records. It begins when no worker uses a snapshot
    // older than the requested one any more, as such a worker may still open connections to the
    // server. `oldest`: generation of the oldest snapshot in use.
    void run(SharedState& shared, std::uint64_t oldest, Tick now, std::uint32_t budget);

  private:
    enum class Stage : std::uint8_t { Idle, Connections, Templates };

    std::uint64_t requested_ = 0;  // 0: nothing to do
    Stage stage_ = Stage::Idle;
    std::uint32_t cursor_ = 0;
};

}  // namespace pollux::lb
