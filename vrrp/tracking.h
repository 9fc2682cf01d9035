// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the states of tracked interfaces, scripts, processes and files to a priority and faults, by
// keepalived's rules. Pure; any thread.

#include <cstdint>
#include <span>

#include "vrrp/action.h"

namespace pollux::vrrp {

inline constexpr std::uint8_t kLowestPriority = 1;
inline constexpr std::uint8_t kHighestPriority = 254;

// `weight` 0: a failure is a fault. Above 0: added while good. Below 0: subtracted while failed.
// `reverse`: with weight 0 success is the fault, else the adjustment changes its sign.
// A file is a number: 0 is good; with a weight their product is added, and below -253 it is a
// fault.
struct TrackedState {
    Fault kind = Fault::TrackScript;  // TrackInterface, TrackScript, TrackProcess or TrackFile
    int weight = 0;                   // -253..253, files -254..254
    bool reverse = false;
    bool is_good = true;     // not for files
    std::int64_t value = 0;  // files only
};

struct TrackResult {
    std::uint8_t priority = 0;
    FaultSet faults;  // only the Track... ones
    std::int64_t adjustment = 0;
};

// `weights_count` false: every weight is taken as 0. keepalived does so in a sync group without
// sync_group_tracking_weight; an owner's weights never count (RFC 9568: 255 always).
[[nodiscard]] TrackResult evaluate_tracking(std::uint8_t base_priority, bool weights_count,
                                            std::span<const TrackedState> tracked) noexcept;

// `fall` failures in a row turn good into failed, `rise` successes in a row back.
class Damper {
  public:
    // `rise` and `fall` are at least 1.
    Damper(unsigned rise, unsigned fall, bool starts_good) noexcept
        : rise_(rise), fall_(fall), good_(starts_good) {}

    // Returns whether is_good changed.
    bool observe(bool success) noexcept;
    [[nodiscard]] bool is_good() const noexcept { return good_; }
    // Results in a row that disagree with is_good.
    [[nodiscard]] unsigned contrary() const noexcept { return contrary_; }

  private:
    unsigned rise_;
    unsigned fall_;
    unsigned contrary_ = 0;
    bool good_;
};

}  // namespace pollux::vrrp
