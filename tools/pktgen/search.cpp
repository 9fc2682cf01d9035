// SPDX-License-Identifier: Apache-2.0
#include "tools/pktgen/search.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pollux::pktgen {

RateSearch::RateSearch(const SearchRange& range, double tolerance, std::vector<RatePoint> known)
    : range_(range), tolerance_(tolerance), points_(std::move(known)) {
    assert(range.lowest > 0 && range.highest >= range.lowest && range.resolution > 0);
    judge();
}

std::optional<double> RateSearch::next() const {
    if (!passed_ && !failed_) return range_.highest;
    if (!failed_) {
        return *passed_ < range_.highest ? std::optional(range_.highest) : std::nullopt;
    }
    if (!passed_) {
        // The bounds meet below at `lowest`, which is tried before giving up.
        if (*failed_ <= range_.lowest) return std::nullopt;
        const double middle = (range_.lowest + *failed_) / 2;
        return *failed_ - range_.lowest <= range_.resolution * *failed_ ? range_.lowest : middle;
    }
    if (*failed_ - *passed_ <= range_.resolution * *failed_) return std::nullopt;
    return (*passed_ + *failed_) / 2;
}

void RateSearch::add(const RatePoint& point) {
    points_.push_back(point);
    judge();
}

// A pass above a failure does not count: on a noisy machine the search would climb on luck.
void RateSearch::judge() {
    const auto passes = [this](const RatePoint& point) {
        return point.offered && point.loss <= tolerance_;
    };
    failed_.reset();
    passed_.reset();
    for (const RatePoint& point : points_) {
        if (passes(point) || (failed_ && point.rate >= *failed_)) continue;
        failed_ = point.rate;
        failed_by_generator_ = !point.offered;
    }
    for (const RatePoint& point : points_) {
        if (!passes(point) || (failed_ && point.rate >= *failed_)) continue;
        passed_ = std::max(passed_.value_or(0), point.rate);
    }
}

}  // namespace pollux::pktgen
