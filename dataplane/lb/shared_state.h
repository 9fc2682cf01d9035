// SPDX-License-Identifier: Apache-2.0
#pragma once

// SharedState: what the workers and the control thread of one DataPlane have in common. Internal to
// dataplane/lb. Created before any worker runs and destroyed after all have stopped.

#include <atomic>
#include <cstdint>

#include "dataplane/lb/address_table.h"
#include "dataplane/lb/connection_table.h"
#include "dataplane/lb/data_plane.h"
#include "dataplane/lb/defence.h"
#include "dataplane/lb/memory_region.h"
#include "dataplane/lb/path_mtu.h"
#include "dataplane/lb/persistence_table.h"
#include "dataplane/lb/quiescence.h"
#include "dataplane/lb/server_load.h"
#include "dataplane/lb/snapshot.h"
#include "dataplane/lb/zeroed_array.h"

namespace pollux::lb {

// The defence that is on now, in one word: the control thread decides, workers read once a burst.
class PublishedDefence {
  public:
    void publish(const DefenceLevel& level) noexcept {
        const std::uint64_t word = (level.secure_tcp ? 1U : 0U) | (level.drop_entry ? 2U : 0U) |
                                   (std::uint64_t{level.drop_rate} << 32U);
        word_.store(word, std::memory_order_relaxed);  // relaxed: nothing else belongs to it
    }
    [[nodiscard]] DefenceLevel read() const noexcept {
        const std::uint64_t word = word_.load(std::memory_order_relaxed);
        return {(word & 1U) != 0, (word & 2U) != 0, static_cast<std::uint32_t>(word >> 32U)};
    }

  private:
    std::atomic<std::uint64_t> word_{0};
};

// The time of the control thread's latest round, for who has no burst's time at hand.
class CoarseClock {
  public:
    void set(Tick now) noexcept {
        now_.store(static_cast<std::uint32_t>(now), std::memory_order_relaxed);  // a mere figure
    }
    [[nodiscard]] Tick read() const noexcept { return Tick{now_.load(std::memory_order_relaxed)}; }

  private:
    std::atomic<std::uint32_t> now_{0};
};

struct SharedState {
    SharedState(const DataPlaneLimits& wanted, MemoryRegion&& memory);
    // What the region must hold.
    static RegionPlan plan(const DataPlaneLimits& limits);

    // The control thread among the participants of `quiescence`.
    [[nodiscard]] Participant control() const noexcept {
        return Participant{static_cast<std::uint16_t>(limits.workers)};
    }

    const DataPlaneLimits limits;
    MemoryRegion region;
    ZeroedArray<ServerLoad> loads;  // by RealServerId
    Quiescence quiescence;
    AddressTable server_addresses;  // by RealServerId
    AddressTable local_addresses;   // by LocalAddressId
    PersistenceTable templates;
    ConnectionTable connections;
    Publication<Snapshot> snapshot;
    PublishedDefence defence;
    CoarseClock clock;
    PathMtuReports path_mtu_reports;  // by RealServerId
};

}  // namespace pollux::lb
