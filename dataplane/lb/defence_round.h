// SPDX-License-Identifier: Apache-2.0
#pragma once

// DefenceRound: what LVS does each second against floods, done to the tables. Control thread.

#include "dataplane/lb/defence.h"
#include "dataplane/lb/shared_state.h"

namespace pollux::lb {

class DefenceRound {
  public:
    // After each new snapshot: an edited sysctl counts at once.
    static void publish_level(SharedState& shared, const SysctlSpec& sysctl) noexcept;

    // To be called often; acts once a second: sets the level anew and, when drop_entry is on, goes
    // through the next thirty-second part of the connections and of the templates.
    void run(SharedState& shared, const SysctlSpec& sysctl, TimePoint now) noexcept;

  private:
    void drop_connections(SharedState& shared, Tick now) noexcept;
    void drop_templates(SharedState& shared, Tick now) noexcept;

    TimePoint next_{};
    EntryDropper dropper_;
    std::uint32_t connection_cursor_ = 0;
    std::uint32_t template_cursor_ = 0;
};

}  // namespace pollux::lb
