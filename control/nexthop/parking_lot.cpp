// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/parking_lot.h"

#include <utility>

namespace pollux::control {

bool ParkingLot::park(const HopKey& hop, std::span<const std::uint8_t> frame, lb::TimePoint now) {
    const auto known = hops_.find(hop);
    const bool no_room = frames_ >= limits_.frames ||
                         (known == hops_.end() && hops_.size() >= limits_.hops) ||
                         (known != hops_.end() && known->second.size() >= limits_.frames_per_hop);
    if (no_room) {
        ++counters_.refused;
        return false;
    }
    hops_[hop].push_back({Frame(frame.begin(), frame.end()), now});
    ++frames_;
    ++counters_.parked;
    return true;
}

std::vector<ParkingLot::Frame> ParkingLot::take(const HopKey& hop) {
    std::vector<Frame> frames;
    const auto known = hops_.find(hop);
    if (known == hops_.end()) return frames;
    for (Waiting& waiting : known->second) frames.push_back(std::move(waiting.frame));
    frames_ -= frames.size();
    counters_.sent += frames.size();
    hops_.erase(known);
    return frames;
}

void ParkingLot::give_up(const HopKey& hop) {
    const auto known = hops_.find(hop);
    if (known == hops_.end()) return;
    frames_ -= known->second.size();
    counters_.expired += known->second.size();
    hops_.erase(known);
}

void ParkingLot::expire(lb::TimePoint now) {
    for (auto hop = hops_.begin(); hop != hops_.end();) {
        auto& queue = hop->second;
        while (!queue.empty() && now - queue.front().since >= limits_.patience) {
            queue.pop_front();
            --frames_;
            ++counters_.expired;
        }
        hop = queue.empty() ? hops_.erase(hop) : std::next(hop);
    }
}

}  // namespace pollux::control
