// SPDX-License-Identifier: Apache-2.0
#pragma once

// ParkingLot: frames that wait until the kernel knows their next hop's MAC. Bounded per next hop,
// in the number of next hops and in total, and in time, so that a scan of a dead subnet costs a
// fixed amount of memory. Pure; control thread.

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "control/nexthop/route_builder.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

struct ParkingLimits {
    std::size_t frames_per_hop = 64;
    std::size_t hops = 1024;
    std::size_t frames = 8192;
    lb::Duration patience = std::chrono::seconds(3);
};

// Every frame that was ever offered is exactly one of: waiting, sent, expired, refused.
struct ParkingCounters {
    std::uint64_t parked = 0;   // taken in
    std::uint64_t sent = 0;     // taken out by `take`
    std::uint64_t expired = 0;  // waited too long, or the next hop does not answer
    std::uint64_t refused = 0;  // a limit was reached, or the port has no TAP
};

class ParkingLot {
  public:
    using Frame = std::vector<std::uint8_t>;

    explicit ParkingLot(const ParkingLimits& limits = {}) : limits_(limits) {}

    // Counts a frame that cannot wait here.
    void refuse() { ++counters_.refused; }
    // False: refused.
    bool park(const HopKey& hop, std::span<const std::uint8_t> frame, lb::TimePoint now);
    // The hop's frames in order of arrival; they are out of the lot.
    [[nodiscard]] std::vector<Frame> take(const HopKey& hop);
    // The hop does not answer: its frames expire now.
    void give_up(const HopKey& hop);
    void expire(lb::TimePoint now);

    [[nodiscard]] const ParkingCounters& counters() const { return counters_; }
    [[nodiscard]] std::size_t frames() const { return frames_; }
    [[nodiscard]] std::size_t hops() const { return hops_.size(); }

  private:
    struct Waiting {
        Frame frame;
        lb::TimePoint since;
    };

    ParkingLimits limits_;
    ParkingCounters counters_;
    std::size_t frames_ = 0;
    std::map<HopKey, std::deque<Waiting>> hops_;
};

}  // namespace pollux::control
