// SPDX-License-Identifier: Apache-2.0

#include "control/ipvs/rate_estimator.h"

#include <utility>

namespace pollux::control::ipvs {

namespace {

constexpr int kCountShift = 10;
constexpr int kByteShift = 5;

// A quarter of the way from the average to the rate of the last two seconds.
void approach(std::int64_t& average, std::uint64_t before, std::uint64_t now, int shift) {
    const auto rate = static_cast<std::int64_t>((now - before) << static_cast<unsigned>(shift - 1));
    average += (rate - average) >> 2;
}

std::uint64_t unscaled(std::int64_t average, int shift) {
    const std::int64_t half = (std::int64_t{1} << (shift - 1)) - 1;
    return static_cast<std::uint64_t>((average + half) >> shift);
}

}  // namespace

void RateEstimator::update(Average& average, const ViewCounts& now) {
    const ViewCounts& last = average.last;
    approach(average.connections, last.connections, now.connections, kCountShift);
    approach(average.packets_in, last.packets_in, now.packets_in, kCountShift);
    approach(average.packets_out, last.packets_out, now.packets_out, kCountShift);
    approach(average.bytes_in, last.bytes_in, now.bytes_in, kByteShift);
    approach(average.bytes_out, last.bytes_out, now.bytes_out, kByteShift);
    average.last = now;
}

void RateEstimator::sample(const std::vector<lb::ServiceView>& views) {
    begin_round();
    for (const lb::ServiceView& view : views) take(view);
    end_round();
}

void RateEstimator::take(const lb::ServiceView& view) {
    if (!view.continued) take(ViewKey::of(view.spec), ViewCounts::of(view));
    for (const lb::ServerView& server : view.servers) {
        if (!server.removed) take(ViewKey::of(view.spec, server), ViewCounts::of(server));
    }
}

void RateEstimator::take(const ViewKey& key, const ViewCounts& now) {
    Average& average = averages_[key];
    // Counters that were set to zero begin anew.
    if (now.packets_in < average.last.packets_in) average.last = ViewCounts{};
    update(average, now);
    if (average.round != round_) ++taken_;
    average.round = round_;
}

void RateEstimator::end_round() {
    if (std::exchange(taken_, 0) == averages_.size()) return;
    std::erase_if(averages_, [this](const auto& known) { return known.second.round != round_; });
}

Rate RateEstimator::rate_of(const ViewKey& key) const {
    const auto known = averages_.find(key);
    if (known == averages_.end()) return {};
    const Average& average = known->second;
    return {static_cast<std::uint32_t>(unscaled(average.connections, kCountShift)),
            static_cast<std::uint32_t>(unscaled(average.packets_in, kCountShift)),
            static_cast<std::uint32_t>(unscaled(average.packets_out, kCountShift)),
            unscaled(average.bytes_in, kByteShift), unscaled(average.bytes_out, kByteShift)};
}

std::vector<ServiceRates> RateEstimator::rates(const std::vector<lb::ServiceView>& views) const {
    std::vector<ServiceRates> all;
    for (const lb::ServiceView& view : views) {
        ServiceRates rates;
        rates.service = rate_of(ViewKey::of(view.spec));
        for (const lb::ServerView& server : view.servers) {
            rates.servers.push_back(server.removed ? Rate{}
                                                   : rate_of(ViewKey::of(view.spec, server)));
        }
        all.push_back(std::move(rates));
    }
    return all;
}

}  // namespace pollux::control::ipvs
