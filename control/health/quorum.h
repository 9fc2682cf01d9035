// SPDX-License-Identifier: Apache-2.0
#pragma once

// Quorum: whether the living servers of a service carry enough weight. keepalived's rules: up from
// quorum + hysteresis on, lost below quorum - hysteresis or without any weight. Pure.

#include <cstdint>

namespace pollux::control {

class Quorum {
  public:
    Quorum(unsigned quorum, unsigned hysteresis, bool up)
        : up_from_(std::uint64_t{quorum} + hysteresis),
          down_below_(quorum > hysteresis ? quorum - hysteresis : 1),
          up_(up) {}

    // Takes in the living weight; true: up() has changed.
    bool update(std::uint64_t weight) {
        const bool up = up_ ? weight >= down_below_ && weight > 0 : weight >= up_from_;
        const bool changed = up != up_;
        up_ = up;
        return changed;
    }

    [[nodiscard]] bool up() const { return up_; }
    // For a service whose configuration changed: the state goes on under the new limits.
    void set_up(bool up) { up_ = up; }

  private:
    std::uint64_t up_from_;
    std::uint64_t down_below_;
    bool up_;
};

}  // namespace pollux::control
