// SPDX-License-Identifier: Apache-2.0
#pragma once

// ProbePlan: which neighbours the kernel shall resolve or confirm next. The kernel never sees the
// data plane's traffic, so without this its entries would go STALE and be dropped, or keep the MAC
// of a machine that was replaced. Pure; control thread.

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "control/netlink/kernel_tables.h"
#include "dataplane/lb/time.h"

namespace pollux::control {

struct ProbeTimes {
    // Between two probes of a neighbour that does not answer; the kernel itself asks three times
    // in as many seconds.
    lb::Duration unanswered = std::chrono::seconds(2);
    // Between two probes of a STALE one; the kernel waits five seconds before it asks.
    lb::Duration stale = std::chrono::seconds(10);
    // Probes per call, so that thousands of neighbours are spread over time.
    std::size_t budget = 64;
};

class ProbePlan {
  public:
    explicit ProbePlan(const ProbeTimes& times = {}) : times_(times) {}

    // The neighbours that traffic depends on (gateways, real servers): resolved ahead of traffic
    // and asked for again when they do not answer. Others are only kept fresh while they are known.
    void set_wanted(std::set<NeighbourKey> wanted) { wanted_ = std::move(wanted); }
    [[nodiscard]] const std::set<NeighbourKey>& wanted() const { return wanted_; }

    // Whether a frame that waits for this neighbour shall trigger a probe now; remembers it.
    bool want_now(const NeighbourKey& key, lb::TimePoint now);
    // The probes that are due; `interfaces` are the TAPs, others are not ours to refresh.
    std::vector<NeighbourKey> due(const std::map<NeighbourKey, Neighbour>& neighbours,
                                  const std::set<InterfaceIndex>& interfaces, lb::TimePoint now);

  private:
    bool claim(const NeighbourKey& key, lb::Duration pause, lb::TimePoint now);

    ProbeTimes times_;
    std::set<NeighbourKey> wanted_;
    std::map<NeighbourKey, lb::TimePoint> asked_;
};

}  // namespace pollux::control
