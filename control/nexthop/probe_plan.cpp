// SPDX-License-Identifier: Apache-2.0
#include "control/nexthop/probe_plan.h"

#include <algorithm>

namespace pollux::control {
namespace {

// Traffic to unknown on-link addresses (a scan, spoofed sources) must not grow this without bound.
constexpr std::size_t kMaxRemembered = 65536;

}  // namespace

bool ProbePlan::claim(const NeighbourKey& key, lb::Duration pause, lb::TimePoint now) {
    const auto known = asked_.find(key);
    if (known != asked_.end()) {
        if (now - known->second < pause) return false;
        known->second = now;
        return true;
    }
    if (asked_.size() >= kMaxRemembered) return false;
    asked_.emplace(key, now);
    return true;
}

bool ProbePlan::want_now(const NeighbourKey& key, lb::TimePoint now) {
    return claim(key, times_.unanswered, now);
}

std::vector<NeighbourKey> ProbePlan::due(const std::map<NeighbourKey, Neighbour>& neighbours,
                                         const std::set<InterfaceIndex>& interfaces,
                                         lb::TimePoint now) {
    const lb::Duration longest = std::max(times_.unanswered, times_.stale);
    std::erase_if(asked_, [&](const auto& entry) { return now - entry.second > longest; });

    std::vector<NeighbourKey> probes;
    for (const NeighbourKey& key : wanted_) {
        if (probes.size() >= times_.budget) return probes;
        const auto known = neighbours.find(key);
        const bool unanswered =
            known == neighbours.end() || known->second.state == NeighbourState::Failed;
        if (unanswered && claim(key, times_.unanswered, now)) probes.push_back(key);
    }
    for (const auto& [key, neighbour] : neighbours) {
        if (probes.size() >= times_.budget) return probes;
        if (neighbour.state != NeighbourState::Stale || !interfaces.contains(key.interface)) {
            continue;
        }
        if (claim(key, times_.stale, now)) probes.push_back(key);
    }
    return probes;
}

}  // namespace pollux::control
