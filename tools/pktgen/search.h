// SPDX-License-Identifier: Apache-2.0
#pragma once

// RFC 2544 section 26.1 throughput by binary search: the highest rate at which a trial loses no
// more than a tolerated share. A tolerance of 0 gives the no-drop rate (NDR), a small one the
// partial-drop rate (PDR). Pure: the caller runs the trials. One thread.

#include <optional>
#include <vector>

namespace pollux::pktgen {

struct SearchRange {
    double lowest = 0;      // frames a second, > 0
    double highest = 0;     // >= lowest
    double resolution = 0;  // the search ends when the bounds differ by this share, > 0
};

// What a trial found out about a rate.
struct RatePoint {
    double rate = 0;      // asked for
    double loss = 0;      // share of the offered frames that did not arrive, 0..1
    bool offered = true;  // false: the generator did not reach the rate; says nothing about it
};

class RateSearch {
  public:
    // Trials that were made before count, so that a PDR search goes on from an NDR search.
    RateSearch(const SearchRange& range, double tolerance, std::vector<RatePoint> known = {});

    // The next rate to try; nothing when the search has ended.
    [[nodiscard]] std::optional<double> next() const;
    void add(const RatePoint& point);

    // The highest rate that passed so far.
    [[nodiscard]] std::optional<double> best() const { return passed_; }
    // The search was stopped from above by the generator and not by losses.
    [[nodiscard]] bool generator_bound() const { return failed_ && failed_by_generator_; }
    [[nodiscard]] const std::vector<RatePoint>& points() const { return points_; }

  private:
    void judge();

    SearchRange range_;
    double tolerance_;
    std::vector<RatePoint> points_;
    std::optional<double> passed_;  // highest
    std::optional<double> failed_;  // lowest
    bool failed_by_generator_ = false;
};

}  // namespace pollux::pktgen
